// The map of a sparse file as PAX format 1.0 has it (GNU tar manual, "Storing Sparse Files"): decimal numbers, one a
// line, first the count of pairs; padded to whole blocks, in front of the data. The name that readers without this
// format see says what they have got.
import { encodeName } from '../path/index.ts'
import type { SparseSegment } from './header.ts'
import { blockSize, paddingOf } from './layout.ts'

/**
 * The map, padded. A hole at the end gets a pair of length 0 behind it, by which GNU tar knows the size.
 *
 * Segments ascend, and all but the last are whole blocks at multiples of a block: GNU tar begins a block for each,
 * everyone else expects them one right behind the other.
 */
export function encodeSparseMap(segments: readonly SparseSegment[], sizeBytes: number): Uint8Array {
  const last = segments.at(-1)
  const hasTail = last === undefined || last.offset + last.length < sizeBytes
  const pairs = hasTail ? [...segments, { offset: sizeBytes, length: 0 }] : segments
  const text = encodeName(`${pairs.length}\n${pairs.map(({ offset, length }) => `${offset}\n${length}\n`).join('')}`)
  const map = new Uint8Array(text.length + paddingOf(text.length))
  map.set(text)
  return map
}

/** True for segments that `encodeSparseMap` takes. */
export function areSegments(segments: readonly SparseSegment[], sizeBytes: number): boolean {
  let end = 0
  return segments.every(({ offset, length }) => {
    const isPlaced = offset >= end && end % blockSize === 0 && offset % blockSize === 0 && length > 0
    end = offset + length
    return isPlaced && end <= sizeBytes
  })
}

/** Bytes of data. */
export function storedBytesOf(segments: readonly SparseSegment[]): number {
  return segments.reduce((sum, { length }) => sum + length, 0)
}

/** What stands in the header block, as GNU tar names it: the name itself is in a record. */
export function sparseName(name: string): string {
  const cut = name.lastIndexOf('/') + 1
  return `${name.slice(0, cut)}GNUSparseFile.0/${name.slice(cut)}`
}
