// A layer as headers with gaps for the contents of files: for threads that read the files themselves.
import { endOfArchive, headerRoomBytes, writeTarHeader } from '../../tar/index.ts'
import { type EncodeOptions, tarEntry } from './encode-layer.ts'
import type { WrittenEntry } from './layer-entries.ts'

/** Bytes of the archive, and the files whose contents come in between, padded to whole blocks. */
export type LayerBatch = {
  /** Memory of its own, which may be given away. */
  readonly bytes: Uint8Array
  /** For each file: the offset in `bytes` that its content comes at, its path in the layer, its size. */
  readonly files: readonly (number | string)[]
  /** How many entries begin in it. */
  readonly entries: number
}

/** Some forty entries first: others get to work soon. Then more of them: every batch costs both sides a message. */
const [firstBatchBytes, batchBytes] = [64 * 1024, 256 * 1024]

/** Encodes entries, in batches; together with the contents they are what `encodeLayer` gives. */
export function* planLayer(entries: Iterable<WrittenEntry>, options: EncodeOptions): Generator<LayerBatch> {
  let bytes = new Uint8Array(firstBatchBytes)
  let files: (number | string)[] = []
  let [at, count] = [0, 0]
  for (const entry of entries) {
    if (bytes.length - at < headerRoomBytes) {
      yield { bytes: bytes.subarray(0, at), files, entries: count }
      ;[bytes, files, at, count] = [new Uint8Array(batchBytes), [], 0, 0]
    }
    count++
    const header = tarEntry(entry, options)
    const written = writeTarHeader(header, bytes, at)
    if (typeof written === 'number') at += written
    else {
      // A header with large attributes gets a batch of its own.
      yield { bytes: bytes.subarray(0, at), files, entries: count }
      ;[bytes, files, at, count] = [new Uint8Array(written.length + batchBytes), [], written.length, 0]
      bytes.set(written)
    }
    const sizeBytes = header.size ?? 0
    if (entry.kind === 'object' && sizeBytes > 0) files.push(at, entry.path, sizeBytes)
  }
  yield { bytes: bytes.subarray(0, at), files, entries: count }
  yield { bytes: Uint8Array.from(endOfArchive), files: [], entries: 0 }
}
