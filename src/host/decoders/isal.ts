// Raw deflate by ISA-L (libisal.so.2), the fastest inflate there is. Two layers of Debian (145 MB gzip, 406 MB tar) with
// their CRC, processor time in one run: zlib's engine 1146 ms (354 MB/s of output), ISA-L 715 (568 MB/s). Its own CRC
// costs next to nothing; zlib's, computed over its output, would make it a sixth slower.
//
// Its state is one flat struct of the caller's: the fields up to `readLength` are where every version has them, the
// others lie behind the Huffman tables, where a version with larger tables would move them. So the offsets, and what
// the fields mean, are tried out on a known stream before the first use; without success zlib does the work.
//
// What zlib reads, ISA-L reads alike, to the byte. It also reads some streams that zlib refuses, those with incomplete
// Huffman codes: no compressor writes them, and their CRC must fit all the same. A stream that is both cut and corrupt
// may be TRUNCATED here and BAD_COMPRESSION there.
import { type Koffi, loadKoffi, openLibrary } from '../koffi.ts'
import { type Inflater, nothingHeld } from './inflate.ts'
import { isTrustworthy } from './inflater-trial.ts'
import { pointerOf } from './pointer.ts'

const libraryNames = ['libisal.so.2', 'libisal.2.dylib']

/** Where ISA-L has code of its own for the processor; both are 64 bits wide, as the offsets want it. */
const processors: readonly string[] = ['x64', 'arm64']

/** struct inflate_state (<isa-l/igzip_lib.h>, 2.30): offsetof() on a 64-bit machine. */
const offset = {
  nextOut: 0,
  availableOut: 8,
  nextIn: 16,
  /** Bits that were read and not used yet, the next one lowest. */
  read: 24,
  availableIn: 32,
  /** How many of them. */
  readLength: 36,
  blockState: 21160,
  crcFlag: 21172,
  crc: 21176,
} as const

/** The struct takes 87368 bytes; what is left is for versions that want more. */
const stateBytes = 256 * 1024

/** blockState when the stream is over and all of its output delivered. */
const ISAL_BLOCK_FINISH = 5
/** crcFlag: the CRC of gzip is computed, header and trailer are left alone. */
const ISAL_GZIP_NO_HDR = 2

const meanings: { readonly [code: number]: string } = {
  [-1]: 'invalid deflate block',
  [-2]: 'invalid symbol in a deflate block',
  [-3]: 'invalid distance too far back',
}

/** The counts are 32 bits wide. */
const regionBytes = 2 ** 30

type Isal = {
  init(state: Uint8Array): void
  reset(state: Uint8Array): void
  /** Negative: the data is corrupt. */
  inflate(state: Uint8Array): number
}

let usable: Isal | null | undefined

/** The inflater over ISA-L, or null where the library is missing or not the one known. */
export function openIsalInflater(): Inflater | null {
  if (!processors.includes(process.arch)) return null
  const koffi = loadKoffi()
  if (koffi === null) return null
  if (usable === undefined) usable = bind(koffi)
  return usable === null ? null : drive(koffi, usable)
}

function bind(koffi: Koffi): Isal | null {
  const library = openLibrary(koffi, libraryNames)
  if (library === null) return null
  try {
    const isal: Isal = {
      init: library.func('void isal_inflate_init(void *state)'),
      reset: library.func('void isal_inflate_reset(void *state)'),
      inflate: library.func('int isal_inflate(void *state)'),
    }
    return isTrustworthy(drive(koffi, isal)) ? isal : null
  } catch {
    return null // a library without these functions: do without
  }
}

function drive(koffi: Koffi, isal: Isal): Inflater {
  // An ArrayBuffer made first is never moved by the collector.
  const state = new Uint8Array(new ArrayBuffer(stateBytes))
  const view = new DataView(state.buffer)
  isal.init(state)
  view.setUint32(offset.crcFlag, ISAL_GZIP_NO_HDR, true)
  let failure: string | undefined
  let held = nothingHeld
  let ended = false
  return {
    backend: 'library',
    get ended() {
      return ended
    },
    get held() {
      return held
    },
    get crc() {
      return view.getUint32(offset.crc, true)
    },
    step(input, inStart, inEnd, output, outStart, outEnd) {
      if (failure !== undefined) throw new Error(failure)
      if (ended) return { consumed: 0, produced: 0 }
      const inLength = Math.min(inEnd - inStart, regionBytes)
      const outLength = Math.min(outEnd - outStart, regionBytes)
      view.setBigUint64(offset.nextIn, pointerOf(koffi, input, inStart), true)
      view.setUint32(offset.availableIn, inLength, true)
      view.setBigUint64(offset.nextOut, pointerOf(koffi, output, outStart), true)
      view.setUint32(offset.availableOut, outLength, true)
      const result = isal.inflate(state)
      if (result < 0) {
        failure = meanings[result] ?? `ISA-L answers ${result}`
        throw new Error(failure)
      }
      ended = view.getUint32(offset.blockState, true) === ISAL_BLOCK_FINISH
      if (ended) held = unusedBytes(view)
      return {
        consumed: inLength - view.getUint32(offset.availableIn, true),
        produced: outLength - view.getUint32(offset.availableOut, true),
      }
    },
    reset() {
      isal.reset(state)
      failure = undefined
      held = nothingHeld
      ended = false
    },
    close() {},
  }
}

/** The whole bytes after the end of the stream that ISA-L has read already: it reads eight at a time. */
function unusedBytes(view: DataView): Uint8Array {
  const bits = view.getInt32(offset.readLength, true)
  const bytes = new DataView(new ArrayBuffer(8))
  // The stream ends within a byte; the rest of that byte is padding.
  bytes.setBigUint64(0, view.getBigUint64(offset.read, true) >> BigInt(bits & 7), true)
  return new Uint8Array(bytes.buffer).subarray(0, bits >> 3)
}
