// The merged tree of an image without unpacking it: an overlay of its layers as they lie in the archive.

import type { FileSystem } from '../fs/index.ts'
import type { Image } from '../image/index.ts'
import { LayerFs } from '../layer/index.ts'
import { type OverlayEvent, type OverlayFs, readOnlyOverlay } from '../overlay/index.ts'
import { openLayers, type OpenLayersOptions } from './open-layers.ts'

/** How layers are read, and who hears what the overlay decides. */
export type MergedImageOptions = OpenLayersOptions & { readonly trace?: (event: OverlayEvent) => void }

/** An image as file systems; valid until `close`, or until the image is closed. */
export type MergedImage = {
  /** The merged tree, read-only. */
  readonly merged: FileSystem
  /** Every layer in overlay form, base first. */
  readonly layers: readonly LayerFs[]
  /** Numbers of the layers that make up the tree, base first: not those below a layer that hides everything. */
  readonly lowers: readonly number[]
  readonly close: () => void
}

/** Reads all layers once, verified. Errors: those of `openLayers`. */
export async function openMergedImage(image: Image, options: MergedImageOptions = {}): Promise<MergedImage> {
  const { stack, content, close } = await openLayers(image, options)
  const layers = stack.layers.map((tree, index) => {
    const uuid = layerUuid(image.layers[index]?.diffID ?? null)
    return new LayerFs(tree, { content, ...(uuid === null ? {} : { uuid }) })
  })
  const lowers = layers.map((_, index) => index + 1).slice(stack.hiddenLayers)
  const merged = mountLayers(layers.slice(stack.hiddenLayers), options.trace ?? null)
  return { merged, layers, lowers, close }
}

/** The layers as an overlay, given base first. */
export function mountLayers(layers: readonly FileSystem[], trace: ((event: OverlayEvent) => void) | null): OverlayFs {
  return readOnlyOverlay(layers.map(fs => ({ fs, path: '/' })).toReversed(), { trace })
}

/** A layer is known by the digest of its content, wherever it is opened. */
function layerUuid(diffID: string | null): Uint8Array | null {
  const hex = diffID?.slice(diffID.indexOf(':') + 1)
  return hex === undefined ? null : Uint8Array.from(Buffer.from(hex.slice(0, 32), 'hex'))
}
