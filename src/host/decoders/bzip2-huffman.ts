/** A canonical Huffman code: codes of one length are consecutive numbers, in the order of their symbols. */
export class HuffmanTable {
  readonly maxLength: number
  /** `maxLength` one bits. */
  readonly mask: number
  /** By length: the first code, how many there are, and where their symbols begin in `#symbols`. */
  readonly #first = new Int32Array(22)
  readonly #count = new Int32Array(22)
  readonly #start = new Int32Array(22)
  readonly #symbols: Uint16Array
  /** The length of the code that a number of `quickBits` bits begins with, 0 where it is longer. */
  readonly #quick: Uint8Array
  readonly #quickBits: number

  /** `lengths[symbol]` is 1 to 20. An incomplete or oversubscribed code is not refused; unknown codes show when met. */
  constructor(lengths: Uint8Array) {
    this.maxLength = lengths.reduce((max, length) => Math.max(max, length), 1)
    this.mask = 2 ** this.maxLength - 1
    for (const length of lengths) this.#count[length] = (this.#count[length] as number) + 1
    let code = 0
    let start = 0
    for (let length = 1; length <= this.maxLength; length++) {
      this.#first[length] = code
      this.#start[length] = start
      code = (code + (this.#count[length] as number)) * 2
      start += this.#count[length] as number
    }
    const next = this.#start.slice()
    this.#symbols = new Uint16Array(lengths.length)
    for (const [symbol, length] of lengths.entries()) this.#symbols[(next[length] as number)++] = symbol
    this.#quickBits = Math.min(this.maxLength, 10)
    this.#quick = Uint8Array.from({ length: 1 << this.#quickBits }, (_, bits) =>
      Math.max(0, this.#search(bits, this.#quickBits)),
    )
  }

  /** Length of the code that these `maxLength` bits begin with, or -1. */
  lengthOf(bits: number): number {
    return this.#quick[bits >>> (this.maxLength - this.#quickBits)] || this.#search(bits, this.maxLength)
  }

  isCode(code: number, length: number): boolean {
    const index = code - (this.#first[length] as number)
    return index >= 0 && index < (this.#count[length] as number)
  }

  symbolOf(code: number, length: number): number {
    return this.#symbols[(this.#start[length] as number) + code - (this.#first[length] as number)] as number
  }

  #search(bits: number, width: number): number {
    for (let length = 1; length <= width; length++) {
      if (this.isCode(bits >>> (width - length), length)) return length
    }
    return -1
  }
}
