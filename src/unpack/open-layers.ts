// The layers of an image as file systems, without unpacking: each is read once, verified and indexed; content is read
// where it lies. What is stored compressed is kept uncompressed in a temporary file, unless nobody wants content.

import { closeSync, readSync } from 'node:fs'
import { defaultLimits } from '../errors/index.ts'
import { type Image, type Layer, layerCompression, openNameless, writeAll } from '../image/index.ts'
import { type LayerContent, type LayerCounts, LayerStack, NeedsLayersBelow } from '../layer/index.ts'
import { readLayer, type ReadTreeOptions } from './read-image-tree.ts'

/** How layers are read. */
export type OpenLayersOptions = Omit<ReadTreeOptions, 'onLayer'> & {
  /** False: names and attributes only, and no temporary file; reading a file of a compressed layer then fails. */
  readonly content?: boolean
  /** Called after each layer, base first. */
  readonly onLayer?: (layer: Layer, counts: LayerCounts) => void
}

/** Layers that were read; `close` frees the temporary files. The image stays open as long as content is read. */
export type OpenedLayers = {
  readonly stack: LayerStack
  /** The uncompressed bytes of layer `number`, 1 = base. */
  readonly content: (number: number) => LayerContent
  readonly close: () => void
}

/**
 * Reads the layers of an image, base first. Errors: those of `streamLayer` and `LayerApplier`; NO_SPACE for the
 * temporary file.
 */
export async function openLayers(image: Image, options: OpenLayersOptions = {}): Promise<OpenedLayers> {
  const { limits = defaultLimits, warn = () => {}, keepDirlinks = false, strict = false, skipUnknown = false } = options
  const stack = new LayerStack({ limits, warn, keepDirlinks, strict, skipUnknown })
  const contents = new Map<number, KeptContent>()
  const close = (): void => {
    for (const content of contents.values()) content.close()
    contents.clear()
  }
  try {
    for (const layer of image.layers) {
      const { counts, content } = await openLayer(layer, stack, options)
      contents.set(layer.number, content)
      options.onLayer?.(layer, counts)
    }
  } catch (error) {
    close()
    throw error
  }
  return { stack, close, content: number => contents.get(number) ?? noContent }
}

type KeptContent = LayerContent & { readonly keep: (bytes: Uint8Array) => void; readonly close: () => void }
type OpenedLayer = { readonly counts: LayerCounts; readonly content: KeptContent }

/** A layer that turns out to need those below it is read again from the start. */
async function openLayer(layer: Layer, stack: LayerStack, options: OpenLayersOptions): Promise<OpenedLayer> {
  return readOnce(false).catch((error: unknown) => {
    if (error instanceof NeedsLayersBelow) return readOnce(true)
    throw error
  })

  async function readOnce(again: boolean): Promise<OpenedLayer> {
    const content = contentOf(layer, options)
    try {
      const reading = stack.read(layer.number, { again })
      await readLayer(layer, reading.handler, { ...options, onBytes: content.keep })
      return { counts: reading.finish(), content }
    } catch (error) {
      content.close()
      throw error
    }
  }
}

const nothing = (): void => {}
const noContent: KeptContent = { read: () => 0, keep: nothing, close: nothing }

function contentOf(layer: Layer, options: OpenLayersOptions): KeptContent {
  if (layerCompression(layer) === 'none') {
    const { blob } = layer
    return { ...noContent, read: (target, position) => blob.read(target, 0, target.length, position) }
  }
  if (options.content === false) return noContent
  const fd = openNameless()
  return {
    read: (target, position) => readSync(fd, target, 0, target.length, position),
    keep: bytes => writeAll(fd, bytes),
    close: () => closeSync(fd),
  }
}
