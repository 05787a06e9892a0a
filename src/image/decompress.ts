// The one loop that turns stored bytes into uncompressed bytes, for layers and for whole archives. Buffers are reused
// and nothing in it is asynchronous but the pauses and a target that is behind.

import { OvlError, type Warn } from '../errors/index.ts'
import {
  type Compression,
  compressionHeadBytes,
  type Decoder,
  detectCompression,
  openDecoder,
  type StepResult,
} from '../host/index.ts'
import { pause, pauseTimer } from './pause.ts'
import type { BlockTarget } from './types.ts'

/** Bytes in order. `read` fills the start of `target`, at least one byte unless the end is reached (0). */
export interface ByteSource {
  read(target: Uint8Array): number | Promise<number>
}

/** Who watches the bytes, stored and uncompressed, and how messages call them. */
export type DecompressOptions = {
  /** What is read, for messages: "layer 2 of img.tar". */
  readonly subject: string
  readonly warn: Warn
  readonly signal?: AbortSignal | undefined
  /** Told once, before any byte. */
  readonly onCompression?: (compression: Compression) => void
  /** Sees every stored byte once, in order. The view is valid during the call only. */
  readonly onStored: (bytes: Uint8Array) => void
  /** Sees every uncompressed byte once, in order, before the target gets it. May throw to stop. */
  readonly onUncompressed: (bytes: Uint8Array) => void
}

/** How decompression went, after every stored byte was read. */
export type Decompressed = {
  readonly compression: Compression
  /** The decoder's complaint; the stored bytes were all read nevertheless, so that their digest is known. */
  readonly failure: OvlError | null
}

const pieceBytes = 256 << 10

/**
 * Reads a source to its end into a target, decompressed by the magic of its first bytes. Corrupt data do not throw:
 * they are reported in `failure`, after the rest was read. Errors: what source, target, hooks and signal throw.
 */
export async function decompress(
  source: ByteSource,
  target: BlockTarget,
  options: DecompressOptions,
): Promise<Decompressed> {
  const input = new Uint8Array(pieceBytes)
  const headLength = await fill(source, input.subarray(0, compressionHeadBytes))
  const compression = detectCompression(input.subarray(0, headLength))
  options.onCompression?.(compression)
  const run = { source, target: regions(target, options.onUncompressed), input, headLength, options }
  if (compression === 'none') {
    await copy(run)
    return { compression, failure: null }
  }
  const decoder = await openDecoder(compression, { warn: options.warn, subject: options.subject })
  try {
    return { compression, failure: await decode(run, decoder) }
  } finally {
    decoder.close()
  }
}

/** Throws when the run was asked to stop. */
export function checkSignal(signal: AbortSignal | undefined, subject: string): void {
  if (signal?.aborted !== true) return
  throw new OvlError('INTERRUPTED', `Cannot finish reading ${subject}: interrupted`, { cause: signal.reason })
}

type Run = {
  readonly source: ByteSource
  readonly target: Regions
  readonly input: Uint8Array
  /** How many bytes the start of `input` holds already. */
  readonly headLength: number
  readonly options: DecompressOptions
}

/** The target's current region, filled piece by piece and committed when full. */
type Regions = {
  current(): Uint8Array | Promise<Uint8Array>
  filled: number
  advance(length: number): void
  flush(): void
}

function regions(target: BlockTarget, onUncompressed: (bytes: Uint8Array) => void): Regions {
  let region: Uint8Array | null = null
  const keep = (next: Uint8Array): Uint8Array => {
    region = next
    return next
  }
  return {
    filled: 0,
    current() {
      if (region !== null) return region
      const next = target.space()
      return next instanceof Promise ? next.then(keep) : keep(next)
    },
    advance(length) {
      this.filled += length
      if (this.filled === region?.length) this.flush()
    },
    flush() {
      if (region === null || this.filled === 0) return
      onUncompressed(region.subarray(0, this.filled))
      target.commit(this.filled)
      this.filled = 0
      region = null
    },
  }
}

/** Uncompressed data go straight from the source into the target's regions. */
async function copy({ source, target, input, headLength, options }: Run): Promise<void> {
  const timer = pauseTimer()
  let pending = input.subarray(0, headLength)
  for (;;) {
    const space = target.current()
    const region = space instanceof Promise ? await space : space
    const free = region.subarray(target.filled)
    let length = Math.min(pending.length, free.length)
    if (length > 0) {
      free.set(pending.subarray(0, length))
      pending = pending.subarray(length)
    } else {
      const read = source.read(free)
      length = typeof read === 'number' ? read : await read
      if (length === 0) break
    }
    options.onStored(free.subarray(0, length))
    target.advance(length)
    if (timer.due()) await breathe(options)
  }
  target.flush()
}

async function decode(run: Run, decoder: Decoder): Promise<OvlError | null> {
  const { source, target, input, options } = run
  const timer = pauseTimer()
  let failure: OvlError | null = null
  let length = run.headLength
  while (length > 0) {
    options.onStored(input.subarray(0, length))
    // Once the data proved corrupt, the rest is only hashed: a wrong digest says more than a wrong checksum inside.
    failure ??= await decodePiece(run, { decoder, timer, input: input.subarray(0, length) })
    const read = source.read(input)
    length = typeof read === 'number' ? read : await read
    if (failure !== null && timer.due()) await breathe(options)
  }
  failure ??= finishDecoder(decoder)
  target.flush()
  return failure
}

/** Decodes all of one piece; gives the decoder's complaint. Errors of hooks and target are no faults of the data: thrown. */
async function decodePiece(
  { target, options }: Run,
  piece: { readonly decoder: Decoder; readonly timer: { due(): boolean }; readonly input: Uint8Array },
): Promise<OvlError | null> {
  const { decoder, timer, input } = piece
  for (let at = 0; ; ) {
    const space = target.current()
    const region = space instanceof Promise ? await space : space
    let result: StepResult
    try {
      const step = decoder.step(input, at, input.length, region, target.filled, region.length)
      result = step instanceof Promise ? await step : step
    } catch (error) {
      return asFailure(error)
    }
    if (result.consumed === 0 && result.produced === 0) return null
    at += result.consumed
    target.advance(result.produced)
    if (timer.due()) await breathe(options) // here, for one piece may become a thousand times as much
  }
}

function finishDecoder(decoder: Decoder): OvlError | null {
  try {
    decoder.end()
    return null
  } catch (error) {
    return asFailure(error)
  }
}

function asFailure(error: unknown): OvlError {
  if (error instanceof OvlError) return error
  throw error
}

async function breathe({ signal, subject }: DecompressOptions): Promise<void> {
  checkSignal(signal, subject)
  await pause()
}

/** Reads until the piece is full or the source ends; returns how many bytes there are. */
async function fill(source: ByteSource, piece: Uint8Array): Promise<number> {
  let at = 0
  while (at < piece.length) {
    const length = await source.read(piece.subarray(at))
    if (length === 0) break
    at += length
  }
  return at
}
