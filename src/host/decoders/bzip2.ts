// bzip2: the system's libbz2 (36 MB/s of output for a 170 MB layer), else JavaScript (8 MB/s). Layers in bzip2 come
// from the first years of docker save; slow is good enough for them.
import { allocateStruct, loadKoffi, openLibrary } from '../koffi.ts'
import { Bzip2Blocks, type Bzip2Pause, type Bzip2Place } from './bzip2-blocks.ts'
import { type Backend, type Decoder, type DecoderOptions, faultsOf } from './decoder.ts'
import { pointerOf } from './pointer.ts'

/** The bzip2 decoder of this backend, or null where it is missing. Several streams are read as one. */
export function openBzip2Decoder(backend: Backend, options: DecoderOptions): Decoder | null {
  if (backend === 'library') return openLibbz2(options)
  return backend === 'portable' ? openPortable(options) : null
}

/** Debian calls the ABI 1.0, others 1. */
const libraryNames = ['libbz2.so.1.0', 'libbz2.so.1', 'libbz2.1.0.dylib']

// <bzlib.h>
const BZ_OK = 0
const BZ_STREAM_END = 4

const meanings: { readonly [code: number]: string } = {
  [-3]: 'libbz2 has no memory',
  [-4]: 'the bzip2 stream is corrupt',
  [-5]: 'there is no bzip2 stream where one must begin',
}

// bz_stream
const fields = [
  ['nextIn', 'pointer'],
  ['availableIn', 'uint32'],
  ['totalInLow', 'uint32'],
  ['totalInHigh', 'uint32'],
  ['nextOut', 'pointer'],
  ['availableOut', 'uint32'],
  ['totalOutLow', 'uint32'],
  ['totalOutHigh', 'uint32'],
  ['state', 'pointer'],
  ['allocate', 'pointer'],
  ['release', 'pointer'],
  ['opaque', 'pointer'],
] as const

function openLibbz2(options: DecoderOptions): Decoder | null {
  const koffi = loadKoffi()
  const library = openLibrary(koffi, libraryNames)
  if (koffi === null || library === null) return null
  const init: (stream: Uint8Array, verbosity: number, small: number) => number = library.func(
    'int BZ2_bzDecompressInit(void *stream, int verbosity, int small)',
  )
  const decompress: (stream: Uint8Array) => number = library.func('int BZ2_bzDecompress(void *stream)')
  const release: (stream: Uint8Array) => number = library.func('int BZ2_bzDecompressEnd(void *stream)')
  const stream = allocateStruct(koffi, fields)
  const faults = faultsOf('bzip2', options.subject)
  let offset = 0
  let streams = 0
  /** Between two streams nothing is allocated: a stream is begun when its first byte comes. */
  let open = false
  const endStream = (): void => {
    release(stream.memory)
    open = false
  }
  return {
    backend: 'library',
    step(input, inStart, inEnd, output, outStart, outEnd) {
      if (!open && inStart === inEnd) return { consumed: 0, produced: 0 }
      if (!open) open = init(stream.memory, 0, 0) === BZ_OK
      stream.set('nextIn', pointerOf(koffi, input, inStart))
      stream.set('availableIn', inEnd - inStart)
      stream.set('nextOut', pointerOf(koffi, output, outStart))
      stream.set('availableOut', outEnd - outStart)
      const code = decompress(stream.memory)
      const consumed = inEnd - inStart - stream.get('availableIn')
      const produced = outEnd - outStart - stream.get('availableOut')
      offset += consumed
      if (code === BZ_STREAM_END) {
        streams++
        endStream()
      } else if (code !== BZ_OK) throw faults.corrupt(meanings[code] ?? `libbz2 answers ${code}`, offset)
      return { consumed, produced }
    },
    end() {
      if (open || streams === 0) throw faults.truncated(offset)
    },
    close() {
      if (open) endStream()
    },
  }
}

function openPortable(options: DecoderOptions): Decoder {
  const faults = faultsOf('bzip2', options.subject)
  const none = new Uint8Array(0)
  const place: Bzip2Place = { input: none, inAt: 0, inEnd: 0, output: none, outAt: 0, outEnd: 0 }
  const running = new Bzip2Blocks(place).run()
  let offset = 0
  let pause: Bzip2Pause = 'boundary'
  return {
    backend: 'portable',
    step(input, inStart, inEnd, output, outStart, outEnd) {
      Object.assign(place, { input, inAt: inStart, inEnd, output, outAt: outStart, outEnd })
      try {
        pause = running.next().value
      } catch (error) {
        throw faults.corrupt((error as Error).message, offset + place.inAt - inStart, error)
      }
      offset += place.inAt - inStart
      return { consumed: place.inAt - inStart, produced: place.outAt - outStart }
    },
    end() {
      if (pause !== 'boundary' || offset === 0) throw faults.truncated(offset)
    },
    close() {},
  }
}
