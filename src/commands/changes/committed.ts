// What `ovl commit` is given: a bundle, an upperdir of a bundle, or a bare upperdir; and the image it is to be committed
// upon.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readBundle, stateFileName } from '../../bundle/index.ts'
import { OvlError, quote } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import { type Image, openImage } from '../../image/index.ts'
import type { LayerPath } from '../../path/index.ts'
import type { ImageOptions } from '../image-options.ts'
import { bundleOfUpper } from '../diff/inputs.ts'
import { bundleChanges } from './bundle-changes.ts'
import { type ChangesOptions, type FoundChanges, upperChanges } from './image-changes.ts'
import { openParent } from './parent-image.ts'

/** Something that can be committed. */
export type Committed = {
  readonly shownAs: string
  /** Opens the image it was made from; the caller closes it. */
  readonly openParent: () => Promise<Image>
  /** Extended attributes that the bundle could not keep: they are not in a layer made of it. */
  readonly lostXattrs: ReadonlyMap<LayerPath, readonly string[]>
  readonly findChanges: (parent: Image, options: ChangesOptions) => Promise<FoundChanges>
}

/**
 * Recognises what is to be committed. Errors: INPUT_NOT_FOUND; USAGE for a directory that is no bundle and has no
 * parent; those of `readBundle`.
 */
export function openCommitted(
  path: string,
  { parent, ...options }: ImageOptions & { readonly parent: string | null },
): Committed {
  if (!existsSync(hostPath(path))) {
    throw new OvlError('INPUT_NOT_FOUND', `Cannot read ${quote(path)}: no such directory`, { data: { path } })
  }
  const found = findBundle(path)
  if (found !== null) return committedBundle(found, { ...options, parent })
  if (parent === null) {
    throw new OvlError('USAGE', `Cannot commit ${quote(path)}: it is no bundle, so the image below it must be named`, {
      hint: 'add --parent IMAGE',
      data: { path },
    })
  }
  return {
    shownAs: path,
    openParent: () => openImage(parent, options),
    lostXattrs: new Map(),
    findChanges: (image, more) => upperChanges(path, image, more),
  }
}

type FoundBundle = { readonly bundle: Bundle; readonly only: { readonly only?: 'upper' } }

/** A bundle, or the upperdir in one. */
function findBundle(path: string): FoundBundle | null {
  if (existsSync(hostPath(join(path, stateFileName)))) return { bundle: readBundle(path), only: {} }
  const bundle = bundleOfUpper(path)
  return bundle === null ? null : { bundle, only: { only: 'upper' } }
}

function committedBundle(
  { bundle, only }: FoundBundle,
  { parent, ...options }: ImageOptions & { readonly parent: string | null },
): Committed {
  return {
    shownAs: bundle.directory,
    lostXattrs: new Map(bundle.state.notKept.xattrs.map(({ path, names }) => [path, names])),
    openParent: () => openParent(bundle, { ...options, parent, verb: 'commit' }),
    findChanges: async (image, more) => bundleChanges(bundle, () => Promise.resolve(image), { ...more, ...only }),
  }
}
