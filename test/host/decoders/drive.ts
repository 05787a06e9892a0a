import { spawnSync } from 'node:child_process'
import type { Warning } from '../../../src/errors/index.ts'
import { type Backend, type Compression, type Decoder, openDecoder } from '../../../src/host/index.ts'

export type Pieces = { readonly input?: number; readonly output?: number }

/** Decodes everything with pieces of these sizes; fails when the decoder makes no progress or too many steps. */
export async function drive(decoder: Decoder, bytes: Uint8Array, pieces: Pieces = {}): Promise<Buffer> {
  const output = new Uint8Array(new SharedArrayBuffer((pieces.output ?? 65536) + 2)).fill(0xee)
  const room = output.length - 2
  const parts: Buffer[] = []
  let at = 0
  for (let idle = 0; ; ) {
    const end = Math.min(bytes.length, at + (pieces.input ?? 65536))
    const result = decoder.step(bytes, at, end, output, 1, room + 1)
    const { consumed, produced } = result instanceof Promise ? await result : result
    if (consumed < 0 || consumed > end - at || produced < 0 || produced > room) throw new Error('impossible step')
    if (output[0] !== 0xee || output[room + 1] !== 0xee) throw new Error('wrote outside of its output')
    at += consumed
    parts.push(Buffer.from(output.subarray(1, 1 + produced)))
    idle = consumed === 0 && produced === 0 ? idle + 1 : 0
    if (idle > 0 && at === bytes.length) break
    if (idle > 0) throw new Error(`no progress at ${at} of ${bytes.length}`)
  }
  decoder.end()
  return Buffer.concat(parts)
}

export type Outcome = { readonly output: Buffer; readonly warnings: readonly Warning[] }

/** Opens, drives and closes a decoder. */
export async function decode(
  compression: Compression,
  bytes: Uint8Array,
  options: Pieces & { readonly only?: Backend } = {},
): Promise<Outcome> {
  const warnings: Warning[] = []
  const warn = (warning: Warning): void => void warnings.push(warning)
  const decoder = await openDecoder(compression, {
    warn,
    ...(options.only === undefined ? {} : { only: options.only }),
  })
  try {
    return { output: await drive(decoder, bytes, options), warnings }
  } finally {
    decoder.close()
  }
}

/** The code of the error that decoding ends with, or 'fine'. */
export async function codeOf(
  compression: Compression,
  bytes: Uint8Array,
  options: Pieces & { readonly only?: Backend } = {},
): Promise<string> {
  try {
    await decode(compression, bytes, options)
    return 'fine'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** The backends of a compression that work on this machine. */
export async function backendsOf(compression: Compression): Promise<Backend[]> {
  const found: Backend[] = []
  for (const only of ['node', 'library', 'portable'] as const) {
    try {
      const decoder = await openDecoder(compression, { warn: () => {}, only })
      decoder.close()
      found.push(only)
    } catch (error) {
      if ((error as { code?: string }).code !== 'UNSUPPORTED') throw error
    }
  }
  return found
}

/** Compresses with a command line tool, or returns null where it is not installed. */
export function compressWith(command: readonly string[], bytes: Uint8Array): Buffer | null {
  const [file = '', ...rest] = command
  const { error, status, stdout } = spawnSync(file, rest, { input: bytes, maxBuffer: 2 ** 28 })
  if (error !== undefined) return null
  if (status !== 0) throw new Error(`${command.join(' ')} failed`)
  return stdout
}

/** Text, a run of zeros and noise: everything a compressor treats differently, the same each time. */
export function sample(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes)
  let state = 12345
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const third = Math.floor((3 * i) / sizeBytes)
    bytes[i] = third === 0 ? 97 + ((i % 89) % 26) : third === 1 ? 0 : state >>> 24
  }
  return bytes
}
