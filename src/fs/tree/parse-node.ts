// One node of a tree literal: untrusted JSON in, what is to be made out. Refuses what means nothing, so that a mistake
// in a scenario is named instead of played.
import { OvlError, quote } from '../../errors/index.ts'
import { encodeName } from '../../path/index.ts'
import { makeDevice } from '../mode.ts'
import { bytesFromJson, isBase64, isBytesJson } from './bytes.ts'
import type { TreeNodeType } from './tree.ts'

/** A node with its defaults filled in. */
export type ParsedNode = {
  readonly type: TreeNodeType
  /** Permission bits; undefined: the default of the type. */
  readonly mode: number | undefined
  readonly uid: number | undefined
  readonly gid: number | undefined
  readonly mtimeNs: bigint | undefined
  readonly content: Uint8Array
  /** Undefined: as long as the content. */
  readonly sizeBytes: number | undefined
  readonly target: string
  /** As `makeDevice` makes it. */
  readonly rdev: number
  readonly xattrs: readonly (readonly [name: string, value: Uint8Array])[]
  /** Of another name: the path of the first. */
  readonly link: string | undefined
  readonly opaque: boolean
}

/** Where a node stands: named in errors. */
export type NodePlace = { readonly where: string; readonly path: string }

const types: readonly string[] = [
  'file',
  'dir',
  'symlink',
  'char',
  'block',
  'fifo',
  'socket',
  'whiteout',
  'xwhiteout',
] satisfies readonly TreeNodeType[]

const always = ['type', 'mode', 'uid', 'gid', 'mtime', 'xattrs']
/** Keys that only some types have. */
const special: { readonly [key: string]: readonly TreeNodeType[] } = {
  content: ['file'],
  base64: ['file'],
  size: ['file'],
  target: ['symlink'],
  rdev: ['char', 'block'],
  opaque: ['dir'],
}
const largestId = 0xffff_fffe

/** Errors: BAD_SCENARIO, naming the path and the key. */
export function parseNode(node: unknown, place: NodePlace): ParsedNode {
  if (typeof node === 'string') return { ...empty, type: 'file', content: encodeName(node) }
  if (typeof node !== 'object' || node === null || Array.isArray(node)) {
    throw badTree(place, 'a node is a string or an object')
  }
  const fields = node as { readonly [key: string]: unknown }
  if (fields['link'] !== undefined) return parseLink(fields, place)
  const type = typeOf(fields, place)
  checkKeys(fields, { type, place })
  return {
    ...empty,
    type,
    mode: parseMode(fields['mode'], place),
    uid: parseCount(fields['uid'], { key: 'uid', most: largestId, place }),
    gid: parseCount(fields['gid'], { key: 'gid', most: largestId, place }),
    mtimeNs: parseTime(fields['mtime'], place),
    content: parseContent(fields, place),
    sizeBytes: parseCount(fields['size'], { key: 'size', most: Number.MAX_SAFE_INTEGER, place }),
    target: parseTarget(fields['target'], { type, place }),
    rdev: parseDevice(fields['rdev'], { type, place }),
    xattrs: parseXattrs(fields['xattrs'], place),
    opaque: parseOpaque(fields['opaque'], place),
  }
}

/** The refusal of a tree, at one of its nodes. */
export function badTree({ where, path }: NodePlace, fact: string): OvlError {
  return new OvlError('BAD_SCENARIO', `Cannot read ${where}: ${quote(path)}: ${fact}`, { data: { where, path } })
}

const empty: ParsedNode = {
  type: 'file',
  mode: undefined,
  uid: undefined,
  gid: undefined,
  mtimeNs: undefined,
  content: new Uint8Array(0),
  sizeBytes: undefined,
  target: '',
  rdev: 0,
  xattrs: [],
  link: undefined,
  opaque: false,
}

type Fields = { readonly [key: string]: unknown }
type Context = { readonly type: TreeNodeType; readonly place: NodePlace }

function parseLink(fields: Fields, place: NodePlace): ParsedNode {
  const { link } = fields
  if (typeof link !== 'string') throw badTree(place, 'link must be the path of an earlier node')
  const other = Object.keys(fields).find(key => key !== 'link')
  if (other !== undefined) throw badTree(place, `${quote(other)} says nothing about a link, which is a name only`)
  return { ...empty, link }
}

