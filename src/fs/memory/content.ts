// The bytes of a file: pages that exist and holes that cost nothing, as the page cache of tmpfs keeps them
// (mm/shmem.c). Pages in a row form an extent whose buffer grows by doubling, so that a file that is written from the
// front is one array and a hole of 64 GiB is none.

/** The unit of allocation: what a hole is counted in. */
export const pageSizeBytes = 4096

/** Growing copies at most this much, and at most half of it is slack. */
export const extentLimitBytes = 16 * 1024 * 1024
const noBytes = new Uint8Array(0)

type Extent = {
  /** Both are multiples of the page size. */
  readonly start: number
  lengthBytes: number
  /** What is stored from `start` on; the rest is zeros. Null: reserved by fallocate and never written. */
  bytes: Uint8Array | null
}

/** Sparse bytes. The size of the file is kept elsewhere: nothing here is behind it but reserved pages. */
export class FileContent {
  /** Sorted, without overlap. */
  #extents: Extent[] = []
  #pages = 0

  /** Pages that exist, reserved ones included. */
  get pages(): number {
    return this.#pages
  }

  /** Copies `lengthBytes` bytes into the front of `target`; holes read as zeros. */
  read(target: Uint8Array, position: number, lengthBytes: number): void {
    const end = position + lengthBytes
    let index = this.#firstEndingBehind(position)
    let at = position
    while (at < end) {
      const extent = this.#extents[index++]
      if (extent === undefined || extent.start >= end) break
      if (extent.start > at) target.fill(0, at - position, extent.start - position)
      at = copyOut(extent, target, { at: Math.max(at, extent.start), position, end })
    }
    if (at < end) target.fill(0, at - position, lengthBytes)
  }

  /** Stores all of `source`; pages come into being as needed. */
  write(source: Uint8Array, position: number): void {
    const end = position + source.length
    let at = position
    while (at < end) {
      const extent = this.#extentForWriting(at, end)
      const stop = Math.min(end, extent.start + extent.lengthBytes)
      const whole = at === position && stop === end
      copyIn(extent, at - extent.start, whole ? source : source.subarray(at - position, stop - position))
      at = stop
    }
  }

  /** Stores what a range of other content reads as, where there is nothing yet and nothing behind; `start` begins a page. */
  append(source: FileContent, start: number, end: number): void {
    // Room for a little more: what is copied up is mostly about to be written.
    const bytes = new Uint8Array(pageCeil(end - start + 1))
    source.read(bytes, start, end - start)
    this.#insert(this.#extents.length, { start, lengthBytes: pageCeil(end - start), bytes })
  }

  /** How many bytes of a write at `position` fit when `pages` more pages may come into being. */
  fitting(position: number, lengthBytes: number, pages: number): number {
    const end = position + lengthBytes
    let left = pages
    for (let at = pageFloor(position); at < end; at += pageSizeBytes) {
      if (this.#has(at)) continue
      if (left === 0) return Math.max(0, at - position)
      left--
    }
    return lengthBytes
  }

  /** Frees the whole pages of a range and zeroes the parts of pages at its ends; `end` may be Infinity. */
  free(start: number, end: number): void {
    if (this.#extents.length === 0) return
    const first = pageCeil(start)
    const last = end === Infinity ? Infinity : pageFloor(end)
    if (first > last) {
      this.#zero(start, end)
      return
    }
    this.#zero(start, first)
    if (last !== Infinity) this.#zero(last, end)
    this.#drop(first, last)
  }

  /** Makes every page of a range exist. Reserved twice, a page counts as written: Linux clears it then. */
  reserve(start: number, end: number): void {
    let at = pageFloor(start)
    const last = pageCeil(end)
    while (at < last) {
      const index = this.#firstEndingBehind(at)
      const next = this.#extents[index]
      if (next !== undefined && next.start <= at) {
        const stop = next.start + next.lengthBytes
        const extent = next.bytes === null ? this.#extentForWriting(at, Math.min(last, stop)) : next
        at = extent.start + extent.lengthBytes
        continue
      }
      const stop = Math.min(last, next?.start ?? Infinity)
      this.#insert(index, { start: at, lengthBytes: stop - at, bytes: null })
      at = stop
    }
  }

  /** The next position at or behind this one that was written; Infinity when there is none. */
  nextData(position: number): number {
    for (let index = this.#firstEndingBehind(position); ; index++) {
      const extent = this.#extents[index]
      if (extent === undefined) return Infinity
      if (extent.bytes !== null) return Math.max(position, extent.start)
    }
  }

  /** The next position at or behind this one that was never written. Reserved pages count as holes, as in Linux. */
  nextHole(position: number): number {
    let at = position
    for (let index = this.#firstEndingBehind(position); ; index++) {
      const extent = this.#extents[index]
      if (extent === undefined || extent.start > at || extent.bytes === null) return at
      at = extent.start + extent.lengthBytes
    }
  }

  #has(position: number): boolean {
    const extent = this.#extents[this.#firstEndingBehind(position)]
    return extent !== undefined && extent.start <= position
  }

  #firstEndingBehind(position: number): number {
    const extents = this.#extents
    let low = 0
    let high = extents.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const extent = extents[middle] as Extent
      if (extent.start + extent.lengthBytes > position) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The extent that holds the page at `at`, with bytes; it comes into being as far as `end` wants it. */
  #extentForWriting(at: number, end: number): Extent {
    let index = this.#firstEndingBehind(at)
    let next = this.#extents[index]
    if (next !== undefined && next.start <= at) {
      if (next.bytes !== null) return next
      this.#drop(pageFloor(at), Math.min(pageCeil(end), next.start + next.lengthBytes))
      index = this.#firstEndingBehind(at)
      next = this.#extents[index]
    }
    const start = pageFloor(at)
    const stop = Math.min(pageCeil(end), next?.start ?? Infinity)
    return this.#grown(index, start, stop) ?? this.#inserted(index, start, stop)
  }

