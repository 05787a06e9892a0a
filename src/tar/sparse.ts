// Sparse files: which bytes of the expanded file the archive stores. Four notations exist (GNU tar manual, "Storing
// Sparse Files"): the old GNU map in header and extension blocks, and in PAX headers 0.0 and 0.1 (a list in the
// records) and 1.0 (a list in front of the contents). Accepted and refused as in Go's archive/tar.

import { decodeName } from '../path/index.ts'
import type { MutableTarHeader, SparseSegment } from './header.ts'
import { gnuSparse } from './layout.ts'
import { parseDecimal, parseNumber } from './numbers.ts'
import { type PaxRecords, paxNumber } from './pax-records.ts'
import { badTar } from './tar-error.ts'

/** How the PAX records of an entry describe its holes. */
export type PaxSparse =
  | { readonly kind: 'none' }
  | { readonly kind: 'inRecords'; readonly segments: readonly SparseSegment[] } // 0.0 and 0.1
  | { readonly kind: 'inContents' } // 1.0

/** Appends the pairs of an old GNU header or extension block; true when another extension block follows. */
export function readGnuSparseBlock(
  block: Uint8Array,
  start: number,
  into: { readonly segments: SparseSegment[]; readonly isExtension: boolean; readonly offset: number },
): boolean {
  const pairs = into.isExtension ? gnuSparse.extensionPairs : gnuSparse.headerPairs
  const first = start + (into.isExtension ? 0 : gnuSparse.headerStart)
  for (let i = 0; i < pairs; i++) {
    const at = first + i * gnuSparse.pairLength
    if (block[at] === 0) break // GNU and BSD tar end the list here too
    const offset = parseNumber(block, at, gnuSparse.numberLength)
    const length = parseNumber(block, at + gnuSparse.numberLength, gnuSparse.numberLength)
    if (Number.isNaN(offset + length)) throw badTar('malformed number in a sparse map', into.offset)
    into.segments.push({ offset, length })
  }
  return (block[start + (into.isExtension ? gnuSparse.extensionMoreFlag : gnuSparse.headerMoreFlag)] as number) > 0
}

/**
 * Reads GNU.sparse.* records and puts the real name and size of the file into its header.
 *
 * Errors: BAD_TAR for a malformed map.
 */
export function applyPaxSparse(header: MutableTarHeader, records: PaxRecords, offset: number): PaxSparse {
  const version = sparseVersion(records)
  if (version === null) return { kind: 'none' }
  const name = records.get('GNU.sparse.name')
  if (name !== undefined && name.length > 0) header.name = decodeName(name)
  const size = nonEmpty(records.get('GNU.sparse.size')) ?? nonEmpty(records.get('GNU.sparse.realsize'))
  if (size !== undefined) header.size = paxNumber(size, 'GNU.sparse.size', offset)
  if (version === '1.0') return { kind: 'inContents' }
  return { kind: 'inRecords', segments: parseRecordMap(records, offset) }
}

/**
 * Checks that segments ascend without overlap inside a file of `size` bytes and that all their data is stored. Gives
 * how many bytes that is.
 *
 * Errors: BAD_TAR.
 */
export function checkSegments(
  segments: readonly SparseSegment[],
  extent: { readonly size: number; readonly stored: number; readonly offset: number },
): number {
  let end = 0
  let data = 0
  for (const segment of segments) {
    if (segment.length < 0 || segment.offset < end || segment.offset + segment.length > extent.size) {
      throw badTar('sparse map that does not fit its file', extent.offset)
    }
    end = segment.offset + segment.length
    data += segment.length
  }
  if (!(extent.size >= 0)) throw badTar('sparse file of negative size', extent.offset)
  if (data > extent.stored) throw badTar('sparse map of more data than is stored', extent.offset)
  return data
}

/**
 * The list in front of the contents (format 1.0): decimal numbers, one a line, first the count of pairs; padded to
 * whole blocks. Fed block by block, so that no text is built or searched twice.
 */
export class SparseList {
  readonly segments: SparseSegment[] = []
  #pairs = -1
  #offset = -1
  #line: number[] = []

  /** Takes one block; true when it completed the list. Errors: BAD_TAR, with `offset` of the block. */
  take(block: Uint8Array, start: number, end: number, offset: number): boolean {
    for (let at = start; at < end; at++) {
      const byte = block[at] as number
      if (byte !== 0x0a) this.#line.push(byte)
      else if (this.#takeNumber(this.#endLine(offset), offset)) return true
    }
    return false
  }

  #endLine(offset: number): number {
    const number = parseDecimal(Uint8Array.from(this.#line))
    this.#line = []
    if (Number.isNaN(number)) throw badTar('malformed number in a sparse map', offset)
    return number
  }

  #takeNumber(number: number, offset: number): boolean {
    if (this.#pairs < 0) {
      if (number < 0) throw badTar('malformed number in a sparse map', offset)
      this.#pairs = number
    } else if (this.#offset < 0) {
      if (number < 0) throw badTar('malformed number in a sparse map', offset)
      this.#offset = number
    } else {
      this.segments.push({ offset: this.#offset, length: number })
      this.#offset = -1
    }
    return this.segments.length === this.#pairs
  }
}

function sparseVersion(records: PaxRecords): '0.x' | '1.0' | null {
  const major = ascii(records.get('GNU.sparse.major'))
  const minor = ascii(records.get('GNU.sparse.minor'))
  if (major === '0' && (minor === '0' || minor === '1')) return '0.x'
  if (major === '1' && minor === '0') return '1.0'
  if (major !== '' || minor !== '') return null // a version nobody knows: an ordinary file
  return nonEmpty(records.get('GNU.sparse.map')) === undefined ? null : '0.x' // 0.0 has no version records
}

function parseRecordMap(records: PaxRecords, offset: number): SparseSegment[] {
  const numbers = parseNumberList(records.get('GNU.sparse.map'))
  const pairs = parseDecimal(records.get('GNU.sparse.numblocks') ?? new Uint8Array())
  if (numbers.length !== 2 * pairs || numbers.some(Number.isNaN)) throw badTar('malformed PAX sparse map', offset)
  const segments: SparseSegment[] = []
  for (let i = 0; i < numbers.length; i += 2) {
    segments.push({ offset: numbers[i] as number, length: numbers[i + 1] as number })
  }
  return segments
}

/** Decimal numbers between commas; NaN for each malformed one. */
function parseNumberList(list: Uint8Array | undefined): number[] {
  const numbers: number[] = []
  if (list === undefined || list.length === 0) return numbers
  for (let start = 0; start <= list.length; ) {
    const comma = list.indexOf(0x2c, start)
    const end = comma < 0 ? list.length : comma
    numbers.push(parseDecimal(list, start, end))
    start = end + 1
  }
  return numbers
}

function nonEmpty(value: Uint8Array | undefined): Uint8Array | undefined {
  return value === undefined || value.length === 0 ? undefined : value
}

function ascii(value: Uint8Array | undefined): string {
  return value === undefined ? '' : decodeName(value)
}
