// Filling a directory with the merged tree of an image: this thread reads, verifies and decompresses the layers, the
// writing thread applies them, the ring is between them.

import type { NotKept, UserNamespace } from '../bundle/index.ts'
import { defaultLimits, type Limits, type Warn } from '../errors/index.ts'
import {
  type BlockTarget,
  diffIDMismatch,
  type Image,
  type Layer,
  layerCompression,
  type LayerStream,
  streamLayer,
} from '../image/index.ts'
import type { LayerCounts } from '../layer/index.ts'
import { type Digest, digestAlgorithm } from '../oci/index.ts'
import { ownershipIn } from './ownership.ts'
import { type RingProducer, RingStopped, slotBytes } from './ring.ts'
import { startWriter, type Writer, type WrittenLayer } from './writer.ts'

/** How the layers of an image are read and written. */
export type WriteOptions = {
  /** User namespace of the container; with `rootless`, owners are recorded instead of set. */
  readonly userNamespace?: UserNamespace | null
  /** Follow symlinks of lower layers that lead to directories (rule 17). */
  readonly keepDirlinks?: boolean
  /** Refuse ".." in names. */
  readonly strict?: boolean
  /** Leave out entries of unknown type. */
  readonly skipUnknown?: boolean
  readonly limits?: Limits
  readonly warn?: Warn
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: UnpackProgress) => void
}

/** How far an unpack is; called often, from the reading side. */
export type UnpackProgress =
  | { readonly kind: 'reading'; readonly layer: Layer; readonly uncompressedBytes: number }
  | { readonly kind: 'layerDone'; readonly layer: Layer; readonly unpacked: UnpackedLayer }

/** What a layer turned out to be. */
export type UnpackedLayer = {
  readonly number: number
  /** Digest and size of the blob as stored. */
  readonly digest: Digest
  readonly sizeBytes: number
  readonly diffID: Digest
  readonly uncompressedBytes: number
  readonly counts: LayerCounts
}

/** The directory to fill: it exists and is empty. */
export type RootfsPlace = { readonly path: string /** How messages call it. */; readonly shownAs: string }

/**
 * Writes the merged tree of an image into a directory; layers are reported through `onProgress`, base first.
 *
 * Errors: those of `streamLayer` and `LayerApplier`; NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED. The directory is
 * incomplete then, and nothing writes to it any more.
 */
export async function writeRootfs(
  image: Image,
  { path, shownAs }: RootfsPlace,
  options: WriteOptions,
): Promise<NotKept> {
  const { userNamespace = null, limits = defaultLimits, warn = () => {}, signal } = options
  const read = new Map<number, LayerStream>()
  const writer = startWriter(
    {
      rootfs: path,
      shownAs,
      umask: process.umask(),
      algorithms: image.layers.map(({ diffID }) => (diffID === null ? 'sha256' : digestAlgorithm(diffID))),
      ownership: ownershipIn(userNamespace),
      flags: {
        keepDirlinks: options.keepDirlinks ?? false,
        strict: options.strict ?? false,
        skipUnknown: options.skipUnknown ?? false,
      },
      limits,
    },
    {
      warn,
      onLayer(written) {
        const layer = image.layers[written.number - 1]
        const streamed = read.get(written.number)
        if (layer === undefined || streamed === undefined)
          throw new Error(`layer ${written.number} was written before it was read`)
        options.onProgress?.({ kind: 'layerDone', layer, unpacked: joinHalves(layer, { written, streamed }) })
      },
    },
  )
  const stop = (): void => writer.ring.stop()
  signal?.addEventListener('abort', stop)
  try {
    for (const layer of image.layers) {
      await feedLayer(layer, { writer, options, onRead: streamed => void read.set(layer.number, streamed) })
    }
    return await writer.finished
  } catch (error) {
    // Where the writer has stopped, what it says is the reason and the broken ring only a consequence.
    if (error instanceof RingStopped) await writer.finished
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    await writer.stop()
  }
}

type Feed = {
  readonly writer: Writer
  readonly options: WriteOptions
  readonly onRead: (streamed: LayerStream) => void
}

/** Reads, verifies and decompresses one layer into the ring. */
async function feedLayer(layer: Layer, { writer: { ring }, options, onRead }: Feed): Promise<void> {
  const { limits, warn, signal, onProgress } = options
  // Of an uncompressed blob one hash is digest and diff ID at once; otherwise the writer hashes what it gets.
  const isCompressed = layerCompression(layer) !== 'none'
  ring.beginLayer({ hash: isCompressed })
  let uncompressedBytes = 0
  const target = untilStopped(ring, length => {
    uncompressedBytes += length
    onProgress?.({ kind: 'reading', layer, uncompressedBytes })
  })
  const streamed = await streamLayer(layer, target, {
    verb: 'unpack',
    hashUncompressed: !isCompressed,
    ...(limits === undefined ? {} : { limits }),
    ...(warn === undefined ? {} : { warn }),
    ...(signal === undefined ? {} : { signal }),
  })
  onRead(streamed)
  await ring.endLayer()
}

/**
 * The ring as a target. When the writer has stopped, the rest of the layer goes nowhere but is still read and
 * verified: that a blob does not match its digest says more than the broken tar entry that the writer met.
 */
function untilStopped(ring: RingProducer, onCommit: (length: number) => void): BlockTarget {
  let nowhere: Uint8Array | null = null
  const stopped = (error: unknown): Uint8Array => {
    if (!(error instanceof RingStopped)) throw error
    nowhere = Buffer.allocUnsafeSlow(slotBytes)
    return nowhere
  }
  return {
    space() {
      if (nowhere !== null) return nowhere
      const region = ring.space()
      return region instanceof Promise ? region.catch(stopped) : region
    },
    commit(length) {
      if (nowhere === null) ring.commit(length)
      onCommit(length)
    },
  }
}

/** Joins what the reading and the writing side know of a layer; compares the diff ID where the writer has hashed. */
function joinHalves(
  layer: Layer,
  { written, streamed }: { readonly written: WrittenLayer; readonly streamed: LayerStream },
): UnpackedLayer {
  const { diffID: expected, number } = layer
  const { digest, sizeBytes, uncompressedBytes } = streamed
  const algorithm = expected === null ? 'sha256' : digestAlgorithm(expected)
  const diffID: Digest | null = written.hash === null ? streamed.diffID : `${algorithm}:${written.hash}`
  if (diffID === null) throw new Error(`layer ${number} was not hashed`)
  if (expected !== null && diffID !== expected)
    throw diffIDMismatch(layer, { got: diffID, uncompressedBytes, verb: 'unpack' })
  return { number, digest, sizeBytes, diffID, uncompressedBytes, counts: written.counts }
}
