// Which implementation decompresses layers here.
import { isCode } from '../../errors/index.ts'
import type { Compression } from '../compression.ts'
import type { Backend } from '../decoders/decoder.ts'
import { openDecoder } from '../decoders/open.ts'
import { loadKoffi } from '../koffi.ts'

/** The decoder of a compression. */
export type DecoderProbe = {
  readonly compression: Exclude<Compression, 'none'>
  /** Null when there is none. */
  readonly backend: Backend | null
  /** "ISA-L", "zlib of Node 20.20.2", … */
  readonly name: string | null
}

const node = `Node ${process.versions.node}`

const names: { readonly [compression in DecoderProbe['compression']]: { readonly [backend in Backend]: string } } = {
  gzip: { library: 'ISA-L', node: `zlib of ${node}`, portable: `zlib streams of ${node}` },
  zstd: { library: 'libzstd', node: `zstd of ${node}`, portable: 'zstddec (WebAssembly)' },
  xz: { library: 'liblzma', node: `xz of ${node}`, portable: 'xz-decompress (WebAssembly)' },
  bzip2: { library: 'libbz2', node: `bzip2 of ${node}`, portable: 'JavaScript' },
}

/** Opens a decoder of each compression, as unpacking would. */
export async function probeDecoders(): Promise<readonly DecoderProbe[]> {
  const probes: DecoderProbe[] = []
  for (const compression of ['gzip', 'zstd', 'xz', 'bzip2'] as const) {
    const backend = await backendOf(compression)
    probes.push({ compression, backend, name: backend === null ? null : names[compression][backend] })
  }
  return probes
}

/** The version of koffi, null where it is not installed. */
export function koffiVersion(): string | null {
  return loadKoffi()?.version ?? null
}

async function backendOf(compression: Compression): Promise<Backend | null> {
  try {
    const decoder = await openDecoder(compression, { warn: () => undefined })
    decoder.close()
    return decoder.backend
  } catch (error) {
    if (isCode(error, 'UNSUPPORTED')) return null
    throw error
  }
}
