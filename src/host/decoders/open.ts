import { OvlError } from '../../errors/index.ts'
import type { Compression } from '../compression.ts'
import type { Backend, Decoder, DecoderOptions } from './decoder.ts'
import { createGzipDecoder } from './gzip.ts'
import { type Inflater, openEngineInflater, openStreamInflater } from './inflate.ts'
import { openIsalInflater } from './isal.ts'

/** Fastest first: what Node brings is as fast as a library and starts sooner, only of gzip ISA-L reads 1.6 times more. */
const order = (compression: Compression): readonly Backend[] =>
  compression === 'gzip' ? ['library', 'node', 'portable'] : ['node', 'library', 'portable']

/**
 * A decoder for this compression, the fastest that works here: Node's zlib, the system's library through koffi, or
 * a portable one. `only` asks for one backend, for tests and measurements.
 *
 * Errors: UNSUPPORTED when there is none.
 */
export async function openDecoder(
  compression: Compression,
  options: DecoderOptions & { readonly only?: Backend },
): Promise<Decoder> {
  for (const backend of options.only === undefined ? order(compression) : [options.only]) {
    const decoder = await openers[compression](backend, options)
    if (decoder !== null) return decoder
  }
  throw new OvlError(
    'UNSUPPORTED',
    `Cannot decompress ${options.subject ?? compression}: no ${compression} decoder here`,
    {
      ...(compression === 'none' || compression === 'gzip' ? {} : { hint: `install ${packages[compression]}` }),
      data: { compression },
    },
  )
}

const packages = { zstd: 'libzstd', xz: 'liblzma (xz-utils)', bzip2: 'libbz2' } as const

type Opener = (backend: Backend, options: DecoderOptions) => Decoder | null | Promise<Decoder | null>

const openers: { readonly [compression in Compression]: Opener } = {
  none: backend => (backend === 'node' ? copier : null),
  gzip: (backend, options) => {
    const inflater = inflaters[backend]()
    return inflater === null ? null : createGzipDecoder(inflater, options)
  },
  // Loaded where they are needed: most layers are compressed with gzip.
  zstd: async (...how) => (await import('./zstd.ts')).openZstdDecoder(...how),
  xz: async (...how) => (await import('./xz.ts')).openXzDecoder(...how),
  bzip2: async (...how) => (await import('./bzip2.ts')).openBzip2Decoder(...how),
}

const inflaters: { readonly [backend in Backend]: () => Inflater | null } = {
  library: openIsalInflater,
  node: openEngineInflater,
  portable: openStreamInflater,
}

/** Copies, so that callers need no special case for an uncompressed blob. */
const copier: Decoder = {
  backend: 'node',
  step(input, inStart, inEnd, output, outStart, outEnd) {
    const length = Math.min(inEnd - inStart, outEnd - outStart)
    output.set(input.subarray(inStart, inStart + length), outStart)
    return { consumed: length, produced: length }
  },
  end() {},
  close() {},
}