function typeOf(fields: Fields, place: NodePlace): TreeNodeType {
  const { type } = fields
  if (typeof type === 'string' && types.includes(type)) return type as TreeNodeType
  if (type !== undefined) throw badTree(place, `type must be one of ${types.join(', ')}`)
  if (fields['content'] !== undefined || fields['base64'] !== undefined || fields['size'] !== undefined) return 'file'
  if (fields['target'] !== undefined) return 'symlink'
  throw badTree(place, 'type is missing')
}

function checkKeys(fields: Fields, { type, place }: Context): void {
  for (const key of Object.keys(fields)) {
    if (always.includes(key)) continue
    const owners = Object.hasOwn(special, key) ? special[key] : undefined
    if (owners === undefined) throw badTree(place, `no node has a ${quote(key)}`)
    if (!owners.includes(type)) throw badTree(place, `${quote(key)} says nothing about a node of type ${type}`)
  }
  if (type === 'symlink' && fields['mode'] !== undefined) throw badTree(place, 'a symlink has no mode')
}

function parseMode(mode: unknown, place: NodePlace): number | undefined {
  if (mode === undefined) return undefined
  if (typeof mode === 'string' && /^[0-7]{1,5}$/.test(mode)) {
    const bits = Number.parseInt(mode, 8)
    if (bits <= 0o7777) return bits
  }
  throw badTree(place, 'mode must be a string of octal digits, at most "7777"')
}

function parseCount(
  value: unknown,
  of: { readonly key: string; readonly most: number; readonly place: NodePlace },
): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= of.most) return value
  throw badTree(of.place, `${of.key} must be a whole number from 0 to ${of.most}`)
}

function parseTime(mtime: unknown, place: NodePlace): bigint | undefined {
  if (mtime === undefined) return undefined
  const match = typeof mtime === 'string' ? /^(-?)(\d{1,12})(?:\.(\d{1,9}))?$/.exec(mtime) : null
  if (match === null) throw badTree(place, 'mtime must be a string "SECONDS" or "SECONDS.FRACTION"')
  const [, sign, seconds = '', part = ''] = match
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(part.padEnd(9, '0'))
  return sign === '-' ? -ns : ns
}

function parseContent(fields: Fields, place: NodePlace): Uint8Array {
  const { content, base64 } = fields
  if (content !== undefined && base64 !== undefined) throw badTree(place, 'content and base64 exclude each other')
  if (content !== undefined && typeof content !== 'string') throw badTree(place, 'content must be a string')
  if (base64 !== undefined && !isBase64(base64)) throw badTree(place, 'base64 must be a string in base64')
  return bytesFromJson(base64 === undefined ? (content ?? '') : { base64 })
}

function parseTarget(target: unknown, { type, place }: Context): string {
  if (type !== 'symlink') return ''
  if (typeof target === 'string' && target !== '') return target
  throw badTree(place, 'a symlink needs a target, a string that is not empty')
}

function parseDevice(rdev: unknown, { type, place }: Context): number {
  if (type !== 'char' && type !== 'block') return 0
  const match = typeof rdev === 'string' ? /^(\d{1,4}):(\d{1,7})$/.exec(rdev) : null
  const [major, minor] = [Number(match?.[1]), Number(match?.[2])]
  if (match !== null && major < 2 ** 12 && minor < 2 ** 20) return makeDevice(major, minor)
  throw badTree(place, 'a device needs an rdev, a string "MAJOR:MINOR"')
}

function parseXattrs(xattrs: unknown, place: NodePlace): ParsedNode['xattrs'] {
  if (xattrs === undefined) return []
  if (typeof xattrs !== 'object' || xattrs === null || Array.isArray(xattrs)) {
    throw badTree(place, 'xattrs must be an object')
  }
  return Object.entries(xattrs).map(([name, value]: [string, unknown]) => {
    if (isBytesJson(value)) return [name, bytesFromJson(value)]
    throw badTree(place, `the value of xattr ${quote(name)} must be a string or { "base64": … }`)
  })
}

function parseOpaque(opaque: unknown, place: NodePlace): boolean {
  if (opaque === undefined || typeof opaque === 'boolean') return opaque ?? false
  throw badTree(place, 'opaque must be true or false')
}
