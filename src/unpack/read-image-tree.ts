import { defaultLimits, type Limits, type Warn } from '../errors/index.ts'
import { type BlockTarget, type Image, type Layer, type LayerStream, streamLayer } from '../image/index.ts'
import { ImageTree, LayerApplier, type LayerChange, type LayerCounts, NeedsLayersBelow } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'
import { type TarHandler, TarReader } from '../tar/index.ts'
import { nameLayer } from './name-layer.ts'

/** How layers are read and applied. */
export type ReadTreeOptions = {
  readonly limits?: Limits
  readonly warn?: Warn
  readonly signal?: AbortSignal
  readonly keepDirlinks?: boolean
  readonly strict?: boolean
  readonly skipUnknown?: boolean
  /** Called after each layer with what it holds and what it changed. */
  readonly onLayer?: (
    layer: Layer,
    read: {
      readonly counts: LayerCounts
      readonly changes: readonly LayerChange[]
      /** Directories without an entry in this layer, whose attributes come from below. */
      readonly implied: readonly LayerPath[]
      readonly uncompressedBytes: number
    },
  ) => void
}

/**
 * The merged tree of an image without unpacking it: every layer is streamed once, verified, and applied in memory.
 *
 * Errors: those of `streamLayer` and `LayerApplier`.
 */
export async function readImageTree(image: Image, options: ReadTreeOptions = {}): Promise<ImageTree> {
  const { limits = defaultLimits, warn = () => {}, keepDirlinks = false, strict = false, skipUnknown = false } = options
  const tree = new ImageTree()
  const applier = new LayerApplier(tree, { limits, warn, keepDirlinks, strict, skipUnknown })
  for (const layer of image.layers) {
    tree.beginLayer(layer.number)
    const { uncompressedBytes } = await readLayer(layer, applier.beginLayer(layer.number), options)
    const counts = applier.endLayer()
    options.onLayer?.(layer, {
      counts,
      changes: tree.endLayer(),
      implied: applier.impliedDirectories(),
      uncompressedBytes,
    })
  }
  applier.finish()
  return tree
}

/** How one layer is read. */
export type ReadLayerOptions = Pick<ReadTreeOptions, 'limits' | 'warn' | 'signal'> & {
  /** What is done with the layer, for messages: "Cannot unpack …". */
  readonly verb?: string
  /** Asked before more bytes are read: they wait for its promise. What the handler was given is valid until then. */
  readonly beforeMore?: () => null | Promise<void>
  /** Sees the uncompressed bytes too, from the first to the last; they are valid during the call. */
  readonly onBytes?: (bytes: Uint8Array) => void
}

/** Streams one layer, verified, through a tar handler on this thread. */
export async function readLayer(
  layer: Layer,
  handler: TarHandler,
  { limits = defaultLimits, warn, signal, verb, beforeMore = () => null, onBytes = () => {} }: ReadLayerOptions = {},
): Promise<LayerStream> {
  const reader = new TarReader(handler, { paxBytes: limits.paxBytes })
  const { target, throwFailure } = readInto(reader, { beforeMore, onBytes })
  const result = await streamLayer(layer, target, {
    limits,
    ...(verb === undefined ? {} : { verb }),
    ...(warn === undefined ? {} : { warn }),
    ...(signal === undefined ? {} : { signal }),
  })
  try {
    throwFailure()
    reader.finish()
  } catch (error) {
    throw nameLayer(error, layer)
  }
  return result
}

/** After a failure the rest is read but not parsed: that the blob does not match its digest would say more. */
function readInto(
  reader: TarReader,
  { beforeMore, onBytes }: Required<Pick<ReadLayerOptions, 'beforeMore' | 'onBytes'>>,
): { readonly target: BlockTarget; readonly throwFailure: () => void } {
  const region = Buffer.allocUnsafeSlow(1 << 18)
  let failure: { readonly error: unknown } | null = null
  return {
    target: {
      space: () => beforeMore()?.then(() => region) ?? region,
      commit(length) {
        if (failure !== null) return
        onBytes(region.subarray(0, length))
        try {
          reader.push(region, 0, length)
        } catch (error) {
          if (error instanceof NeedsLayersBelow) throw error // no fault: it will be read again
          failure = { error }
        }
      },
    },
    throwFailure() {
      if (failure !== null) throw failure.error
    },
  }
}
