// Reading a file where it lies in the uncompressed layer; holes of sparse entries are zeros and are told apart.

import { FsError } from '../../errors/index.ts'
import type { InodeFile } from '../../fs/index.ts'
import type { ContentPlace } from './inode.ts'

/** The uncompressed bytes of a layer, at any position. */
export type LayerContent = {
  /** Reads up to `target.length` bytes at `position`; returns how many, 0 only at the end. */
  read(target: Uint8Array, position: number): number
}

type Segment = { readonly offset: number; readonly length: number; readonly stored: number }

/** Opens the content at a place. */
export function openLayerFile({ offset, sizeBytes, sparse }: ContentPlace, content: LayerContent): InodeFile {
  const segments = layOut(offset, sizeBytes, sparse)
  return {
    read(target, position) {
      const length = Math.max(0, Math.min(target.length, sizeBytes - position))
      const wanted = target.subarray(0, length)
      if (sparse !== null) wanted.fill(0)
      for (const segment of segments) readSegment(segment, { wanted, position, content })
      return length
    },
    seekData(position) {
      if (position >= sizeBytes) throw new FsError('ENXIO', 'lseek')
      const next = segments.find(segment => segment.offset + segment.length > position)
      if (next === undefined) throw new FsError('ENXIO', 'lseek')
      return Math.max(position, next.offset)
    },
    seekHole(position) {
      if (position >= sizeBytes) throw new FsError('ENXIO', 'lseek')
      let at = position
      for (const segment of segments)
        if (segment.offset <= at && segment.offset + segment.length > at) at = segment.offset + segment.length
      return Math.min(at, sizeBytes)
    },
    write: readOnly,
    allocate: readOnly,
    sync() {},
    close() {},
  }
}

function readOnly(): never {
  throw new FsError('EROFS', 'write')
}

function layOut(start: number, sizeBytes: number, sparse: ContentPlace['sparse']): readonly Segment[] {
  if (sparse === null) return sizeBytes === 0 ? [] : [{ offset: 0, length: sizeBytes, stored: start }]
  let stored = start
  const segments: Segment[] = []
  for (const { offset, length } of sparse) {
    if (length > 0) segments.push({ offset, length, stored })
    stored += length
  }
  return segments
}

type Request = { readonly wanted: Uint8Array; readonly position: number; readonly content: LayerContent }

function readSegment({ offset, length, stored }: Segment, { wanted, position, content }: Request): void {
  const from = Math.max(offset, position)
  const to = Math.min(offset + length, position + wanted.length)
  for (let at = from; at < to; ) {
    const count = content.read(wanted.subarray(at - position, to - position), stored + at - offset)
    if (count === 0) throw new FsError('EIO', 'read')
    at += count
  }
}
