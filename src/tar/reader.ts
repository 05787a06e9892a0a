// A push parser for tar archives: chunks of any size go in, entries and views of their contents come out, nothing is
// copied but the headers that straddle two chunks. What is an archive, where it ends and what its entries are is what
// Go's archive/tar sees, for that is what wrote and reads nearly every image.

import { defaultLimits } from '../errors/index.ts'
import { hasValidChecksum, isZeroBlock } from './checksum.ts'
import { decodeBlock, isHeaderOnly } from './decode-block.ts'
import { ExtendedHeaders, isExtendedHeader } from './extended-headers.ts'
import { type MutableTarHeader, type SparseSegment, type TarHeader, tarType } from './header.ts'
import { blockSize, field, paddingOf } from './layout.ts'
import { parseNumber } from './numbers.ts'
import type { PaxRecords } from './pax-records.ts'
import { applyPaxSparse, checkSegments, readGnuSparseBlock, SparseList } from './sparse.ts'
import { badTar, tarLimit, truncatedTar } from './tar-error.ts'

/** What a reader reports, synchronously and in the order of the archive. An exception ends the reading. */
export type TarHandler = {
  /**
   * An entry begins. Extended headers are not entries; types that the reader does not know are. With 'skip' its
   * contents are passed over: no `data()`, and a sparse map that does not account for them is no error.
   */
  entry(header: TarHeader): 'skip' | void
  /**
   * Bytes [start, end) of `chunk` stand at `fileOffset` of the current entry's expanded file. The view is valid only
   * during the call. Holes of a sparse file are not reported: the handler sets the size to `header.size`.
   */
  data(chunk: Uint8Array, start: number, end: number, fileOffset: number): void
  /** The entry is complete. Called for every entry that began, unless reading failed. */
  end(header: TarHeader): void
  /** A PAX global header: its records, and the header that carried them (never an entry). */
  global?(records: PaxRecords, header: TarHeader): void
}

/** How a `TarReader` treats extended headers. */
export type TarReaderOptions = {
  /** Most bytes of one extended header or sparse map (default: `defaultLimits.paxBytes`). */
  readonly paxBytes?: number
  /**
   * Whether records of PAX global headers are in force for the entries after them, as POSIX says (default), or only
   * reported, as Go's archive/tar does.
   */
  readonly applyGlobalPax?: boolean
}

const state = {
  header: 0,
  contents: 1,
  padding: 2,
  extended: 3, // contents of a PAX header or GNU long name
  gnuSparse: 4, // extension blocks of an old GNU sparse header
  sparseList: 5, // the list in front of PAX 1.0 sparse contents
  ended: 6,
  failed: 7,
} as const

type State = (typeof state)[keyof typeof state]

const noBytes = new Uint8Array()
const noHeader: MutableTarHeader = decodeBlock(new Uint8Array(blockSize), 0, 0)

/**
 * Reads one archive: `push()` its bytes in order, then `finish()`. Bytes after the end of the archive are counted and
 * ignored.
 *
 * Errors, each with `data.offset`: BAD_TAR for a malformed archive, TRUNCATED when it ends inside an entry,
 * LIMIT_EXCEEDED for an extended header beyond `paxBytes`. After an error the reader must not be used.
 */
export class TarReader {
  readonly #handler: TarHandler
  readonly #paxBytes: number
  #state: State = state.header
  #position = 0
  #zeroBlocks = 0
  /** A block that straddles chunks, and how much of it is there. */
  readonly #block: Uint8Array = new Uint8Array(blockSize)
  #blockLength = 0
  /** Bytes of the current contents still to come, and of the padding after them. */
  #remaining = 0
  #padding = 0
  #entry: MutableTarHeader = noHeader
  /** Position in the file, or in the segment when the file is sparse. */
  #fileOffset = 0
  #segment = 0
  #segments: SparseSegment[] = []
  /** Stored bytes that the sparse map of the entry leaves out: an error unless the entry is skipped. */
  #unmapped = 0
  #isSkipped = false
  #sparseList: SparseList = new SparseList()
  #sparseBlocks = 0
  #extended: Uint8Array = noBytes
  readonly #extendedHeaders: ExtendedHeaders

  constructor(handler: TarHandler, options: TarReaderOptions = {}) {
    this.#handler = handler
    this.#paxBytes = options.paxBytes ?? defaultLimits.paxBytes
    this.#extendedHeaders = new ExtendedHeaders({ applyGlobalPax: options.applyGlobalPax ?? true })
  }

  /** Bytes taken so far, those after the end of the archive included. */
  get position(): number {
    return this.#position
  }

  /** True once the two zero blocks that end an archive were seen; archives without them are accepted. */
  get ended(): boolean {
    return this.#state === state.ended
  }

  /** Takes the bytes [start, end) of `chunk`; reports everything that they complete. */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    if (this.#state === state.failed) throw new Error('TarReader.push() after an error')
    try {
      let at = start
      while (at < end) at = this.#step(chunk, at, end)
    } catch (error) {
      this.#state = state.failed
      throw error
    }
  }

