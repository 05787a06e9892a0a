// What to say when a layer or a path is not in the image: what there is instead.

import { OvlError, quote } from '../errors/index.ts'
import type { Image } from '../image/index.ts'
import type { ImageTree } from '../layer/index.ts'
import { baseName, type LayerPath, parentPath } from '../path/index.ts'

const shownNames = 10

/** Errors: LAYER_NOT_FOUND when the image has no layer of that number. */
export function checkLayerNumber(image: Image, number: number): void {
  const count = image.layers.length
  if (number >= 1 && number <= count) return
  const range = count === 0 ? 'it has no layers' : `it has layers 1 to ${count} (1 is the base)`
  throw new OvlError('LAYER_NOT_FOUND', `Cannot find layer ${number} in ${image.title}: ${range}`, {
    data: { layer: number, count },
  })
}

/** The error for a path that the merged tree does not have, with what is beside it or with the layer that removed it. */
export function pathNotFound(
  path: LayerPath,
  { tree, title }: { readonly tree: ImageTree; readonly title: string },
): OvlError {
  const hidden = tree.hidden.findLast(each => each.path === path)
  const fact = hidden === undefined ? 'no such file' : `layer ${hidden.hiddenBy} removes it`
  const facts = hidden === undefined ? neighbours(tree, path) : []
  const hint =
    hidden === undefined
      ? {}
      : { hint: `it still ships in layer ${hidden.inode.layer}: add --layer ${hidden.inode.layer}` }
  return new OvlError('PATH_NOT_FOUND', `Cannot find ${quote(`/${path}`)} in ${title}: ${fact}`, {
    facts,
    ...hint,
    data: { path },
  })
}

/** The nearest directory that exists, and what it holds. */
function neighbours(tree: ImageTree, path: LayerPath): string[] {
  let directory = parentPath(path)
  while (directory !== '' && tree.lookup(directory, { follow: true })?.kind !== 'directory')
    directory = parentPath(directory)
  const inode = tree.lookup(directory, { follow: true })
  if (inode?.kind !== 'directory') return []
  const wanted = baseName(path).toLowerCase()
  const names = [...inode.children.keys()].toSorted((a, b) => rank(a, wanted) - rank(b, wanted) || (a < b ? -1 : 1))
  const shown = names.slice(0, shownNames).map(name => quote(name).slice(1, -1))
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return [`/${quote(directory).slice(1, -1)} ${names.length === 0 ? 'is empty' : `has ${shown.join(', ')}${more}`}`]
}

/** Names that begin alike come first. */
function rank(name: string, wanted: string): number {
  return name.toLowerCase().startsWith(wanted.slice(0, 2)) ? 0 : 1
}
