// The form of a bundle with a directory for each layer: lower/1 to lower/n as overlayfs reads them, upper/ and work/ for
// what a container will change, and merged/: a real copy of the merged tree, for which no mount and no privilege is
// needed, or an empty directory to mount them on.

import * as fs from 'node:fs'
import { join } from 'node:path'
import { hostRootfs } from '../bundle/index.ts'
import { OvlError } from '../errors/index.ts'
import { loadSystem } from '../host/index.ts'
import type { Image } from '../image/index.ts'
import { storedXattrName } from '../overlay/index.ts'
import { copyMerged, mergedSink } from './copy-merged.ts'
import { marksOf, probeOverlayForm } from './overlay-form.ts'
import { mergedRootfs } from './merged-rootfs.ts'
import {
  type BundleForm,
  type BundlePlace,
  type FilledBundle,
  unpackBundle,
  type UnpackOptions,
  type UnpackResult,
} from './unpack-bundle.ts'
import { withLayers, type WrittenLayers } from './write-layers.ts'

/** How an image is unpacked to layers. */
export type UnpackLayersOptions = UnpackOptions & {
  /** Leave merged/ empty, for a mount of the layers. */
  readonly native?: boolean
  /** Write `user.overlay.*` marks also where `trusted.overlay.*` could be set. */
  readonly userxattr?: boolean
  /** Threads that write; by default as many as there are cores, and not more than layers. */
  readonly threads?: number
}

/**
 * Unpacks an image to a bundle with one overlayfs directory a layer, and a copy of the merged tree unless `native`.
 *
 * All or nothing, as `unpackFlat`. Errors: those of `unpackFlat`, and UNSUPPORTED where marks cannot be written.
 */
export async function unpackLayers(
  image: Image,
  destination: string,
  options: UnpackLayersOptions = {},
): Promise<UnpackResult> {
  return await unpackBundle(image, { destination, form: options.native === true ? nativeForm : emulatedForm }, options)
}

const emulatedForm: BundleForm<UnpackLayersOptions> = {
  mode: 'emulated',
  fill: (image, place, options) =>
    writeLayers(image, { place, options }, async layers => ({
      merged: await copyMerged(layers, systemCalls()),
      rootfs: hostRootfs(join(place.path, 'merged')),
    })),
}

const nativeForm: BundleForm<UnpackLayersOptions> = {
  mode: 'native',
  fill: (image, place, options) =>
    writeLayers(image, { place, options }, layers => Promise.resolve({ merged: null, rootfs: mergedRootfs(layers) })),
}

type Fill = { readonly place: BundlePlace; readonly options: UnpackLayersOptions }

/** `merge` has the layers before their directories get modes and times: an ordinary user cannot enter all of them then. */
async function writeLayers(
  image: Image,
  { place, options }: Fill,
  merge: (layers: WrittenLayers) => Promise<Pick<FilledBundle, 'merged' | 'rootfs'>>,
): Promise<FilledBundle> {
  for (const name of ['lower', 'upper', 'merged']) fs.mkdirSync(join(place.path, name), 0o755)
  fs.mkdirSync(join(place.path, 'work'), 0o700)
  const form = probeOverlayForm(join(place.path, 'lower'), { userxattr: options.userxattr ?? false })
  return await withLayers(image, { place: { ...place, form }, options }, async layers => {
    const merged = await merge(layers)
    const notKept = await layers.finish()
    describeUpper(layers)
    return { ...merged, notKept, overlay: { ...form, lowers: layers.lowers } }
  })
}

/** The root of an overlay is its upper directory, which must look as the root of the image. */
function describeUpper(layers: WrittenLayers): void {
  const marks = marksOf(layers.task.form)
  const sink = mergedSink(layers, {
    directory: 'upper',
    system: systemCalls(),
    nameXattr: name => storedXattrName(name, marks),
  })
  sink.finishDirectory('', layers.root.attributes)
  sink.close()
}

function systemCalls(): NonNullable<ReturnType<typeof loadSystem>> {
  const system = loadSystem()
  if (system === null) throw new OvlError('UNSUPPORTED', 'Cannot write layers: koffi is not installed')
  return system
}
