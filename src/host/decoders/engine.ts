// Drives the engine inside a stream of node:zlib directly. The public stream allocates fresh output for every chunk,
// and the page faults of that cost a third of the time (gunzip of a 170 MB layer: 404-471 MB/s by the stream, 615 by
// the engine into reused buffers). The engine's shape is an internal of Node, the same since Node 10 and relied upon
// by others, so it is checked and tried before use; without it the caller falls back.
import { constants } from 'node:zlib'
import type { StepResult } from './decoder.ts'

/** A stream of node:zlib, as far as it is used here. */
export type ZlibStream = { close(): void }

/** The (de)compressor inside a zlib stream, working in its caller's buffers. */
export type Engine = {
  /** Errors: a plain Error with the library's message when the data is corrupt. */
  step(
    input: Uint8Array,
    inStart: number,
    inEnd: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): StepResult
  /** Gets ready for another stream of the same kind. */
  reset(): void
  close(): void
}

type Handle = {
  onerror: (message: string, errno: number, code: string) => void
  writeSync(
    flush: number,
    input: Uint8Array,
    inOffset: number,
    inLength: number,
    output: Uint8Array,
    outOffset: number,
    outLength: number,
  ): void
  reset(): void
}

/** Bytes that were not used, as the handle leaves them in the stream's `_writeState`. */
const availableOut = 0
const availableIn = 1

/**
 * The engine of a stream, or null (the stream is then closed) when this Node's zlib has another shape.
 * `probe` is a compressed stream of one byte: decoding it shows that arguments and results mean what they did.
 */
export function openEngine(
  stream: ZlibStream,
  probe: { readonly bytes: Uint8Array; readonly byte: number },
): Engine | null {
  const internals = internalsOf(stream)
  if (internals === null) {
    stream.close()
    return null
  }
  const engine = drive(stream, internals)
  if (decodes(engine, probe)) return engine
  engine.close()
  return null
}

function internalsOf(stream: ZlibStream): { handle: Handle; state: Uint32Array } | null {
  const { _handle: handle, _writeState: state } = stream as { _handle?: Partial<Handle>; _writeState?: unknown }
  const hasShape =
    typeof handle?.writeSync === 'function' &&
    typeof handle.reset === 'function' &&
    'onerror' in handle &&
    state instanceof Uint32Array &&
    state.length === 2
  return hasShape ? { handle: handle as Handle, state } : null
}

function drive(stream: ZlibStream, { handle, state }: { handle: Handle; state: Uint32Array }): Engine {
  let failure: string | undefined
  let closed = false
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the only way this handle reports
  handle.onerror = message => {
    failure = message
  }
  return {
    step(input, inStart, inEnd, output, outStart, outEnd) {
      const inLength = inEnd - inStart
      const outLength = outEnd - outStart
      handle.writeSync(constants.Z_NO_FLUSH, input, inStart, inLength, output, outStart, outLength)
      if (failure !== undefined) throw new Error(failure)
      return {
        consumed: inLength - (state[availableIn] as number),
        produced: outLength - (state[availableOut] as number),
      }
    },
    reset: () => handle.reset(),
    close() {
      if (!closed) stream.close()
      closed = true
    },
  }
}

/** Decodes the probe between two other bytes, into the middle of a buffer. */
function decodes(engine: Engine, probe: { readonly bytes: Uint8Array; readonly byte: number }): boolean {
  const { length } = probe.bytes
  const input = new Uint8Array(length + 1)
  input.set(probe.bytes, 1)
  const output = new Uint8Array(8)
  try {
    const { consumed, produced } = engine.step(input, 1, length + 1, output, 2, 8)
    if (consumed !== length || produced !== 1 || output[2] !== probe.byte || output[3] !== 0) return false
    engine.reset()
    return true
  } catch {
    return false // another signature, or another meaning: do without
  }
}
