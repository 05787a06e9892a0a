// Images and bundles as whole trees, and layers of images.
import { join } from 'node:path'
import { type Bundle, rootPathOf } from '../../bundle/index.ts'
import type { FileSystem } from '../../fs/index.ts'
import { openImage } from '../../image/index.ts'
import type { LayerFs, TreeSource } from '../../layer/index.ts'
import { mountLayers, openMergedImage } from '../../unpack/index.ts'
import { overriddenView, recordedView } from '../changes/recorded-view.ts'
import type { ImageOptions } from '../image-options.ts'
import { checkLayerNumber } from '../tree-errors.ts'
import { type Closers, type Input, isMounted, lowersOf, openDirectory } from './inputs.ts'
import { openStack } from './lower-stack.ts'

/** An input as one whole tree. Errors: those of opening it. */
export async function openTree(input: Input, options: ImageOptions, closers: Closers): Promise<TreeSource> {
  if (input.kind === 'directory') return overriddenView(openDirectory(input.directory, closers)).view
  if (input.kind === 'bundle') return openMergedBundle(input.bundle, options, closers)
  return (await openImageTree(input.argument, options, closers)).merged
}

/**
 * The tree of a bundle as the image has it: with the owners and devices that files of an ordinary user stand for. Put
 * together from its directories where its changes are in `upper` and it is not mounted.
 */
async function openMergedBundle(bundle: Bundle, options: ImageOptions, closers: Closers): Promise<TreeSource> {
  const { directory, state } = bundle
  const lowers = lowersOf(bundle)
  if (lowers === null || isMounted(bundle) || (await hasItsChangesInMerged(bundle, options)))
    return recordedView(openDirectory(join(directory, rootPathOf(state.mode)), closers), state)
  const directories = [join(directory, 'upper'), ...lowers.directories]
  return recordedView(openStack({ ...lowers, directories }, closers), state)
}

async function hasItsChangesInMerged(bundle: Bundle, options: ImageOptions): Promise<boolean> {
  if (bundle.state.mode !== 'emulated') return false
  const { placeOfChanges } = await import('../changes/bundle-changes.ts')
  return placeOfChanges(bundle, options) === 'merged'
}

/** An image as file systems. Errors: those of `openImage` and `openMergedImage`. */
async function openImageTree(
  argument: string,
  options: ImageOptions,
  closers: Closers,
): Promise<{ readonly merged: FileSystem; readonly layers: readonly LayerFs[] }> {
  const image = await openImage(argument, options)
  closers.push(() => image.close())
  const opened = await openMergedImage(image, options)
  closers.push(opened.close)
  return opened
}

/** Layer `number` of an image, and what the layers below it show. Errors: LAYER_NOT_FOUND and as `openTree`. */
export async function openImageLayer(
  argument: string,
  options: ImageOptions & { readonly layer: number },
  closers: Closers,
): Promise<{ readonly upper: TreeSource; readonly lower: TreeSource }> {
  const image = await openImage(argument, options)
  closers.push(() => image.close())
  checkLayerNumber(image, options.layer)
  const { layers, close } = await openMergedImage(image, options)
  closers.push(close)
  const upper = layers[options.layer - 1]
  if (upper === undefined) throw new Error('the number was checked')
  return { upper, lower: mountLayers(layers.slice(0, options.layer - 1), null) }
}