  /** The extent in front of a hole, when it ends where the hole starts and has room. */
  #grown(index: number, start: number, stop: number): Extent | null {
    const before = this.#extents[index - 1]
    if (before === undefined || before.bytes === null || before.start + before.lengthBytes !== start) return null
    const lengthBytes = Math.min(stop - before.start, extentLimitBytes)
    if (lengthBytes <= before.lengthBytes) return null
    this.#pages += (lengthBytes - before.lengthBytes) / pageSizeBytes
    before.lengthBytes = lengthBytes
    return before
  }

  #inserted(index: number, start: number, stop: number): Extent {
    const extent = { start, lengthBytes: Math.min(stop - start, extentLimitBytes), bytes: noBytes }
    this.#insert(index, extent)
    return extent
  }

  #insert(index: number, extent: Extent): void {
    this.#pages += extent.lengthBytes / pageSizeBytes
    if (index === this.#extents.length) this.#extents.push(extent)
    else this.#extents.splice(index, 0, extent)
  }

  #zero(start: number, end: number): void {
    if (start >= end) return
    const extent = this.#extents[this.#firstEndingBehind(start)]
    if (extent === undefined || extent.start > start) return
    extent.bytes?.fill(0, start - extent.start, end - extent.start)
  }

  #drop(start: number, end: number): void {
    const from = this.#firstEndingBehind(start)
    const kept: Extent[] = []
    let to = from
    for (; ; to++) {
      const extent = this.#extents[to]
      if (extent === undefined || extent.start >= end) break
      const stop = extent.start + extent.lengthBytes
      this.#pages -= (Math.min(stop, end) - Math.max(extent.start, start)) / pageSizeBytes
      if (extent.start < start) kept.push(front(extent, start))
      if (stop > end) kept.push(back(extent, end))
    }
    if (to > from) this.#extents.splice(from, to - from, ...kept)
  }
}

function pageFloor(position: number): number {
  return position - (position % pageSizeBytes)
}

function pageCeil(position: number): number {
  return pageFloor(position + pageSizeBytes - 1)
}

/** Copies from `at` on into `target`, which starts at `position`; returns where the extent or the range ends. */
function copyOut(
  extent: Extent,
  target: Uint8Array,
  range: { readonly at: number; readonly position: number; readonly end: number },
): number {
  const stop = Math.min(range.end, extent.start + extent.lengthBytes)
  const from = range.at - extent.start
  const bytes = extent.bytes ?? noBytes
  const stored = Math.max(0, Math.min(stop - extent.start, bytes.length) - from)
  const out = range.at - range.position
  if (stored > 0) {
    target.set(from === 0 && stored === bytes.length ? bytes : bytes.subarray(from, from + stored), out)
  }
  if (range.at + stored < stop) target.fill(0, out + stored, stop - range.position)
  return stop
}

function copyIn(extent: Extent, offset: number, source: Uint8Array): void {
  const bytes = extent.bytes ?? noBytes
  const needed = offset + source.length
  if (needed > bytes.length) {
    if (offset === 0) {
      extent.bytes = new Uint8Array(source)
      return
    }
    const grown = new Uint8Array(Math.max(needed, Math.min(2 * bytes.length, extentLimitBytes)))
    grown.set(bytes)
    extent.bytes = grown
  }
  ;(extent.bytes as Uint8Array).set(source, offset)
}

/** What stays in front of `end`. A buffer that is mostly unused is let go. */
function front(extent: Extent, end: number): Extent {
  const lengthBytes = end - extent.start
  const { bytes } = extent
  if (bytes === null || bytes.length <= lengthBytes) return { start: extent.start, lengthBytes, bytes }
  const wasteful = bytes.buffer.byteLength > 2 * lengthBytes
  return {
    start: extent.start,
    lengthBytes,
    bytes: wasteful ? bytes.slice(0, lengthBytes) : bytes.subarray(0, lengthBytes),
  }
}

/** What stays from `start` on. */
function back(extent: Extent, start: number): Extent {
  const lengthBytes = extent.start + extent.lengthBytes - start
  return { start, lengthBytes, bytes: extent.bytes === null ? null : extent.bytes.slice(start - extent.start) }
}
