// What node:fs takes as arguments: paths of three kinds, flags as words, modes in octal, times in seconds.
import { fileURLToPath } from 'node:url'
import { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../fs/index.ts'
import { decodeName, encodeName } from '../path/index.ts'
import { wrongType, wrongValue } from './node-error.ts'

/** Options as an encoding alone or an object; null and undefined are none. */
export type Options = string | { readonly [name: string]: unknown } | null | undefined

const flagWords: { readonly [word: string]: number } = {
  r: O_RDONLY,
  rs: O_RDONLY,
  sr: O_RDONLY,
  'r+': O_RDWR,
  'rs+': O_RDWR,
  'sr+': O_RDWR,
  w: O_TRUNC | O_CREAT | O_WRONLY,
  wx: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  xw: O_TRUNC | O_CREAT | O_WRONLY | O_EXCL,
  'w+': O_TRUNC | O_CREAT | O_RDWR,
  'wx+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  'xw+': O_TRUNC | O_CREAT | O_RDWR | O_EXCL,
  a: O_APPEND | O_CREAT | O_WRONLY,
  ax: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  xa: O_APPEND | O_CREAT | O_WRONLY | O_EXCL,
  as: O_APPEND | O_CREAT | O_WRONLY,
  sa: O_APPEND | O_CREAT | O_WRONLY,
  'a+': O_APPEND | O_CREAT | O_RDWR,
  'ax+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'xa+': O_APPEND | O_CREAT | O_RDWR | O_EXCL,
  'as+': O_APPEND | O_CREAT | O_RDWR,
  'sa+': O_APPEND | O_CREAT | O_RDWR,
}

/** A path as the file system takes it: bytes become a byte-exact name. Errors: TypeErrors of node:fs. */
export function toPath(value: unknown, name = 'path'): string {
  const path = pathText(value, name)
  if (path.includes('\0')) throw wrongValue(name, value, 'must be a string, Uint8Array, or URL without null bytes')
  return path
}

function pathText(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return decodeName(value)
  if (value instanceof URL) return fileURLToPath(value)
  throw wrongType(name, 'of type string or an instance of Buffer or URL', value)
}

/** Bits of O_ flags. */
export function toFlags(flags: unknown, usual: string): number {
  if (flags === undefined || flags === null) return flagWords[usual] as number
  if (typeof flags === 'number') return flags
  if (typeof flags === 'string' && Object.hasOwn(flagWords, flags)) return flagWords[flags] as number
  throw wrongValue('flags', flags)
}

/** Permission bits. */
export function toMode(mode: unknown, usual?: number): number {
  if ((mode === undefined || mode === null) && usual !== undefined) return usual
  if (typeof mode === 'number') return mode
  if (typeof mode === 'string' && /^[0-7]+$/.test(mode)) return Number.parseInt(mode, 8)
  throw typeof mode === 'string' ? wrongValue('mode', mode) : wrongType('mode', 'of type number', mode)
}

/** Nanoseconds; node takes seconds, or a Date, and keeps microseconds. */
export function toNanoseconds(time: unknown): bigint {
  const seconds = secondsOf(time)
  if (!Number.isFinite(seconds)) throw wrongType('time', 'an instance of Date or an Time in seconds', time)
  return BigInt(Math.round(seconds * 1e6)) * 1000n
}

function secondsOf(time: unknown): number {
  if (time instanceof Date) return time.getTime() / 1000
  if (typeof time === 'number') return time
  return typeof time === 'string' && time.trim() !== '' ? Number(time) : Number.NaN
}

/** One option; undefined where options are an encoding alone. */
export function option(options: Options, name: string): unknown {
  return typeof options === 'object' && options !== null ? options[name] : undefined
}

/** The encoding asked for: a name, "buffer", or undefined. */
export function encodingOf(options: Options): BufferEncoding | 'buffer' | undefined {
  const encoding = typeof options === 'string' ? options : option(options, 'encoding')
  if (encoding === undefined || encoding === null) return undefined
  if (encoding === 'buffer' || (typeof encoding === 'string' && Buffer.isEncoding(encoding))) {
    return encoding
  }
  throw wrongValue('encoding', encoding, 'is invalid encoding')
}

/** A name as the caller wants it. As a string it stays byte-exact: it can be given back as a path. */
export function nameIn(encoding: BufferEncoding | 'buffer' | undefined, name: string): string | Buffer {
  if (encoding === undefined || encoding === 'utf8' || encoding === 'utf-8') return name
  const bytes = Buffer.from(encodeName(name))
  return encoding === 'buffer' ? bytes : bytes.toString(encoding)
}

/** Bytes to write. */
export function toBytes(data: unknown, encoding: unknown = 'utf8'): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data, (encoding ?? 'utf8') as BufferEncoding)
  if (data instanceof Uint8Array) return data
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  throw wrongType('data', 'of type string or an instance of Buffer, TypedArray, or DataView', data)
}
