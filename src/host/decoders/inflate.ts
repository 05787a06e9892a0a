// Raw deflate (RFC 1951): one stream after another, by zlib's engine or, where that cannot be driven, by the public
// stream; isal.ts has the faster one. The gzip frame around it is read by gzip.ts.
import { constants, crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import type { Backend, StepResult } from './decoder.ts'
import { openEngine } from './engine.ts'

/** Decodes one deflate stream after another, in its caller's buffers. */
export interface Inflater {
  readonly backend: Backend
  /** True when the current stream has ended and its output is delivered; input from there on is not consumed. */
  readonly ended: boolean
  /** Bytes after the end of the stream that were consumed with it, at most 8; empty before the end. */
  readonly held: Uint8Array
  /** CRC-32 of the current stream's output so far. */
  readonly crc: number
  /** Errors: a plain Error with zlib's message when the data is corrupt. */
  step(
    input: Uint8Array,
    inStart: number,
    inEnd: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): StepResult | Promise<StepResult>
  /** Gets ready for another stream. */
  reset(): void
  close(): void
}

/** What an inflater holds that consumes nothing after the end. */
export const nothingHeld: Uint8Array = new Uint8Array()

/** A deflate stream of the letter "a". */
const probe = { bytes: Uint8Array.of(0x4b, 0x04, 0x00), byte: 0x61 }

/** The inflater that works in place, or null when this Node's zlib has another shape than the one known. */
export function openEngineInflater(): Inflater | null {
  const engine = openEngine(createInflateRaw({ chunkSize: constants.Z_MIN_CHUNK }), probe)
  if (engine === null) return null
  let ended = false
  let crc = 0
  return {
    backend: 'node',
    held: nothingHeld,
    get ended() {
      return ended
    },
    get crc() {
      return crc
    },
    step(input, inStart, inEnd, output, outStart, outEnd) {
      const result = engine.step(input, inStart, inEnd, output, outStart, outEnd)
      // Input and room for output are both left only when zlib wants neither: the deflate stream is over.
      if (result.consumed < inEnd - inStart && result.produced < outEnd - outStart) ended = true
      crc = checksum(crc, output, outStart, result.produced)
      return result
    },
    reset() {
      engine.reset()
      ended = false
      crc = 0
    },
    close: () => engine.close(),
  }
}

function checksum(crc: number, output: Uint8Array, at: number, length: number): number {
  return length === 0 ? crc : crc32(output.subarray(at, at + length), crc)
}

/** Pieces of input are small so that the output that waits for room stays bounded (deflate expands up to 1032 to 1). */
const pieceBytes = 4096

type Running = {
  readonly stream: InflateRaw
  readonly waiting: Uint8Array[]
  failure: Error | undefined
  ended: boolean
  wake: () => void
}

/** The inflater over Node's public stream: its steps are promises, and it copies what it is given. */
export function openStreamInflater(): Inflater {
  let run = start()
  let crc = 0
  return {
    backend: 'portable',
    held: nothingHeld,
    get ended() {
      return run.ended && run.waiting.length === 0
    },
    get crc() {
      return crc
    },
    async step(input, inStart, inEnd, output, outStart, outEnd) {
      let consumed = 0
      if (run.waiting.length === 0 && !run.ended && inEnd > inStart) {
        consumed = await feed(run, input.slice(inStart, Math.min(inEnd, inStart + pieceBytes)))
      }
      if (run.failure !== undefined) throw run.failure
      const produced = take(run.waiting, output, outStart, outEnd)
      crc = checksum(crc, output, outStart, produced)
      return { consumed, produced }
    },
    reset() {
      run.stream.destroy()
      run = start()
      crc = 0
    },
    close: () => void run.stream.destroy(),
  }
}

function start(): Running {
  const run: Running = { stream: createInflateRaw(), waiting: [], failure: undefined, ended: false, wake: () => {} }
  run.stream.on('data', (chunk: Uint8Array) => run.waiting.push(chunk))
  run.stream.on('error', error => {
    run.failure = error
    run.wake()
  })
  run.stream.on('end', () => {
    run.ended = true
    run.wake()
  })
  return run
}

/** Writes one piece and waits until the stream is done with it; returns how much of it belonged to the deflate stream. */
async function feed(run: Running, piece: Uint8Array): Promise<number> {
  const before = run.stream.bytesWritten
  await new Promise<void>(resolve => {
    run.wake = resolve
    run.stream.write(piece, () => resolve())
  })
  // Output of this write, and "end", may still be on their way to the listeners.
  await new Promise<void>(resolve => setImmediate(resolve))
  return run.stream.bytesWritten - before
}

/** Moves waiting output into the caller's buffer; returns how much. */
function take(waiting: Uint8Array[], output: Uint8Array, outStart: number, outEnd: number): number {
  let at = outStart
  while (at < outEnd) {
    const [chunk] = waiting
    if (chunk === undefined) break
    const part = chunk.subarray(0, outEnd - at)
    output.set(part, at)
    at += part.length
    if (part.length === chunk.length) waiting.shift()
    else waiting[0] = chunk.subarray(part.length)
  }
  return at - outStart
}
