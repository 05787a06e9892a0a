// xz as WebAssembly (xz-embedded), from the package xz-decompress. Its public face is a ReadableStream that decodes
// one stream at a time for the whole thread, so that two layers read in turns would wait for each other for ever:
// only its module is used, and the exported C functions are called directly.
/* oxlint-disable no-underscore-dangle -- the package marks its internals so */
import { createRequire } from 'node:module'
import { type Decoder, type DecoderOptions, type Faults, faultsOf, type StepResult } from './decoder.ts'

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  create_context(): number
  destroy_context(context: number): void
  supply_input(context: number, sizeBytes: number): void
  get_next_output(context: number): number
}

type StreamClass = { _getModuleInstance?: () => Promise<void>; _moduleInstance?: { readonly exports: Exports } }

// enum xz_ret of xz-embedded
const XZ_OK = 0
const XZ_STREAM_END = 1
const XZ_MEMLIMIT_ERROR = 4
const XZ_BUF_ERROR = 8

const XZ_UNSUPPORTED_CHECK = 2
const XZ_OPTIONS_ERROR = 6

const meanings: { readonly [code: number]: string } = {
  3: 'the WebAssembly decoder has no memory',
  5: 'there is no xz stream where one must begin',
  7: 'the xz stream is corrupt',
}

/** The WebAssembly decoder, or null when the package has another shape than the one known. */
export async function openXzWasm(options: DecoderOptions): Promise<Decoder | null> {
  const { XzReadableStream: stream } = createRequire(import.meta.url)('xz-decompress') as {
    XzReadableStream: StreamClass
  }
  if (typeof stream?._getModuleInstance !== 'function') return null
  // A fresh instance each time: contexts of one instance share a small fixed memory.
  await stream._getModuleInstance()
  const exports = stream._moduleInstance?.exports
  return exports !== undefined && hasShape(exports) ? new XzWasmDecoder(exports, faultsOf('xz', options.subject)) : null
}

const functions = ['create_context', 'destroy_context', 'supply_input', 'get_next_output'] as const

function hasShape(exports: Exports): boolean {
  return 'buffer' in exports.memory && functions.every(name => typeof exports[name] === 'function')
}

/** The 32-bit words at the start of a context: its buffer size, then xz-embedded's struct xz_buf. */
const word = { bufferBytes: 0, in: 1, inPosition: 2, inSize: 3, out: 4, outPosition: 5 } as const

class XzWasmDecoder implements Decoder {
  readonly backend = 'portable'
  readonly #wasm: Exports
  readonly #faults: Faults
  readonly #context: number
  #offset = 0
  /** Bytes of the context's output buffer that the caller has already. */
  #taken = 0
  #closed = false

  constructor(wasm: Exports, faults: Faults) {
    this.#wasm = wasm
    this.#faults = faults
    this.#context = wasm.create_context()
  }

  step(...[input, inStart, inEnd, output, outStart, outEnd]: Parameters<Decoder['step']>): StepResult {
    const produced = this.#take(output, outStart, outEnd)
    if (produced > 0) return { consumed: 0, produced }
    const hungry = this.#get(word.inPosition) === this.#get(word.inSize)
    const consumed = hungry ? this.#supply(input, inStart, inEnd) : 0
    // Nothing may be asked for without input: a context without any takes that for the end of the file.
    if (hungry && consumed === 0) return { consumed, produced }
    this.#decode()
    return { consumed, produced: this.#take(output, outStart, outEnd) }
  }

  end(): void {
    this.#wasm.supply_input(this.#context, 0)
    // The first call without progress answers OK, the second one that there is nothing to do.
    if (!this.#decode() && !this.#decode()) throw this.#faults.truncated(this.#offset)
  }

  close(): void {
    if (!this.#closed) this.#wasm.destroy_context(this.#context)
    this.#closed = true
  }

  #supply(input: Uint8Array, inStart: number, inEnd: number): number {
    const length = Math.min(inEnd - inStart, this.#get(word.bufferBytes))
    if (length === 0) return 0
    new Uint8Array(this.#wasm.memory.buffer).set(input.subarray(inStart, inStart + length), this.#get(word.in))
    this.#wasm.supply_input(this.#context, length)
    this.#offset += length
    return length
  }

  /** Fills the context's output buffer; true when the last stream has ended. */
  #decode(): boolean {
    const code = this.#wasm.get_next_output(this.#context)
    if (code === XZ_STREAM_END) return true
    if (code === XZ_OK || code === XZ_BUF_ERROR) return false
    if (code === XZ_MEMLIMIT_ERROR) throw this.#faults.windowTooLarge(null, this.#offset)
    if (code === XZ_OPTIONS_ERROR || code === XZ_UNSUPPORTED_CHECK) {
      throw this.#faults.unsupported(
        'its xz stream has filters or a check that needs liblzma',
        'install liblzma (xz-utils)',
      )
    }
    throw this.#faults.corrupt(meanings[code] ?? `the WebAssembly decoder answers ${code}`, this.#offset)
  }

  /** Moves decoded bytes to the caller; returns how many. */
  #take(output: Uint8Array, outStart: number, outEnd: number): number {
    const length = Math.min(this.#get(word.outPosition) - this.#taken, outEnd - outStart)
    if (length > 0) {
      output.set(new Uint8Array(this.#wasm.memory.buffer, this.#get(word.out) + this.#taken, length), outStart)
      this.#taken += length
    }
    if (this.#taken === this.#get(word.outPosition)) {
      this.#taken = 0
      this.#set(word.outPosition, 0)
    }
    return length
  }

  #get(index: number): number {
    return new DataView(this.#wasm.memory.buffer).getUint32(this.#context + 4 * index, true)
  }

  #set(index: number, value: number): void {
    new DataView(this.#wasm.memory.buffer).setUint32(this.#context + 4 * index, value, true)
  }
}
