// bzip2 in JavaScript, for machines without libbz2 (format: the bzip2 manual and its well-known reverse-engineered
// description). Written as one generator: it is suspended wherever input or room for output ends, so pieces may be of
// any size, and memory stays at one block (4 bytes for each of at most 900,000) whatever a block expands to.
import { HuffmanTable } from './bzip2-huffman.ts'

/** What the decoder waits for. 'boundary' is hunger for input between two streams, where the data may end. */
export type Bzip2Pause = 'input' | 'output' | 'boundary'

/** The caller's buffers; the decoder moves `inAt` and `outAt` up to the ends. */
export type Bzip2Place = {
  input: Uint8Array
  inAt: number
  inEnd: number
  output: Uint8Array
  outAt: number
  outEnd: number
}

type Reading = Generator<Bzip2Pause, number, void>
type Working = Generator<Bzip2Pause, void, void>

const blockMagic = 0x314159265359
const endMagic = 0x177245385090
const symbolsPerGroup = 50

/** Decodes joined bzip2 streams from and into the buffers of a `Bzip2Place`. */
export class Bzip2Blocks {
  readonly #place: Bzip2Place
  /** Bits read from the input and not used, `#bitCount` (below 8 between calls) of them, the oldest highest. */
  #bits = 0
  #bitCount = 0
  /** The block: its bytes in the low 8 bits, the chain of the inverse transform above them. */
  #block = new Uint32Array(0)
  #crc = 0

  constructor(place: Bzip2Place) {
    this.#place = place
  }

