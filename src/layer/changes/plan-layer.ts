// A layer as headers and small files, with gaps for the contents of larger ones: for threads that read those themselves.
import { endOfArchive, headerRoomBytes, writeTarHeader } from '../../tar/index.ts'
import type { PlacedObject } from './compare-objects.ts'
import { contentOf, type EncodeOptions, tarEntry } from './encode-layer.ts'
import type { WrittenEntry } from './layer-entries.ts'
import { changedWhileRead, readFailure } from './read-failure.ts'

/** Bytes of the archive, and the files whose contents come in between, padded to whole blocks. */
export type LayerBatch = {
  /** In the memory of `BatchTaker.room`, or, for a header that is too large for it, in its own. */
  readonly bytes: Uint8Array
  /** For each file: the offset in `bytes` that its content comes at, its path in the layer, its size. */
  readonly files: readonly (number | string)[]
}

/** Where batches go. */
export type BatchTaker = {
  /** Memory for the next batch, at least 64 KiB: what was in it before is sent. Null: no more is wanted. */
  room(): Uint8Array | null
  send(batch: LayerBatch): void
}

/** Files up to this size are read here: to open them again by their path costs more. */
const smallBytes = 16 * 1024
/** The first batch is a small one: others get to work soon. */
const firstBatchBytes = 64 * 1024

/** Encodes entries, in batches; together with the contents they are what `encodeLayer` gives. */
export class LayerPlanner {
  readonly #options: EncodeOptions
  readonly #taker: BatchTaker
  #bytes: Uint8Array | null
  #filled = 0
  #files: (number | string)[] = []
  #entries = 0
  #batches = 0

  constructor(options: EncodeOptions, taker: BatchTaker) {
    this.#options = options
    this.#taker = taker
    this.#bytes = taker.room()?.subarray(0, firstBatchBytes) ?? null
  }

  /** How many batches were sent. */
  get batches(): number {
    return this.#batches
  }

  /** Takes the next entry. False: no more is wanted. Errors: those of `encodeLayer`. */
  add(entry: WrittenEntry): boolean {
    const header = tarEntry(entry, this.#options)
    const sizeBytes = entry.kind === 'object' ? (header.size ?? 0) : 0
    const isSmall = sizeBytes <= smallBytes
    const bytes = this.#withRoom(headerRoomBytes + (isSmall ? padded(sizeBytes) : 0))
    if (bytes === null) return false
    const written = writeTarHeader(header, bytes, this.#filled)
    if (typeof written === 'number') this.#filled += written
    else this.#sendAlone(written)
    this.#entries++
    if (entry.kind !== 'object' || sizeBytes === 0) return true
    if (isSmall) return this.#read(entry, sizeBytes)
    this.#files.push(this.#filled, entry.path, sizeBytes)
    return true
  }

  /** Sends what is left, and the end of the archive. Returns how many entries there were. */
  end(): number {
    this.#send()
    this.#sendAlone(Uint8Array.from(endOfArchive))
    return this.#entries
  }

  #withRoom(neededBytes: number): Uint8Array | null {
    if (this.#bytes !== null && this.#bytes.length - this.#filled < neededBytes) this.#send()
    return this.#bytes
  }

  #send(): void {
    if (this.#bytes === null) return
    this.#taker.send({ bytes: this.#bytes.subarray(0, this.#filled), files: this.#files })
    this.#batches++
    this.#bytes = this.#taker.room()
    this.#filled = 0
    this.#files = []
  }

  /** What is too large for a batch with others. */
  #sendAlone(bytes: Uint8Array): void {
    if (this.#filled > 0) this.#send()
    if (this.#bytes === null) return
    this.#taker.send({ bytes, files: [] })
    this.#batches++
    this.#bytes = this.#taker.room()
  }

  #read(entry: WrittenEntry & { readonly kind: 'object' }, sizeBytes: number): boolean {
    const bytes = this.#withRoom(padded(sizeBytes)) // a large header may have come in between
    if (bytes === null) return false
    const [start, end] = [this.#filled + sizeBytes, this.#filled + padded(sizeBytes)]
    readWhole(entry.object, entry.path, bytes.subarray(this.#filled, start))
    bytes.fill(0, start, end)
    this.#filled = end
    return true
  }
}

function padded(sizeBytes: number): number {
  return (sizeBytes + 511) & ~511
}

function readWhole(file: PlacedObject, path: string, target: Uint8Array): void {
  const { view, object } = contentOf(file)
  try {
    const reader = view.open(object)
    try {
      for (let at = 0; at < target.length; ) {
        const count = reader.read(at === 0 ? target : target.subarray(at), at)
        if (count === 0) throw changedWhileRead(path)
        at += count
      }
    } finally {
      reader.close()
    }
  } catch (error) {
    throw readFailure(error, path)
  }
}
