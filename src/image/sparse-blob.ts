import type { SparseSegment } from '../tar/index.ts'
import { originOf } from './blob.ts'
import type { Blob } from './types.ts'

/** A member that tar stored without its holes, as the file it was: holes read as zeros. */
export function sparseBlob(
  stored: Blob,
  shape: { readonly segments: readonly SparseSegment[]; readonly size: number },
): Blob {
  const { segments, size } = shape
  const storedAt: number[] = []
  let sum = 0
  for (const { length } of segments) {
    storedAt.push(sum)
    sum += length
  }
  return {
    size,
    location: stored.location,
    ...originOf(stored, portable => ({ kind: 'sparse', stored: portable, segments })),
    read(target, start, end, position) {
      const wanted = Math.min(end - start, size - position)
      if (wanted <= 0) return 0
      const next = firstEndingAfter(segments, position)
      const segment = segments[next]
      if (segment === undefined || segment.offset > position) {
        const hole = Math.min(wanted, (segment?.offset ?? size) - position)
        target.fill(0, start, start + hole)
        return hole
      }
      const inside = position - segment.offset
      const length = Math.min(wanted, segment.length - inside)
      return stored.read(target, start, start + length, (storedAt[next] ?? 0) + inside)
    },
  }
}

/** Binary search: segments stand in order and do not overlap. */
function firstEndingAfter(segments: readonly SparseSegment[], position: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >> 1
    const { offset, length } = segments[middle] as SparseSegment
    if (offset + length > position) high = middle
    else low = middle + 1
  }
  return low
}