  /** Runs for ever, until it is not resumed. Errors: a plain Error with the fact when the data is corrupt. */
  *run(): Generator<Bzip2Pause, never, void> {
    for (;;) {
      while (this.#place.inAt === this.#place.inEnd) yield 'boundary'
      yield* this.#stream()
    }
  }

  *#stream(): Working {
    const magic = yield* this.#take(24)
    const level = (yield* this.#take(8)) - 0x30
    if (magic !== 0x425a68 || level < 1 || level > 9) throw new Error('there is no bzip2 stream where one must begin')
    const blockSize = 100_000 * level
    if (this.#block.length < blockSize) this.#block = new Uint32Array(blockSize)
    let streamCrc = 0
    for (;;) {
      const kind = (yield* this.#take(24)) * 0x1000000 + (yield* this.#take(24))
      const crc = ((yield* this.#take(16)) * 0x10000 + (yield* this.#take(16))) >>> 0
      if (kind === endMagic) {
        if (crc !== streamCrc) throw new Error('the CRC of the bzip2 stream does not match')
        this.#bitCount = 0 // streams end on a byte
        return
      }
      if (kind !== blockMagic) throw new Error('there is no bzip2 block where one must begin')
      yield* this.#readBlock(blockSize)
      if (this.#crc !== crc) throw new Error('the CRC of a bzip2 block does not match')
      streamCrc = (((streamCrc << 1) | (streamCrc >>> 31)) ^ crc) >>> 0
    }
  }

  *#readBlock(blockSize: number): Working {
    if ((yield* this.#take(1)) === 1) throw new Error('a bzip2 block is randomised, as only versions before 0.9.5 did')
    const origin = yield* this.#take(24)
    const alphabet = yield* this.#readAlphabet()
    const { selectors, tables } = yield* this.#readTables(alphabet.length + 2)
    const counts = new Uint32Array(256)
    const length = yield* this.#readSymbols({ alphabet, selectors, tables, counts, blockSize })
    if (origin >= length) throw new Error('a bzip2 block begins outside of itself')
    this.#invert(length, counts)
    yield* this.#write(length, this.#block[origin] as number)
  }

  /** The byte values that occur in the block. */
  *#readAlphabet(): Generator<Bzip2Pause, Uint8Array, void> {
    const rows = yield* this.#take(16)
    const alphabet: number[] = []
    for (let row = 0; row < 16; row++) {
      if ((rows & (0x8000 >> row)) === 0) continue
      const columns = yield* this.#take(16)
      for (let column = 0; column < 16; column++) {
        if ((columns & (0x8000 >> column)) !== 0) alphabet.push(16 * row + column)
      }
    }
    if (alphabet.length === 0) throw new Error('a bzip2 block uses no bytes')
    return Uint8Array.from(alphabet)
  }

  *#readTables(symbols: number): Generator<Bzip2Pause, { selectors: Uint8Array; tables: HuffmanTable[] }, void> {
    const tableCount = yield* this.#take(3)
    const selectorCount = yield* this.#take(15)
    if (tableCount < 2 || tableCount > 6 || selectorCount === 0) throw new Error('a bzip2 block has bad tables')
    const selectors = new Uint8Array(selectorCount)
    const recent = [0, 1, 2, 3, 4, 5]
    for (let i = 0; i < selectorCount; i++) {
      let index = 0
      while ((yield* this.#take(1)) === 1) index++
      if (index >= tableCount) throw new Error('a bzip2 block has bad selectors')
      const [table = 0] = recent.splice(index, 1)
      recent.unshift(table)
      selectors[i] = table
    }
    const tables: HuffmanTable[] = []
    for (let i = 0; i < tableCount; i++) tables.push(new HuffmanTable(yield* this.#readLengths(symbols)))
    return { selectors, tables }
  }

  /** Code lengths, each told as the difference to the one before. */
  *#readLengths(symbols: number): Generator<Bzip2Pause, Uint8Array, void> {
    const lengths = new Uint8Array(symbols)
    let length = yield* this.#take(5)
    for (let symbol = 0; symbol < symbols; symbol++) {
      for (;;) {
        if (length < 1 || length > 20) throw new Error('a bzip2 block has bad code lengths')
        if ((yield* this.#take(1)) === 0) break
        length += (yield* this.#take(1)) === 0 ? 1 : -1
      }
      lengths[symbol] = length
    }
    return lengths
  }

  /** Huffman codes, runs of the most recent byte and move-to-front, into the low bytes of the block; returns its length. */
  *#readSymbols(coded: {
    alphabet: Uint8Array
    selectors: Uint8Array
    tables: HuffmanTable[]
    counts: Uint32Array
    blockSize: number
  }): Reading {
    const { alphabet: recent, selectors, tables, counts, blockSize } = coded
    const endSymbol = recent.length + 1
    const block = this.#block
    let length = 0
    let run = 0
    let runDigit = 1
    for (const selector of selectors) {
      const table = tables[selector] as HuffmanTable
      for (let i = 0; i < symbolsPerGroup; i++) {
        let symbol = this.#quickSymbol(table)
        if (symbol < 0) symbol = yield* this.#slowSymbol(table)
        if (symbol <= 1) {
          // Runs are numbers in base 2 with the digits 1 and 2.
          run += runDigit << symbol
          runDigit *= 2
          if (run > blockSize) throw new Error('a bzip2 block is longer than it may be')
          continue
        }
        if (run > 0) {
          length = fill(block, length, { byte: recent[0] as number, run, counts, blockSize })
          run = 0
          runDigit = 1
        }
        if (symbol === endSymbol) return length
        const byte = moveToFront(recent, symbol - 1)
        if (length === blockSize) throw new Error('a bzip2 block is longer than it may be')
        counts[byte] = (counts[byte] as number) + 1
        block[length++] = byte
      }
    }
    throw new Error('a bzip2 block does not end')
  }

  /** The inverse Burrows-Wheeler transform: above each byte, the place of the one that follows it. */
  #invert(length: number, counts: Uint32Array): void {
    const block = this.#block
    const next = new Uint32Array(256)
    for (let byte = 1; byte < 256; byte++) next[byte] = (next[byte - 1] as number) + (counts[byte - 1] as number)
    for (let i = 0; i < length; i++) {
      const byte = (block[i] as number) & 0xff
      const place = next[byte] as number
      next[byte] = place + 1
      block[place] = ((block[place] as number) & 0xff) | (i << 8)
    }
  }

  /** Writes the block out: after four equal bytes comes a count of more of them. */
  *#write(length: number, start: number): Working {
    const block = this.#block
    const place = this.#place
    // Fields of `place` are kept in locals between two pauses: this loop runs once a byte.
    let { output, outAt, outEnd } = place
    let chain = start >>> 8
    let crc = 0xffffffff
    let last = -1
    let equal = 0
    for (let left = length; left > 0; left--) {
      const entry = block[chain] as number
      const byte = entry & 0xff
      chain = entry >>> 8
      let copies = 1
      if (equal === 4) {
        copies = byte
        equal = 0
      } else {
        equal = byte === last ? equal + 1 : 1
        last = byte
      }
      for (; copies > 0; copies--) {
        while (outAt === outEnd) {
          place.outAt = outAt
          yield 'output'
          ;({ output, outAt, outEnd } = place)
        }
        output[outAt++] = last
        crc = (crc << 8) ^ (crcTable[(crc >>> 24) ^ last] as number)
      }
    }
    place.outAt = outAt
    this.#crc = ~crc >>> 0
  }

  /** The next symbol, or -1 when the bits at hand and the input may not reach. Kept out of the generator for speed. */
  #quickSymbol(table: HuffmanTable): number {
    const place = this.#place
    if (place.inEnd - place.inAt < 3) return -1
    while (this.#bitCount < table.maxLength) {
      this.#bits = (this.#bits << 8) | (place.input[place.inAt++] as number)
      this.#bitCount += 8
    }
    const length = table.lengthOf((this.#bits >>> (this.#bitCount - table.maxLength)) & table.mask)
    if (length < 0) throw new Error('a bzip2 block has an unknown code')
    this.#bitCount -= length
    const symbol = table.symbolOf((this.#bits >>> this.#bitCount) & ((1 << length) - 1), length)
    // Whole bytes go back, so that the end of a stream is found at its byte.
    const surplus = this.#bitCount >> 3
    place.inAt -= surplus
    this.#bits >>>= 8 * surplus
    this.#bitCount &= 7
    return symbol
  }

  *#slowSymbol(table: HuffmanTable): Reading {
    let code = 0
    for (let length = 1; length <= table.maxLength; length++) {
      code = (code << 1) | (yield* this.#take(1))
      if (table.isCode(code, length)) return table.symbolOf(code, length)
    }
    throw new Error('a bzip2 block has an unknown code')
  }

  /** The next `count` (at most 24) bits. */
  *#take(count: number): Reading {
    const place = this.#place
    while (this.#bitCount < count) {
      while (place.inAt === place.inEnd) yield 'input'
      this.#bits = ((this.#bits << 8) | (place.input[place.inAt++] as number)) >>> 0
      this.#bitCount += 8
    }
    this.#bitCount -= count
    return (this.#bits >>> this.#bitCount) & ((1 << count) - 1)
  }
}

function fill(
  block: Uint32Array,
  start: number,
  { byte, run, counts, blockSize }: { byte: number; run: number; counts: Uint32Array; blockSize: number },
): number {
  if (start + run > blockSize) throw new Error('a bzip2 block is longer than it may be')
  counts[byte] = (counts[byte] as number) + run
  block.fill(byte, start, start + run)
  return start + run
}

/** Indexes are mostly small: a loop is faster than copyWithin. */
function moveToFront(recent: Uint8Array, index: number): number {
  const byte = recent[index] as number
  for (let i = index; i > 0; i--) recent[i] = recent[i - 1] as number
  recent[0] = byte
  return byte
}

/** CRC-32 of bzip2: the polynomial of gzip, but the highest bit first. */
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc
})
