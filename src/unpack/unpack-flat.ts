// The flat form of a bundle: config.json, rootfs/ and ovl.json. Layers are applied base first, in one pass over the
// archive; the next layer is decompressed while this one is written. Top first, skipping what is hidden, would need
// every layer's index before the first byte is written, and so every layer decompressed twice.

import * as fs from 'node:fs'
import { join } from 'node:path'
import { hostRootfs, rootPathOf } from '../bundle/index.ts'
import type { Image } from '../image/index.ts'
import { type BundleForm, unpackBundle, type UnpackOptions, type UnpackResult } from './unpack-bundle.ts'
import { writeRootfs } from './write-rootfs.ts'

/**
 * Unpacks an image to a bundle with a flat rootfs.
 *
 * All or nothing: the bundle appears at `destination` complete and verified (digests, sizes, diff IDs), or not at
 * all. An abort of `signal` removes everything and throws INTERRUPTED.
 *
 * Errors: DEST_EXISTS, NEEDS_PRIVILEGE, NO_SPACE, those of `streamLayer` and `LayerApplier`, BAD_USER.
 */
export async function unpackFlat(
  image: Image,
  destination: string,
  options: UnpackOptions = {},
): Promise<UnpackResult> {
  return await unpackBundle(image, { destination, form: flatForm }, options)
}

const rootfsName = rootPathOf('flat')

const flatForm: BundleForm<UnpackOptions> = {
  mode: 'flat',
  async fill(image, place, options) {
    const path = join(place.path, rootfsName)
    fs.mkdirSync(path, 0o755)
    const notKept = await writeRootfs(image, { path, shownAs: join(place.shownAs, rootfsName) }, options)
    return { notKept, overlay: null, merged: null, rootfs: hostRootfs(path) }
  },
}
