// libzstd as WebAssembly, from the package zstddec. Its own streaming loop never tests for errors and runs forever on
// corrupt data, so only its module is used: the exported C functions are called directly.
/* oxlint-disable no-underscore-dangle -- the package marks its internals so */
import type { ZstdCore } from './zstd.ts'

type Exports = {
  readonly memory: { readonly buffer: ArrayBuffer }
  malloc(sizeBytes: number): number
  free(pointer: number): void
  ZSTD_createDCtx(): number
  ZSTD_decompressStream(context: number, output: number, input: number): number
  ZSTD_freeDCtx(context: number): number
}

const functions = ['malloc', 'free', 'ZSTD_createDCtx', 'ZSTD_decompressStream', 'ZSTD_freeDCtx'] as const

let instance: Promise<Exports | null> | undefined

/** The WebAssembly decoder, or null when the package has another shape than the one known. */
export async function loadZstdWasm(): Promise<ZstdCore | null> {
  instance ??= instantiate()
  const wasm = await instance
  return wasm === null ? null : drive(wasm)
}

async function instantiate(): Promise<Exports | null> {
  // Loaded where it is needed: it carries its WebAssembly as text, and few machines come to use it.
  const { ZSTDDecoder } = await import('zstddec/stream')
  /** Where the module's exports go when it is instantiated; the package calls `_init` without its object. */
  let captured: Exports | null = null
  class Capturing extends ZSTDDecoder {
    override _init(...[result]: Parameters<InstanceType<typeof ZSTDDecoder>['_init']>): void {
      captured = (result as unknown as { instance: { exports: Exports } }).instance.exports
      super._init(result) // the module must know itself: its memory calls back when it grows
    }
  }
  await new Capturing().init()
  return hasShape(captured) ? captured : null
}

function hasShape(exports: Exports | null): exports is Exports {
  return exports !== null && 'buffer' in exports.memory && functions.every(name => typeof exports[name] === 'function')
}

/** What is copied at a time, in and out: libzstd's recommended sizes are 128 KiB and a little. */
const bufferBytes = 128 * 1024
const structBytes = 12 // pointer, size, position

function drive(wasm: Exports): ZstdCore {
  const context = wasm.ZSTD_createDCtx()
  const memory = wasm.malloc(2 * bufferBytes + 2 * structBytes)
  const from = memory + 2 * bufferBytes
  const into = from + structBytes
  return {
    step(input, inStart, inEnd, output, outStart, outEnd) {
      const inLength = Math.min(inEnd - inStart, bufferBytes)
      new Uint8Array(wasm.memory.buffer).set(input.subarray(inStart, inStart + inLength), memory)
      setBuffer(wasm, from, memory, inLength)
      setBuffer(wasm, into, memory + bufferBytes, Math.min(outEnd - outStart, bufferBytes))
      const result = wasm.ZSTD_decompressStream(context, into, from)
      if (result >>> 0 > 0xffffffff - 120) throw new Error(errorName(-result))
      // A view is made only now: the call may have grown the memory, which detaches older ones.
      const view = new DataView(wasm.memory.buffer)
      const produced = view.getUint32(into + 8, true)
      output.set(new Uint8Array(wasm.memory.buffer, memory + bufferBytes, produced), outStart)
      return { consumed: view.getUint32(from + 8, true), produced }
    },
    close() {
      wasm.ZSTD_freeDCtx(context)
      wasm.free(memory)
    },
  }
}

function setBuffer(wasm: Exports, struct: number, pointer: number, size: number): void {
  const view = new DataView(wasm.memory.buffer)
  view.setUint32(struct, pointer, true)
  view.setUint32(struct + 4, size, true)
  view.setUint32(struct + 8, 0, true)
}

/** Names for the codes of zstd_errors.h that decoding meets; the module exports no ZSTD_getErrorName. */
function errorName(code: number): string {
  switch (code) {
    case 10:
      return 'Unknown frame descriptor'
    case 14:
      return 'Unsupported frame parameter'
    case 20:
      return 'Data corruption detected'
    case 22:
      return "Restored data doesn't match checksum"
    case 64:
      return 'Allocation error : not enough memory'
    default:
      return `zstd error ${code}`
  }
}
