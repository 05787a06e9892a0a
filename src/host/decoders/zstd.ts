// zstd (RFC 8878): the engine inside Node's zlib where it has one (22.15 and later), else the system's libzstd
// (1350 MB/s of a 170 MB layer, where zstd(1) takes 1060), else WebAssembly (367 MB/s).
import * as zlib from 'node:zlib'
import { allocateStruct, type Koffi, loadKoffi, openLibrary } from '../koffi.ts'
import { type Backend, type Decoder, type DecoderOptions, faultsOf, type StepResult } from './decoder.ts'
import { openEngine, type ZlibStream } from './engine.ts'
import { pointerOf } from './pointer.ts'
import { ZstdFrames } from './zstd-frames.ts'
import { loadZstdWasm } from './zstd-wasm.ts'

/** Decodes what it is given; frames, truncation and windows are watched outside. */
export type ZstdCore = {
  /** Errors: a plain Error with the library's message. */
  step(
    input: Uint8Array,
    inStart: number,
    inEnd: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): StepResult
  close(): void
}

/** The zstd decoder of this backend, or null where it is missing. */
export async function openZstdDecoder(backend: Backend, options: DecoderOptions): Promise<Decoder | null> {
  const core = backend === 'node' ? openNodeZstd() : backend === 'library' ? openLibzstd() : await loadZstdWasm()
  return core === null ? null : guard(core, backend, options)
}

function guard(core: ZstdCore, backend: Backend, options: DecoderOptions): Decoder {
  const faults = faultsOf('zstd', options.subject)
  const frames = new ZstdFrames(faults)
  let offset = 0
  /** Bytes at the start of the next input that `frames` has seen already. */
  let seen = 0
  /** The last step produced something, so more may be waiting. */
  let pending = false
  let closed = false
  return {
    backend,
    step(input, inStart, inEnd, output, outStart, outEnd) {
      // libzstd takes a row of steps without progress for a caller's bug and fails.
      if (inStart === inEnd && !pending) return { consumed: 0, produced: 0 }
      if (inEnd - inStart > seen) {
        frames.push(input, inStart + seen, inEnd)
        seen = inEnd - inStart
      }
      try {
        const result = core.step(input, inStart, inEnd, output, outStart, outEnd)
        offset += result.consumed
        seen -= result.consumed
        pending = result.produced > 0
        return result
      } catch (error) {
        throw faults.corrupt((error as Error).message, offset, error)
      }
    },
    end() {
      if (!frames.complete) throw faults.truncated(offset)
    },
    close() {
      if (!closed) core.close()
      closed = true
    },
  }
}

/** A zstd frame of the letter "a": magic, single segment of 1 byte, one raw block. */
const probe = {
  bytes: Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x01, 0x09, 0x00, 0x00, 0x61),
  byte: 0x61,
}

function openNodeZstd(): ZstdCore | null {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: () => ZlibStream }
  return createZstdDecompress === undefined ? null : openEngine(createZstdDecompress(), probe)
}

const libraryNames = ['libzstd.so.1', 'libzstd.1.dylib']

type Libzstd = {
  createDCtx(): number | bigint
  decompressStream(context: number | bigint, output: Uint8Array, input: Uint8Array): number | bigint
  isError(result: number | bigint): number
  getErrorName(result: number | bigint): string
  freeDCtx(context: number | bigint): void
}

let bound: Libzstd | null | undefined

function openLibzstd(): ZstdCore | null {
  const koffi = loadKoffi()
  bound ??= bind(koffi)
  if (koffi === null || bound === null) return null
  return driveLibzstd(koffi, bound)
}

function bind(koffi: Koffi | null): Libzstd | null {
  const library = openLibrary(koffi, libraryNames)
  if (library === null) return null
  return {
    createDCtx: library.func('uintptr_t ZSTD_createDCtx()'),
    decompressStream: library.func('size_t ZSTD_decompressStream(uintptr_t context, void *output, void *input)'),
    isError: library.func('unsigned int ZSTD_isError(size_t result)'),
    getErrorName: library.func('const char *ZSTD_getErrorName(size_t result)'),
    freeDCtx: library.func('size_t ZSTD_freeDCtx(uintptr_t context)'),
  }
}

function driveLibzstd(koffi: Koffi, zstd: Libzstd): ZstdCore {
  const context = zstd.createDCtx()
  // ZSTD_inBuffer and ZSTD_outBuffer have the same layout: pointer, size, position.
  const fields = [
    ['buffer', 'pointer'],
    ['size', 'size'],
    ['position', 'size'],
  ] as const
  const from = allocateStruct(koffi, fields)
  const into = allocateStruct(koffi, fields)
  return {
    step(input, inStart, inEnd, output, outStart, outEnd) {
      from.set('buffer', pointerOf(koffi, input, inStart))
      from.set('size', inEnd - inStart)
      from.set('position', 0)
      into.set('buffer', pointerOf(koffi, output, outStart))
      into.set('size', outEnd - outStart)
      into.set('position', 0)
      const result = zstd.decompressStream(context, into.memory, from.memory)
      if (zstd.isError(result) !== 0) throw new Error(zstd.getErrorName(result))
      return { consumed: from.get('position'), produced: into.get('position') }
    },
    close: () => zstd.freeDCtx(context),
  }
}
