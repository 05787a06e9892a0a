// Memory that threads share while a layer is packed: the main thread makes batches of headers and small files, one thread
// puts them into slots, with the large files that it reads, one writes the slots to the archive, one hashes them. A slot
// is free again when all are done with it.
// Without a hash there are no slots: the thread that reads files also writes, and lets the kernel copy the large ones.
// Batches are pieces of the same memory, in a ring of their own.

const slotBytes = 1 << 20
const slotCount = 8
const batchBytes = 256 << 10
const batchCount = 64
const controlBytes = 256

// Words of the control block; then the length of every slot.
const filled = 0
const taken = 1
const packed = 2
const stopped = 3
const ended = 4
const counters = 5
const firstLength = 8

const slotsAt = controlBytes + batchCount * batchBytes

/** Memory for one archive; without slots where nobody takes them. */
export function createPackMemory(takers: number): SharedArrayBuffer {
  return new SharedArrayBuffer(slotsAt + (takers === 0 ? 0 : slotCount * slotBytes))
}

/** What each of the threads does with the memory. `takers` threads take every slot. */
export class PackRing {
  readonly #control: Int32Array
  readonly #memory: SharedArrayBuffer
  readonly #slots: readonly Uint8Array[]
  readonly #takers: number

  constructor(memory: SharedArrayBuffer, takers: number) {
    this.#control = new Int32Array(memory, 0, controlBytes / 4)
    this.#memory = memory
    this.#takers = takers
    this.#slots = Array.from(
      { length: takers === 0 ? 0 : slotCount },
      (_, index) => new Uint8Array(memory, slotsAt + index * slotBytes, slotBytes),
    )
  }

  /** Tells all threads to end. */
  stop(): void {
    Atomics.store(this.#control, stopped, 1)
    for (const word of [filled, taken, packed]) Atomics.notify(this.#control, word)
  }

  get isStopped(): boolean {
    return Atomics.load(this.#control, stopped) !== 0
  }

  /** The slot to fill next; waits until everyone has taken what was in it. Null: stopped. */
  nextToFill(): Uint8Array | null {
    const at = Atomics.load(this.#control, filled)
    for (;;) {
      if (this.isStopped) return null
      const seen = Atomics.load(this.#control, taken)
      if (at - this.#leastTaken() < slotCount) return this.#slotAt(at)
      this.#wait(taken, seen)
    }
  }

  /** Hands the slot of `nextToFill` on. */
  commit(lengthBytes: number): void {
    const at = Atomics.load(this.#control, filled)
    this.#control[firstLength + (at % slotCount)] = lengthBytes
    Atomics.store(this.#control, filled, at + 1)
    Atomics.notify(this.#control, filled)
  }

  /** Nothing more will be committed. */
  end(): void {
    Atomics.store(this.#control, ended, 1)
    Atomics.notify(this.#control, filled)
  }

  /** The bytes of every slot, in order, for taker `number` (from 0); each may be filled again when the next is asked for. */
  *take(number: number): Generator<Uint8Array> {
    for (let at = 0; ; at++) {
      const length = this.#waitFor(at)
      if (length === null) return
      yield this.#slotAt(at).subarray(0, length)
      Atomics.store(this.#control, counters + number, at + 1)
      Atomics.add(this.#control, taken, 1)
      Atomics.notify(this.#control, taken)
    }
  }

  /** Memory for batch `number` (from 0), for as long as it is free (`whenFree`). */
  batchRoom(number: number): Uint8Array {
    return new Uint8Array(this.#memory, controlBytes + (number % batchCount) * batchBytes, batchBytes)
  }

  /**
   * Kept when the memory of batch `number` is free, what was in it being packed, and when stopped; null when it is.
   * Not by waiting: the main thread has to hear of signals, and of threads that end.
   */
  whenFree(number: number): Promise<void> | null {
    return this.#isFree(number) ? null : this.#untilFree(number)
  }

  /** One more batch was packed. */
  batchDone(): void {
    Atomics.add(this.#control, packed, 1)
    Atomics.notify(this.#control, packed)
  }

  async #untilFree(number: number): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#control, packed)
      if (this.#isFree(number)) return
      await Atomics.waitAsync(this.#control, packed, seen, 100).value
    }
  }

  #isFree(number: number): boolean {
    return number - Atomics.load(this.#control, packed) < batchCount || this.isStopped
  }

  /** The length of a slot that was filled; null at the end, and when stopped. */
  #waitFor(at: number): number | null {
    for (;;) {
      if (this.isStopped) return null
      const isEnded = Atomics.load(this.#control, ended) !== 0
      const seen = Atomics.load(this.#control, filled)
      if (seen > at) return this.#control[firstLength + (at % slotCount)] ?? 0
      if (isEnded) return null
      this.#wait(filled, seen)
    }
  }

  #leastTaken(): number {
    let least = Number.POSITIVE_INFINITY
    for (let taker = 0; taker < this.#takers; taker++)
      least = Math.min(least, Atomics.load(this.#control, counters + taker))
    return least
  }

  #slotAt(number: number): Uint8Array {
    return this.#slots[number % slotCount] as Uint8Array
  }

  /** The time limit is for a thread that died without a word. */
  #wait(word: number, seen: number): void {
    Atomics.wait(this.#control, word, seen, 100)
  }
}
