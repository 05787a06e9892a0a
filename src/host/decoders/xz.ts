// xz: the system's liblzma (96 MB/s of output for a 170 MB layer), else WebAssembly (61 MB/s).
import { allocateStruct, loadKoffi, type NativeLibrary, openLibrary } from '../koffi.ts'
import { type Backend, type Decoder, type DecoderOptions, type Faults, faultsOf, windowLimitBytes } from './decoder.ts'
import { pointerOf } from './pointer.ts'
import { openXzWasm } from './xz-wasm.ts'

/** The xz decoder of this backend, or null where it is missing. Several streams and stream padding are accepted. */
export async function openXzDecoder(backend: Backend, options: DecoderOptions): Promise<Decoder | null> {
  if (backend === 'library') return openLiblzma(options)
  return backend === 'portable' ? await openXzWasm(options) : null
}

const libraryNames = ['liblzma.so.5', 'liblzma.5.dylib']

// <lzma/base.h>
const LZMA_OK = 0
const LZMA_STREAM_END = 1
const LZMA_MEMLIMIT_ERROR = 6
const LZMA_BUF_ERROR = 10
const LZMA_RUN = 0
const LZMA_FINISH = 3
const LZMA_CONCATENATED = 0x08

const meanings: { readonly [code: number]: string } = {
  5: 'liblzma has no memory',
  7: 'there is no xz stream where one must begin',
  8: 'the xz stream has features that liblzma does not know',
  9: 'the xz stream is corrupt',
}

// lzma_stream; what follows `reserved` may not be touched by callers, only be zero.
const fields = [
  ['nextIn', 'pointer'],
  ['availableIn', 'size'],
  ['totalIn', 'uint64'],
  ['nextOut', 'pointer'],
  ['availableOut', 'size'],
  ['totalOut', 'uint64'],
  ['allocator', 'pointer'],
  ['internal', 'pointer'],
  ['reserved1', 'pointer'],
  ['reserved2', 'pointer'],
  ['reserved3', 'pointer'],
  ['reserved4', 'pointer'],
  ['seekPosition', 'uint64'],
  ['reserved5', 'uint64'],
  ['reserved6', 'size'],
  ['reserved7', 'size'],
  ['reserved8', 'uint32'],
  ['reserved9', 'uint32'],
] as const

/** The dictionary is the memory that counts; the rest of a decoder takes some 100 KiB. */
const memoryLimitBytes = windowLimitBytes + 1024 * 1024

type Liblzma = {
  streamDecoder(stream: Uint8Array, memoryLimitBytes: number, flags: number): number
  code(stream: Uint8Array, action: number): number
  memoryUsage(stream: Uint8Array): number
  end(stream: Uint8Array): void
}

function openLiblzma(options: DecoderOptions): Decoder | null {
  const koffi = loadKoffi()
  const library = openLibrary(koffi, libraryNames)
  if (koffi === null || library === null) return null
  const lzma = bind(library)
  const stream = allocateStruct(koffi, fields)
  if (lzma.streamDecoder(stream.memory, memoryLimitBytes, LZMA_CONCATENATED) !== LZMA_OK) return null
  const faults = faultsOf('xz', options.subject)
  let closed = false
  const run = (action: number): void => {
    const code = lzma.code(stream.memory, action)
    // BUF_ERROR only says that there was nothing to do.
    if (code === LZMA_OK || code === LZMA_STREAM_END || code === LZMA_BUF_ERROR) return
    throw fault(faults, code, stream.get('totalIn'), () => lzma.memoryUsage(stream.memory))
  }
  return {
    backend: 'library',
    step(input, inStart, inEnd, output, outStart, outEnd) {
      stream.set('nextIn', pointerOf(koffi, input, inStart))
      stream.set('availableIn', inEnd - inStart)
      stream.set('nextOut', pointerOf(koffi, output, outStart))
      stream.set('availableOut', outEnd - outStart)
      run(LZMA_RUN)
      return {
        consumed: inEnd - inStart - stream.get('availableIn'),
        produced: outEnd - outStart - stream.get('availableOut'),
      }
    },
    end() {
      stream.set('availableIn', 0)
      stream.set('availableOut', 0)
      if (lzma.code(stream.memory, LZMA_FINISH) !== LZMA_STREAM_END) throw faults.truncated(stream.get('totalIn'))
    },
    close() {
      if (!closed) lzma.end(stream.memory)
      closed = true
    },
  }
}

function bind(library: NativeLibrary): Liblzma {
  return {
    streamDecoder: library.func('int lzma_stream_decoder(void *stream, uint64_t memlimit, uint32_t flags)'),
    code: library.func('int lzma_code(void *stream, int action)'),
    memoryUsage: library.func('uint64_t lzma_memusage(void *stream)'),
    end: library.func('void lzma_end(void *stream)'),
  }
}

function fault(faults: Faults, code: number, offset: number, neededBytes: () => number): Error {
  if (code === LZMA_MEMLIMIT_ERROR) return faults.windowTooLarge(neededBytes(), offset)
  return faults.corrupt(meanings[code] ?? `liblzma answers ${code}`, offset)
}
