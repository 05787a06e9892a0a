// Where the data of a file is, for a tar that leaves its holes out: what SEEK_DATA and SEEK_HOLE say, in whole blocks of
// tar. Two reads of one file give the same answer; two file systems may not, which is why holes are written as data
// unless they are asked for.
import type { SparseSegment } from '../../tar/index.ts'
import type { ContentReader } from './tree-view.ts'

/** What a header with a map costs at the least is only won back by a page. */
const leastHoleBytes = 4096
const blockBytes = 512
/** Fewer than readers take, which is 1 MiB of text. */
const mostSegments = 32_768

/** Segments of data as `TarEntry.sparse` has them; null for a file without holes that are worth it. */
export function findSegments(reader: ContentReader, sizeBytes: number): readonly SparseSegment[] | null {
  if (sizeBytes < leastHoleBytes) return null
  const segments = join(dataOf(reader, sizeBytes), ({ holeBytes }) => holeBytes >= leastHoleBytes)
  const [first] = segments
  const isWhole = segments.length === 1 && first?.offset === 0 && first.length === sizeBytes
  return isWhole ? null : withLargestHoles(segments)
}

function* dataOf(reader: ContentReader, sizeBytes: number): Generator<SparseSegment> {
  for (let at = reader.nextData(0); at < sizeBytes; ) {
    const end = Math.min(reader.nextHole(at), sizeBytes)
    const start = at - (at % blockBytes)
    yield { offset: start, length: Math.min(end + (-end & (blockBytes - 1)), sizeBytes) - start }
    at = reader.nextData(end)
  }
}

function withLargestHoles(segments: readonly SparseSegment[]): readonly SparseSegment[] {
  if (segments.length <= mostSegments) return segments
  const holes = segments.map(({ offset }, index) => ({ index, holeBytes: offset - endOf(segments[index - 1]) }))
  const largest = holes.toSorted((a, b) => b.holeBytes - a.holeBytes || a.index - b.index).slice(0, mostSegments)
  const kept = new Set(largest.map(({ index }) => index))
  return join(segments, ({ index }) => kept.has(index))
}

type Hole = { readonly index: number; readonly holeBytes: number }

/** Holes in front of segments, the one at the beginning too, become data unless they stay. */
function join(segments: Iterable<SparseSegment>, stays: (hole: Hole) => boolean): readonly SparseSegment[] {
  const joined: SparseSegment[] = []
  let index = 0
  for (const { offset, length } of segments) {
    const last = joined.at(-1)
    const from = endOf(last)
    if (stays({ index: index++, holeBytes: offset - from })) joined.push({ offset, length })
    else joined.splice(-1, 1, { offset: last?.offset ?? 0, length: offset + length - (last?.offset ?? 0) })
  }
  return joined
}

function endOf(segment: SparseSegment | undefined): number {
  return segment === undefined ? 0 : segment.offset + segment.length
}
