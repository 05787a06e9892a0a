// `ovl squash`: an image whose layers are one. What later layers hide is not in it any more.

import {
  defaultName,
  type Image,
  type ImageDestination,
  namesOfImage,
  readDestination,
  type Staging,
} from '../image/index.ts'
import { diffTrees, layerEntries } from '../layer/index.ts'
import { addHistory, emptyHistory, type JsonObject, noConfigEdit } from '../oci/index.ts'
import { emptyView } from './changes/empty-view.ts'
import { openImageView } from './changes/image-view.ts'
import {
  configDocument,
  type Edit,
  type EditedReport,
  imageTime,
  makeLayer,
  writeEdited,
  type WriteEditedOptions,
} from './changes/write-edited.ts'
import type { ImageOptions } from './image-options.ts'
import { withImage } from './with-image.ts'

/** How to squash: the flags of `ovl squash`. */
export type SquashOptions = ImageOptions & WriteEditedOptions

/** What was squashed; without a layer for an image that has none. */
export type SquashReport = EditedReport & {
  readonly source: string
  /** The image as it was, its layers as stored. */
  readonly before: { readonly layers: number; readonly sizeBytes: number }
}

/** Writes an image with one layer in place of all. Errors: those of `openImage`, `openImageView` and `writeImage`. */
export async function squash(argument: string, to: string, options: SquashOptions): Promise<SquashReport> {
  const destination = readDestination(to)
  return withImage(argument, options, async image => {
    const own = namesOfImage(image)
    const names = destination.name !== null ? [destination.name] : own.length > 0 ? own : [defaultName]
    const place = { destination, names }
    const report = await writeEdited(image, { place, options }, staging =>
      squashLayers(image, { destination, options }, staging),
    )
    const sizeBytes = image.layers.reduce((sum, { blob }) => sum + blob.size, 0)
    return { source: image.title, before: { layers: image.layers.length, sizeBytes }, ...report }
  })
}

async function squashLayers(
  image: Image,
  { destination, options }: { readonly destination: ImageDestination; readonly options: SquashOptions },
  staging: Staging,
): Promise<Edit> {
  const { limits, warn, signal } = options
  if (image.layers.length === 0) return { layer: null, config: newConfig(image, options), replaces: true }
  const { view, close } = await openImageView(image, { limits, warn, signal })
  try {
    const entries = layerEntries(diffTrees(emptyView, view), { warn })
    const layer = await makeLayer(entries, { image, destination, options }, staging)
    return { layer, config: newConfig(image, options), replaces: true }
  } finally {
    close()
  }
}

/** The steps of the history stay, as steps that made no layer; the last one made the only layer. */
function newConfig(image: Image, { history, epochSec }: SquashOptions): JsonObject {
  const document = emptyHistory(configDocument(image, noConfigEdit))
  const step = { ...history, created: imageTime(epochSec), emptyLayer: image.layers.length === 0 }
  return addHistory(document, step, 0)
}
