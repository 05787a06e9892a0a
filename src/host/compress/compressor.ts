// Compressing what is written: layers and their blobs. Other than for reading, where whatever is fastest may be used,
// the same bytes must come out on every run and with any number of cores.
import { createHash, type Hash } from 'node:crypto'
import { OvlError } from '../../errors/index.ts'
import type { Digest } from '../../oci/index.ts'
import { openGzipEncoder } from './gzip.ts'
import { openZstdEncoder } from './zstd.ts'

/** How a blob can be written. */
export type WrittenCompression = 'none' | 'gzip' | 'zstd'

/** What every compressor is told. */
export type CompressorOptions = {
  /** 1 to 9 for gzip (by default 6), 1 to 22 for zstd (by default 3). */
  readonly level?: number
  /** At most so many for gzip; by default one for each core. What comes out does not depend on it. */
  readonly threads?: number
  /** Takes compressed bytes, in order, one call at a time; they may be used until the promise is kept. */
  readonly output: (bytes: Uint8Array) => void | Promise<void>
}

/** What was written. */
export type WrittenBlob = {
  /** sha256 of the bytes that were given, and of those that came out. */
  readonly diffID: Digest
  readonly digest: Digest
  readonly uncompressedBytes: number
  readonly sizeBytes: number
}

/** Takes bytes, hands them on compressed, and counts and hashes both. */
export interface Compressor {
  /** The chunk may be reused when the promise is kept. Errors: those of the output. */
  write(chunk: Uint8Array): Promise<void>
  /** To be called once, behind the last `write`. Errors: as `write`. */
  end(): Promise<WrittenBlob>
  /** Frees threads and memory; idempotent, needed after an error. */
  close(): Promise<void>
}

/** What turns bytes into others; hashing is done around it. */
export type Encoder = {
  write(chunk: Uint8Array): void | Promise<void>
  end(): void | Promise<void>
  close(): void | Promise<void>
}

/** Makes an encoder that gives its output to `output`; null where it is not to be had. */
export type OpenEncoder = (options: CompressorOptions) => Encoder | null

/** Opens a compressor. Errors: UNSUPPORTED for zstd where neither Node nor the system has it. */
export function openCompressor(compression: WrittenCompression, options: CompressorOptions): Compressor {
  const stored = new Count()
  const output = (bytes: Uint8Array): void | Promise<void> => {
    stored.add(bytes)
    return options.output(bytes)
  }
  const encoder = openers[compression]({ ...options, output })
  if (encoder === null) {
    throw new OvlError('UNSUPPORTED', `Cannot compress with ${compression}: there is no encoder here`, {
      hint: 'install libzstd and koffi, or use Node 22.15 or later',
      data: { compression },
    })
  }
  return compression === 'none' ? passThrough(stored, encoder) : counting(stored, encoder)
}

function counting(stored: Count, encoder: Encoder): Compressor {
  const given = new Count()
  return {
    async write(chunk) {
      given.add(chunk)
      await encoder.write(chunk)
    },
    async end() {
      await encoder.end()
      return blobOf(given.end(), stored.end())
    },
    close: async () => encoder.close(),
  }
}

/** What comes out is what went in: it is hashed once. */
function passThrough(stored: Count, encoder: Encoder): Compressor {
  return {
    write: async chunk => encoder.write(chunk),
    async end() {
      const counted = stored.end()
      return blobOf(counted, counted)
    },
    close: async () => undefined,
  }
}

const openers: Readonly<Record<WrittenCompression, OpenEncoder>> = {
  none: ({ output }) => ({ write: chunk => output(chunk), end: () => undefined, close: () => undefined }),
  gzip: openGzipEncoder,
  zstd: openZstdEncoder,
}

type Counted = { readonly digest: Digest; readonly bytes: number }

class Count {
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0

  add(bytes: Uint8Array): void {
    this.#hash.update(bytes)
    this.#bytes += bytes.length
  }

  end(): Counted {
    return { digest: `sha256:${this.#hash.digest('hex')}`, bytes: this.#bytes }
  }
}

function blobOf(given: Counted, stored: Counted): WrittenBlob {
  return {
    diffID: given.digest,
    digest: stored.digest,
    uncompressedBytes: given.bytes,
    sizeBytes: stored.bytes,
  }
}
