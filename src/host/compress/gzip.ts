// gzip on all cores, as pigz does it: the stream is cut into blocks of one size, each is deflated by itself with the
// end of the block before it as dictionary, and ends on a byte boundary so that they can be joined. Where blocks end
// depends on nothing but the bytes, so the result is the same with any number of threads. (RFC 1951, 1952)
import { crc32 } from 'node:zlib'
import type { CompressorOptions, Encoder } from './compressor.ts'
import { type DeflateJob, deflateBlock, maxDistanceBytes } from './deflate-block.ts'
import { DeflateThreads } from './deflate-threads.ts'

/** Large enough that messages between threads cost nothing, small enough that a layer of some MiB has several. */
const blockBytes = 512 * 1024

/** A gzip encoder; no name and no time in its header. */
export function openGzipEncoder(options: CompressorOptions): Encoder {
  return new GzipEncoder(options)
}

class GzipEncoder implements Encoder {
  readonly #level: number
  readonly #output: CompressorOptions['output']
  readonly #threads: DeflateThreads
  #block = new Uint8Array(blockBytes)
  #filled = 0
  #dictionary: Uint8Array | null = null
  #crc = 0
  #bytes = 0
  /** Kept when everything deflated so far was handed on. */
  #written: Promise<void> = Promise.resolve()
  /** What went wrong behind the back of `write`. */
  #failure: { readonly error: unknown } | null = null

  constructor({ level = 6, output, threads }: CompressorOptions) {
    this.#level = level
    this.#output = output
    this.#threads = new DeflateThreads(threads)
    // XFL as gzip(1) sets it; OS 255: unknown
    const speed = level === 9 ? 2 : level === 1 ? 4 : 0
    this.#queue(Promise.resolve(Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, speed, 255)))
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#crc = crc32(chunk, this.#crc)
    this.#bytes += chunk.length
    for (let at = 0; at < chunk.length; ) {
      // A full block waits for what follows it: the last one ends differently.
      if (this.#filled === blockBytes) await this.#startBlock()
      const part = chunk.subarray(at, at + blockBytes - this.#filled)
      this.#block.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
    }
  }

  async end(): Promise<void> {
    const job = this.#takeBlock(true)
    if (this.#threads.isIdle) this.#queue(Promise.resolve(deflateBlock(job)))
    else this.#queue(this.#threads.deflate(job))
    await this.#written
    const trailer = new DataView(new ArrayBuffer(8))
    trailer.setUint32(0, this.#crc, true)
    trailer.setUint32(4, this.#bytes % 2 ** 32, true)
    await this.#output(new Uint8Array(trailer.buffer))
    await this.close()
  }

  close(): Promise<void> {
    return this.#threads.stop()
  }

  async #startBlock(): Promise<void> {
    await this.#threads.untilFree()
    if (this.#failure !== null) throw this.#failure.error
    this.#queue(this.#threads.deflate(this.#takeBlock(false)))
  }

  #takeBlock(isLast: boolean): DeflateJob {
    const bytes = this.#block.subarray(0, this.#filled)
    const job = { bytes, dictionary: this.#dictionary, level: this.#level, isLast }
    this.#dictionary = bytes.slice(-maxDistanceBytes)
    this.#block = isLast ? this.#block : new Uint8Array(blockBytes)
    this.#filled = 0
    return job
  }

  /** Output goes on in the order of blocks, whichever is finished first. */
  #queue(deflated: Promise<Uint8Array>): void {
    const before = this.#written
    const written = (async () => {
      const [bytes] = await Promise.all([deflated, before])
      await this.#output(bytes)
    })()
    written.catch((error: unknown) => void (this.#failure ??= { error })) // told by the next `write`, or `end`
    this.#written = written
  }
}
