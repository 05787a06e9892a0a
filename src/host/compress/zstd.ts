// zstd (RFC 8878): the engine inside Node's zlib where it has one (22.15 and later), else the system's libzstd. Both on
// one thread: what libzstd makes with several differs from what it makes with one.
import * as zlib from 'node:zlib'
import { pointerOf } from '../decoders/pointer.ts'
import { allocateStruct, type Koffi, loadKoffi, openLibrary } from '../koffi.ts'
import type { CompressorOptions, Encoder } from './compressor.ts'

/** A zstd encoder with a checksum, as zstd(1) writes it; null where there is none. */
export function openZstdEncoder(options: CompressorOptions): Encoder | null {
  return openNodeZstd(options) ?? openLibzstd(options)
}

// <zstd.h>: ZSTD_cParameter, ZSTD_EndDirective
const compressionLevel = 100
const checksumFlag = 201
const continueStream = 0
const endStream = 2
const outputBytes = 256 * 1024

type ZlibWithZstd = {
  createZstdCompress?: (options: { readonly params: Readonly<Record<number, number>> }) => zlib.Gzip
}

/** Null: this Node has no zstd. */
export function openNodeZstd({ level = 3, output }: CompressorOptions): Encoder | null {
  const { createZstdCompress } = zlib as ZlibWithZstd
  if (createZstdCompress === undefined) return null
  const stream = createZstdCompress({ params: { [compressionLevel]: level, [checksumFlag]: 1 } })
  const handedOn = (async () => {
    for await (const bytes of stream) await output(bytes as Uint8Array)
  })()
  handedOn.catch(() => undefined) // told by `end`, and by the next `write`
  return {
    async write(chunk) {
      try {
        // The chunk is the caller's again when the stream has read it.
        await new Promise<void>((resolve, reject) => {
          stream.write(chunk, error => (error ? reject(error) : resolve()))
        })
      } catch (error) {
        await handedOn // what ended the stream
        throw error
      }
    },
    async end() {
      stream.end()
      await handedOn
    },
    close: () => void stream.destroy(),
  }
}

type Libzstd = {
  createCCtx(): number | bigint
  setParameter(context: number | bigint, parameter: number, value: number): number | bigint
  compressStream2(context: number | bigint, output: Uint8Array, input: Uint8Array, end: number): number | bigint
  isError(result: number | bigint): number
  getErrorName(result: number | bigint): string
  freeCCtx(context: number | bigint): void
}

let bound: Libzstd | null | undefined

/** Null: koffi or libzstd is missing. */
export function openLibzstd(options: CompressorOptions): Encoder | null {
  const koffi = loadKoffi()
  bound ??= bind(koffi)
  return koffi === null || bound === null ? null : new LibzstdEncoder(koffi, bound, options)
}

function bind(koffi: Koffi | null): Libzstd | null {
  const library = openLibrary(koffi, ['libzstd.so.1', 'libzstd.1.dylib'])
  if (library === null) return null
  return {
    createCCtx: library.func('uintptr_t ZSTD_createCCtx()'),
    setParameter: library.func('size_t ZSTD_CCtx_setParameter(uintptr_t context, int parameter, int value)'),
    compressStream2: library.func('size_t ZSTD_compressStream2(uintptr_t context, void *output, void *input, int end)'),
    isError: library.func('unsigned int ZSTD_isError(size_t result)'),
    getErrorName: library.func('const char *ZSTD_getErrorName(size_t result)'),
    freeCCtx: library.func('size_t ZSTD_freeCCtx(uintptr_t context)'),
  }
}

// ZSTD_inBuffer and ZSTD_outBuffer have the same layout.
const bufferFields = [
  ['buffer', 'pointer'],
  ['size', 'size'],
  ['position', 'size'],
] as const

class LibzstdEncoder implements Encoder {
  readonly #koffi: Koffi
  readonly #zstd: Libzstd
  readonly #context: number | bigint
  readonly #output: CompressorOptions['output']
  readonly #from
  readonly #into
  readonly #bytes = new Uint8Array(new ArrayBuffer(outputBytes))
  #isOpen = true

  constructor(koffi: Koffi, zstd: Libzstd, { level = 3, output }: CompressorOptions) {
    this.#koffi = koffi
    this.#zstd = zstd
    this.#output = output
    this.#context = zstd.createCCtx()
    this.#from = allocateStruct(koffi, bufferFields)
    this.#into = allocateStruct(koffi, bufferFields)
    this.#check(zstd.setParameter(this.#context, compressionLevel, level))
    this.#check(zstd.setParameter(this.#context, checksumFlag, 1))
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#run(chunk, continueStream)
  }

  async end(): Promise<void> {
    await this.#run(new Uint8Array(), endStream)
    this.close()
  }

  close(): void {
    if (this.#isOpen) this.#zstd.freeCCtx(this.#context)
    this.#isOpen = false
  }

  async #run(chunk: Uint8Array, end: number): Promise<void> {
    this.#from.set('buffer', chunk.length === 0 ? 0 : pointerOf(this.#koffi, chunk, 0))
    this.#from.set('size', chunk.length)
    this.#from.set('position', 0)
    for (;;) {
      this.#into.set('buffer', pointerOf(this.#koffi, this.#bytes, 0))
      this.#into.set('size', outputBytes)
      this.#into.set('position', 0)
      const left = this.#zstd.compressStream2(this.#context, this.#into.memory, this.#from.memory, end)
      this.#check(left)
      const produced = this.#into.get('position')
      if (produced > 0) await this.#output(this.#bytes.subarray(0, produced))
      if (end === endStream ? Number(left) === 0 : this.#from.get('position') === chunk.length) return
    }
  }

  #check(result: number | bigint): void {
    if (this.#zstd.isError(result) !== 0) throw new Error(`zstd: ${this.#zstd.getErrorName(result)}`)
  }
}
