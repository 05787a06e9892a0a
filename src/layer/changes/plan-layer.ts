// A layer as headers and small files, with gaps for the contents of larger ones: for threads that read those themselves.
import { endOfArchive, headerRoomBytes, paddingOf, writeTarHeader } from '../../tar/index.ts'
import type { PlacedObject } from './compare-objects.ts'
import { contentOf, type EncodeOptions, tarEntry } from './encode-layer.ts'
import type { WrittenEntry } from './layer-entries.ts'
import { changedWhileRead, readFailure } from './read-failure.ts'
import { readAll } from './tree-view.ts'

/** Bytes of the archive, and the files whose contents come in between, padded to whole blocks. */
export type LayerBatch = {
  /** In the memory of `BatchTaker.room`, or, for a header that is too large for it, in its own. */
  readonly bytes: Uint8Array
  /** For each file: the offset in `bytes` that its content comes at, its path in the layer, its size. */
  readonly files: readonly (number | string)[]
}

/** Where batches go. */
export type BatchTaker = {
  /** Memory for the next batch, at least 64 KiB, until that is sent; asked for at most twice for one entry. */
  room(): Uint8Array
  send(batch: LayerBatch): void
}

/** Files up to this size are read here: a thread would open them again, by their path (measured: as fast as 64 KiB). */
const smallBytes = 16 * 1024
/** The first batch is a small one: others get to work soon. */
const firstBatchBytes = 64 * 1024

/** Encodes entries, in batches; together with the contents they are what `encodeLayer` gives. */
export class LayerPlanner {
  readonly #options: EncodeOptions
  readonly #taker: BatchTaker
  /** The batch that is being filled; null before anything is in it. */
  #bytes: Uint8Array | null = null
  #filled = 0
  #files: (number | string)[] = []
  #entries = 0
  #batches = 0

  constructor(options: EncodeOptions, taker: BatchTaker) {
    this.#options = options
    this.#taker = taker
  }

  /** Takes the next entry. True: something was sent. Errors: those of `encodeLayer`. */
  add(entry: WrittenEntry): boolean {
    const header = tarEntry(entry, this.#options)
    const sizeBytes = entry.kind === 'object' ? (header.size ?? 0) : 0
    const isSmall = sizeBytes <= smallBytes
    const before = this.#batches
    const bytes = this.#withRoom(headerRoomBytes + (isSmall ? padded(sizeBytes) : 0))
    const written = writeTarHeader(header, bytes, this.#filled)
    if (typeof written === 'number') this.#filled += written
    else this.#sendAlone(written)
    this.#entries++
    if (entry.kind === 'object' && sizeBytes > 0) {
      if (isSmall) this.#read(entry, sizeBytes)
      else this.#files.push(this.#filled, entry.path, sizeBytes)
    }
    return this.#batches > before
  }

  /** Sends what is left, and the end of the archive. Returns how many entries there were. */
  end(): number {
    this.#sendAlone(Uint8Array.from(endOfArchive))
    return this.#entries
  }

  #withRoom(neededBytes: number): Uint8Array {
    if (this.#bytes !== null && this.#bytes.length - this.#filled < neededBytes) this.#send()
    if (this.#bytes !== null) return this.#bytes
    const room = this.#taker.room()
    this.#bytes = this.#batches === 0 ? room.subarray(0, firstBatchBytes) : room
    return this.#bytes
  }

  #send(): void {
    const bytes = this.#bytes?.subarray(0, this.#filled) ?? new Uint8Array()
    this.#taker.send({ bytes, files: this.#files })
    this.#batches++
    this.#bytes = null
    this.#filled = 0
    this.#files = []
  }

  /** What is too large for a batch with others; behind all that comes before it. */
  #sendAlone(bytes: Uint8Array): void {
    if (this.#filled > 0 || this.#files.length > 0) this.#send()
    this.#taker.send({ bytes, files: [] })
    this.#batches++
    this.#bytes = null // the place of the batch that it was meant for is taken
  }

  #read(entry: WrittenEntry & { readonly kind: 'object' }, sizeBytes: number): void {
    const bytes = this.#withRoom(padded(sizeBytes)) // a large header may have come in between
    const [start, end] = [this.#filled + sizeBytes, this.#filled + padded(sizeBytes)]
    readWhole(entry.object, entry.path, bytes.subarray(this.#filled, start))
    bytes.fill(0, start, end)
    this.#filled = end
  }
}

function padded(sizeBytes: number): number {
  return sizeBytes + paddingOf(sizeBytes)
}

function readWhole(file: PlacedObject, path: string, target: Uint8Array): void {
  const { view, object } = contentOf(file)
  try {
    const reader = view.open(object)
    try {
      if (readAll(reader, target, 0).length < target.length) throw changedWhileRead(path)
    } finally {
      reader.close()
    }
  } catch (error) {
    throw readFailure(error, path)
  }
}