  /**
   * Gives up the rest of the current entry's contents: returns how many bytes of the archive, padding included, the
   * caller leaves out before the next `push`. They count as taken. For archives that can be read at any position.
   */
  skipContents(): number {
    const inContents = this.#state === state.contents
    if (!inContents && this.#state !== state.padding) return 0
    const length = (inContents ? this.#remaining : 0) + this.#padding
    this.#position += length
    this.#remaining = 0
    this.#padding = 0
    if (inContents) this.#endEntry()
    else this.#state = state.header
    return length
  }

  /**
   * Says that there are no more bytes. An archive may end without its end mark, and without the padding of its last
   * entry. Errors: TRUNCATED.
   */
  finish(): void {
    switch (this.#state) {
      case state.failed:
        throw new Error('TarReader.finish() after an error')
      case state.ended:
      case state.padding:
        return
      case state.header:
        if (this.#blockLength === 0) return
        throw truncatedTar('a header', this.#position)
      case state.contents:
        throw truncatedTar('the contents of an entry', this.#position)
      case state.extended:
        throw truncatedTar('an extended header', this.#position)
      case state.gnuSparse:
      case state.sparseList:
        throw truncatedTar('a sparse map', this.#position)
    }
  }

  /** Takes as much as one state wants; gives where the rest of the chunk starts. */
  #step(chunk: Uint8Array, at: number, end: number): number {
    switch (this.#state) {
      case state.header:
      case state.gnuSparse:
      case state.sparseList:
        return this.#takeBlock(chunk, at, end)
      case state.contents:
        return this.#takeContents(chunk, at, end)
      case state.padding:
        return this.#takePadding(at, end)
      case state.extended:
        return this.#takeExtended(chunk, at, end)
      case state.ended:
      case state.failed:
        break
    }
    this.#position += end - at
    return end
  }

  #takePadding(at: number, end: number): number {
    const length = Math.min(this.#padding, end - at)
    this.#position += length
    this.#padding -= length
    if (this.#padding === 0) this.#state = state.header
    return at + length
  }

  #takeBlock(chunk: Uint8Array, at: number, end: number): number {
    if (this.#blockLength === 0 && end - at >= blockSize) {
      this.#position += blockSize
      this.#readBlock(chunk, at)
      return at + blockSize
    }
    const length = Math.min(blockSize - this.#blockLength, end - at)
    this.#block.set(chunk.subarray(at, at + length), this.#blockLength)
    this.#blockLength += length
    this.#position += length
    if (this.#blockLength === blockSize) {
      this.#blockLength = 0
      this.#readBlock(this.#block, 0)
    }
    return at + length
  }

  #readBlock(block: Uint8Array, start: number): void {
    if (this.#state === state.header) this.#readHeader(block, start)
    else if (this.#state === state.gnuSparse) this.#readGnuSparse(block, start, true)
    else this.#readSparseList(block, start)
  }

  #readHeader(block: Uint8Array, start: number): void {
    const offset = this.#position - blockSize
    if (block[start] === 0 && isZeroBlock(block, start)) {
      this.#zeroBlocks++
      if (this.#zeroBlocks === 2) this.#state = state.ended
      return
    }
    if (this.#zeroBlocks > 0) throw badTar('a single zero block inside the archive', offset)
    if (!hasValidChecksum(block, start)) throw badTar('header with a wrong checksum', offset)
    const header = decodeBlock(block, start, offset)
    if (isExtendedHeader(header.type)) this.#beginExtended(header, offset)
    else this.#beginEntry(header, block, start)
  }

  #beginExtended(header: MutableTarHeader, offset: number): void {
    if (header.size < 0) throw badTar('extended header of negative size', offset)
    if (header.size > this.#paxBytes) {
      throw tarLimit(`extended header of ${header.size} bytes`, offset, this.#paxBytes)
    }
    this.#entry = header
    this.#extended = new Uint8Array(header.size)
    this.#remaining = header.size
    this.#padding = paddingOf(header.size)
    this.#state = state.extended
    if (header.size === 0) this.#endExtended()
  }

  #takeExtended(chunk: Uint8Array, at: number, end: number): number {
    const length = Math.min(this.#remaining, end - at)
    this.#extended.set(chunk.subarray(at, at + length), this.#extended.length - this.#remaining)
    this.#position += length
    this.#remaining -= length
    if (this.#remaining === 0) this.#endExtended()
    return at + length
  }

  #endExtended(): void {
    const contents = this.#extended
    this.#extended = noBytes
    this.#state = this.#padding > 0 ? state.padding : state.header
    const globalRecords = this.#extendedHeaders.take(this.#entry, contents)
    if (globalRecords !== null) this.#handler.global?.(globalRecords, this.#entry)
  }

  #beginEntry(header: MutableTarHeader, block: Uint8Array, start: number): void {
    const offset = this.#position - blockSize
    if (header.size < 0 && !isHeaderOnly(header.type)) throw badTar('entry of negative size', offset)
    this.#extendedHeaders.applyTo(header, offset)
    this.#entry = header
    this.#setStored(isHeaderOnly(header.type) ? 0 : header.size, offset)
    if (header.type === tarType.gnuSparse) this.#beginGnuSparse(block, start)
    else if (header.pax === null) this.#announce()
    else this.#beginPaxEntry(header, offset)
  }

  #setStored(sizeBytes: number, offset: number): void {
    if (sizeBytes < 0) throw badTar('entry of negative size', offset)
    if (sizeBytes > Number.MAX_SAFE_INTEGER) throw badTar('entry of an impossible size', offset)
    this.#remaining = sizeBytes
    this.#padding = paddingOf(sizeBytes)
  }

  #beginPaxEntry(header: MutableTarHeader, offset: number): void {
    const sparse = applyPaxSparse(header, header.pax ?? new Map(), offset)
    if (sparse.kind === 'none') return this.#announce()
    if (isHeaderOnly(header.type)) throw badTar('sparse map on an entry without contents', offset)
    if (sparse.kind === 'inRecords') return this.#announceSparse(sparse.segments)
    this.#sparseList = new SparseList()
    this.#sparseBlocks = 0
    this.#state = state.sparseList
    if (this.#remaining < blockSize) throw badTar('sparse file without its map', offset)
  }

  #readSparseList(block: Uint8Array, start: number): void {
    const offset = this.#position - blockSize
    this.#remaining -= blockSize
    this.#sparseBlocks++
    if (this.#sparseBlocks * blockSize > this.#paxBytes) throw tarLimit('sparse map too long', offset, this.#paxBytes)
    const isComplete = this.#sparseList.take(block, start, start + blockSize, offset)
    if (isComplete) this.#announceSparse(this.#sparseList.segments)
    else if (this.#remaining < blockSize) throw badTar('sparse file without the end of its map', offset)
  }

  #beginGnuSparse(block: Uint8Array, start: number): void {
    const header = this.#entry
    const offset = this.#position - blockSize
    if (header.format !== 'gnu') throw badTar('old GNU sparse entry outside the GNU format', offset)
    header.size = parseNumber(block, start + field.gnuRealSize.start, field.gnuRealSize.length)
    if (Number.isNaN(header.size)) throw badTar('malformed size of a sparse file', offset)
    this.#segments = []
    this.#readGnuSparse(block, start, false)
  }

  #readGnuSparse(block: Uint8Array, start: number, isExtension: boolean): void {
    const offset = this.#position - blockSize
    const hasMore = readGnuSparseBlock(block, start, { segments: this.#segments, isExtension, offset })
    if (this.#segments.length > this.#paxBytes) throw tarLimit('sparse map too long', offset, this.#paxBytes)
    if (hasMore) this.#state = state.gnuSparse
    else this.#announceSparse(this.#segments)
  }

  #announceSparse(segments: readonly SparseSegment[]): void {
    const header = this.#entry
    const stored = this.#remaining
    const mapped = checkSegments(segments, { size: header.size, stored, offset: header.offset - blockSize })
    header.sparse = segments
    this.#unmapped = stored - mapped
    this.#announce()
  }

  #announce(): void {
    const header = this.#entry
    header.offset = this.#position
    header.storedSize = this.#remaining - this.#unmapped
    this.#fileOffset = 0
    this.#segment = 0
    this.#state = state.contents
    this.#isSkipped = this.#handler.entry(header) === 'skip'
    if (this.#unmapped > 0) this.#checkUnmapped()
    if (this.#remaining === 0) this.#endEntry()
    else if (header.sparse !== null) this.#skipEmptySegments(header.sparse)
  }

  #checkUnmapped(): void {
    this.#unmapped = 0
    if (!this.#isSkipped) throw badTar('sparse file with data outside its map', this.#position)
  }

  #takeContents(chunk: Uint8Array, at: number, end: number): number {
    const length = Math.min(this.#remaining, end - at)
    const sparse = this.#entry.sparse
    if (sparse !== null && !this.#isSkipped) return this.#takeSegment(sparse, chunk, at, at + length)
    const fileOffset = this.#fileOffset
    this.#position += length
    this.#remaining -= length
    this.#fileOffset += length
    if (!this.#isSkipped) this.#handler.data(chunk, at, at + length, fileOffset)
    if (this.#remaining === 0) this.#endEntry()
    return at + length
  }

  #takeSegment(sparse: readonly SparseSegment[], chunk: Uint8Array, at: number, end: number): number {
    const segment = sparse[this.#segment] as SparseSegment // while bytes remain there is a segment: checkSegments
    const length = Math.min(segment.length - this.#fileOffset, end - at)
    const fileOffset = segment.offset + this.#fileOffset
    this.#position += length
    this.#remaining -= length
    this.#fileOffset += length
    this.#handler.data(chunk, at, at + length, fileOffset)
    if (this.#remaining === 0) this.#endEntry()
    else if (this.#fileOffset === segment.length) {
      this.#segment++
      this.#fileOffset = 0
      this.#skipEmptySegments(sparse)
    }
    return at + length
  }

  #skipEmptySegments(sparse: readonly SparseSegment[]): void {
    while (sparse[this.#segment]?.length === 0) this.#segment++
  }

  #endEntry(): void {
    this.#state = this.#padding > 0 ? state.padding : state.header
    this.#handler.end(this.#entry)
  }
}
