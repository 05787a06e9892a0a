import fs from 'node:fs'

/** Lines of a descriptor, read while nothing else happens. */
export class LineReader {
  readonly #fd: number
  readonly #space = Buffer.allocUnsafeSlow(1 << 16)
  #pieces: Buffer[] = []
  /** Read and not yet given out. */
  #rest: Buffer = Buffer.alloc(0)

  constructor(fd: number) {
    this.#fd = fd
  }

  /** The next line without its end; null behind the last one. */
  next(): string | null {
    for (;;) {
      const end = this.#rest.indexOf(0x0a)
      if (end >= 0) return this.#take(end)
      this.#pieces.push(this.#rest)
      const length = fs.readSync(this.#fd, this.#space)
      if (length === 0) return null
      this.#rest = Buffer.from(this.#space.subarray(0, length))
    }
  }

  #take(end: number): string {
    const line = Buffer.concat([...this.#pieces, this.#rest.subarray(0, end)]).toString()
    this.#pieces = []
    this.#rest = this.#rest.subarray(end + 1)
    return line
  }
}
