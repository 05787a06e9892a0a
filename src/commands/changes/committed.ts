// What `ovl commit` is given: a bundle, an upperdir of a bundle, or a bare upperdir; and the image it is to be committed
// upon.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, readBundle, stateFileName } from '../../bundle/index.ts'
import { isCode, OvlError, quote } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import { type Image, openImage } from '../../image/index.ts'
import type { LayerPath } from '../../path/index.ts'
import type { ImageOptions } from '../image-options.ts'
import { bundleOfUpper } from '../diff/inputs.ts'
import { bundleChanges, type ChangesOptions, type FoundChanges, upperChanges } from './bundle-changes.ts'

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
    openParent: async () => {
      const image = parent === null ? await openOrigin(bundle, options) : await openImage(parent, options)
      try {
        checkParent(bundle, image)
        return image
      } catch (error) {
        image.close()
        throw error
      }
    },
    findChanges: (image, more) => bundleChanges(bundle, image, { ...more, ...only }),
  }
}

/** The image that the bundle was unpacked from, by its digest: its names may stand for others by now. */
async function openOrigin({ directory, state }: Bundle, options: ImageOptions): Promise<Image> {
  const { transport, location, manifest, config, platform } = state.image
  const gone = (cause: unknown): OvlError =>
    new OvlError(
      'INPUT_NOT_FOUND',
      `Cannot commit ${quote(directory)}: its image is not at ${quote(location)} any more`,
      {
        hint: 'name the image that it was unpacked from: --parent IMAGE',
        data: { path: directory, image: location, digest: manifest ?? config },
        cause,
      },
    )
  if (location === 'standard input') throw gone(undefined)
  try {
    const ref = transport === 'dir' && manifest !== null ? {} : { ref: `@${manifest ?? config}` }
    return await openImage(`${transport}:${location}`, {
      ...options,
      ...ref,
      ...(platform.includes('unknown') ? {} : { platform }),
    })
  } catch (error) {
    throw ['INPUT_NOT_FOUND', 'TAG_NOT_FOUND', 'NOT_AN_IMAGE'].some(code => isCode(error, code)) ? gone(error) : error
  }
}

/** A layer fits only upon the layers that it was compared with. */
function checkParent({ directory, state }: Bundle, image: Image): void {
  const own = state.layers.map(({ diffID }) => diffID)
  const isSame =
    own.length === image.layers.length &&
    image.layers.every(({ diffID }, i) => diffID === null || own[i] === null || own[i] === diffID)
  if (isSame) return
  throw new OvlError('DIFF_ID_MISMATCH', `Cannot commit ${quote(directory)} upon ${image.title}: it has other layers`, {
    facts: [`the bundle was unpacked from ${own.length} layers, the top one ${own.at(-1) ?? 'unknown'}`],
    data: { path: directory, expected: own, got: image.layers.map(({ diffID }) => diffID) },
  })
}
