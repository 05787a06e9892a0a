// gzip (RFC 1952): the frame is read here, the deflate inside by inflate.ts or isal.ts. zlib's own gzip mode cannot
// tell data after the last member from a corrupt next member, and drops everything after a zero byte in silence; layers
// with zero padding or junk at their end exist, and other members may follow at any split of the input.
import { type Decoder, type DecoderOptions, type Faults, faultsOf, type StepResult } from './decoder.ts'
import { GzipHeader, NotGzip } from './gzip-header.ts'
import type { Inflater } from './inflate.ts'

/** A decoder of gzip streams of any number of members; data after the last one is ignored with GZIP_TRAILING_DATA. */
export function createGzipDecoder(inflater: Inflater, options: DecoderOptions): Decoder {
  return new GzipDecoder(inflater, options)
}

type Stage = 'header' | 'body' | 'trailer' | 'junk'

const trailerBytes = 8

class GzipDecoder implements Decoder {
  readonly #inflater: Inflater
  readonly #options: DecoderOptions
  readonly #faults: Faults
  #stage: Stage = 'header'
  #header = new GzipHeader()
  readonly #trailer = new Uint8Array(trailerBytes)
  #trailerFill = 0
  #members = 0
  #junkBytes = 0
  /** Of the current member's output. */
  #sizeBytes = 0
  /** Compressed bytes consumed so far. */
  #offset = 0

  constructor(inflater: Inflater, options: DecoderOptions) {
    this.#inflater = inflater
    this.#options = options
    this.#faults = faultsOf('gzip', options.subject)
  }

  get backend(): Decoder['backend'] {
    return this.#inflater.backend
  }

  step(
    input: Uint8Array,
    inStart: number,
    inEnd: number,
    output: Uint8Array,
    outStart: number,
    outEnd: number,
  ): StepResult | Promise<StepResult> {
    const bodyStart = this.#frame(input, inStart, inEnd)
    const framed = bodyStart - inStart
    if (this.#stage !== 'body') return { consumed: framed, produced: 0 }
    const settle = (result: StepResult): StepResult | Promise<StepResult> => {
      this.#account(result)
      const consumed = framed + result.consumed
      // The end of a deflate stream can show in a step that moved nothing; the caller may not take that for hunger.
      const stalled = consumed === 0 && result.produced === 0
      if (stalled && this.#stage !== 'body') return this.step(input, inStart, inEnd, output, outStart, outEnd)
      return { consumed, produced: result.produced }
    }
    const result = this.#inflate(input, bodyStart, inEnd, output, outStart, outEnd)
    return result instanceof Promise ? result.then(settle) : settle(result)
  }

  end(): void {
    // A single 1f after the last member is the whole of the trailing data, not the begin of another member.
    const between = this.#stage === 'header' && this.#members > 0 && this.#header.length <= 1
    if (!between && this.#stage !== 'junk') throw this.#faults.truncated(this.#offset)
    const ignored = this.#junkBytes + (between ? this.#header.length : 0)
    if (ignored === 0) return
    this.#options.warn({
      code: 'GZIP_TRAILING_DATA',
      message: `${this.#options.subject ?? 'gzip data'}: ${ignored} bytes after the end of the gzip stream are ignored`,
    })
  }

  close(): void {
    this.#inflater.close()
  }

  /** Reads everything that is no deflate data: trailer, next header, trailing data. Returns the position after it. */
  #frame(input: Uint8Array, inStart: number, inEnd: number): number {
    let at = inStart
    while (at < inEnd && this.#stage !== 'body') {
      const next = this.#stage === 'trailer' ? this.#readTrailer(input, at, inEnd) : this.#readHeader(input, at, inEnd)
      this.#offset += next - at
      at = next
    }
    return at
  }

  #readHeader(input: Uint8Array, start: number, end: number): number {
    if (this.#stage === 'junk') {
      this.#junkBytes += end - start
      return end
    }
    const earlier = this.#header.length
    try {
      const next = this.#header.push(input, start, end)
      if (this.#header.done) this.#stage = 'body'
      return next
    } catch (error) {
      if (!(error instanceof NotGzip) || this.#members === 0) {
        throw this.#faults.corrupt((error as Error).message, this.#offset)
      }
      this.#stage = 'junk'
      this.#junkBytes = earlier // a 1f at the end of the last step; the bytes of this one are counted next
      return start
    }
  }

  #readTrailer(input: Uint8Array, start: number, end: number): number {
    const part = Math.min(end - start, trailerBytes - this.#trailerFill)
    this.#trailer.set(input.subarray(start, start + part), this.#trailerFill)
    this.#trailerFill += part
    if (this.#trailerFill === trailerBytes) this.#finishMember()
    return start + part
  }

  #finishMember(): void {
    const view = new DataView(this.#trailer.buffer)
    if (view.getUint32(0, true) !== this.#inflater.crc)
      throw this.#faults.corrupt('its CRC does not match', this.#offset)
    if (view.getUint32(4, true) !== this.#sizeBytes % 2 ** 32) {
      throw this.#faults.corrupt('its length does not match', this.#offset)
    }
    this.#members++
    this.#stage = 'header'
    this.#header = new GzipHeader()
    this.#trailerFill = 0
    this.#sizeBytes = 0
    this.#inflater.reset()
  }

  #account({ consumed, produced }: StepResult): void {
    this.#offset += consumed
    this.#sizeBytes += produced
    const { ended, held } = this.#inflater
    if (!ended) return
    this.#stage = 'trailer'
    // What the inflater took too much is never more than the trailer.
    this.#readTrailer(held, 0, held.length)
  }

  #inflate(...place: Parameters<Inflater['step']>): StepResult | Promise<StepResult> {
    const fail = (error: unknown): never => {
      throw this.#faults.corrupt((error as Error).message, this.#offset, error)
    }
    try {
      const result = this.#inflater.step(...place)
      return result instanceof Promise ? result.catch(fail) : result
    } catch (error) {
      return fail(error)
    }
  }
}
