// The frames of a zstd stream (RFC 8878 3.1), read beside the decoder: where they end, and how much history they ask
// for. The decoders of Node and of WebAssembly do not tell a finished stream from one that is cut, and each answers
// a large window in its own way. Block contents are skipped, so this costs a few instructions a block.
import { type Faults, windowLimitBytes } from './decoder.ts'

type Stage = 'magic' | 'skippableSize' | 'descriptor' | 'header' | 'block' | 'content' | 'checksum' | 'skippable'

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

/** Follows the frames of one stream; push every byte of it once, in order. */
export class ZstdFrames {
  readonly #faults: Faults
  #stage: Stage = 'magic'
  /** Bytes still to come of the current stage. */
  #left = 4
  /** The current stage's bytes, for the stages that are read. */
  #bytes: number[] = []
  #descriptor = 0
  #lastBlock = false
  #frames = 0
  #offset = 0

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** True between frames, after at least one (a skippable one counts). */
  get complete(): boolean {
    return this.#frames > 0 && this.#stage === 'magic' && this.#bytes.length === 0
  }

  /** Errors: BAD_COMPRESSION for what is no frame, LIMIT_EXCEEDED for a window beyond `windowLimitBytes`. */
  push(input: Uint8Array, start: number, end: number): void {
    let at = start
    while (at < end) {
      if (this.#stage === 'content' || this.#stage === 'checksum' || this.#stage === 'skippable') {
        const part = Math.min(this.#left, end - at)
        this.#left -= part
        this.#offset += part
        at += part
      } else {
        this.#bytes.push(input[at++] as number)
        this.#offset++
        this.#left--
      }
      if (this.#left === 0) this.#finishStage()
    }
  }

  #finishStage(): void {
    const value = this.#value(0, Math.min(4, this.#bytes.length))
    switch (this.#stage) {
      case 'magic':
        return this.#magic(value)
      case 'skippableSize':
        return value === 0 ? this.#finishFrame() : this.#enter('skippable', value)
      case 'descriptor':
        return this.#readDescriptor(value)
      case 'header':
        this.#readHeader()
        return this.#enter('block', 3)
      case 'block':
        return this.#block(value)
      case 'content':
        return this.#finishBlock()
      case 'checksum':
      case 'skippable':
        return this.#finishFrame()
    }
  }

  #magic(magic: number): void {
    if (magic === frameMagic) return this.#enter('descriptor', 1)
    // >>> 0: a 32-bit result of & is signed.
    if ((magic & 0xfffffff0) >>> 0 === skippableMagic) return this.#enter('skippableSize', 4)
    throw this.#faults.corrupt('there is no zstd frame where one must begin', this.#offset - 4)
  }

  #readDescriptor(descriptor: number): void {
    this.#descriptor = descriptor
    if ((descriptor & 0x08) !== 0) throw this.#faults.corrupt('zstd frame header with a reserved bit', this.#offset)
    const { window, dictionary, contentSize } = this.#fieldBytes()
    const bytes = window + dictionary + contentSize
    this.#enter('header', bytes) // never 0: there is a window or, in a single segment, a content size
  }

  #fieldBytes(): { window: number; dictionary: number; contentSize: number } {
    const singleSegment = (this.#descriptor & 0x20) !== 0
    const sizeFlag = this.#descriptor >> 6
    return {
      window: singleSegment ? 0 : 1,
      dictionary: [0, 1, 2, 4][this.#descriptor & 3] as number,
      contentSize: sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag,
    }
  }

  #readHeader(): void {
    const { window, dictionary, contentSize } = this.#fieldBytes()
    if (this.#value(window, dictionary) !== 0) throw this.#faults.corrupt('it needs a zstd dictionary', this.#offset)
    const [exponentMantissa = 0] = this.#bytes
    const base = 2 ** (10 + (exponentMantissa >> 3))
    const windowBytes =
      window === 1
        ? base + (base / 8) * (exponentMantissa & 7)
        : this.#value(dictionary, contentSize) + (contentSize === 2 ? 256 : 0)
    if (windowBytes > windowLimitBytes) throw this.#faults.windowTooLarge(windowBytes, this.#offset)
  }

  #block(header: number): void {
    this.#lastBlock = (header & 1) === 1
    const type = (header >> 1) & 3
    const size = header >>> 3
    if (type === 3) throw this.#faults.corrupt('zstd block of a reserved type', this.#offset)
    const stored = type === 1 ? 1 : size // type 1 repeats one byte
    if (stored === 0) this.#finishBlock()
    else this.#enter('content', stored)
  }

  #finishBlock(): void {
    if (!this.#lastBlock) this.#enter('block', 3)
    else if ((this.#descriptor & 0x04) !== 0) this.#enter('checksum', 4)
    else this.#finishFrame()
  }

  #finishFrame(): void {
    this.#frames++
    this.#enter('magic', 4)
  }

  #enter(stage: Stage, bytes: number): void {
    this.#stage = stage
    this.#left = bytes
    this.#bytes = []
  }

  /** Little-endian number in the stage's bytes. */
  #value(start: number, length: number): number {
    let value = 0
    for (let i = start + length - 1; i >= start; i--) value = value * 256 + (this.#bytes[i] as number)
    return value
  }
}
