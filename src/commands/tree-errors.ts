// What to say when a layer or a path is not in the image: what there is instead.

import { OvlError, quote } from '../errors/index.ts'
import { explainPath } from '../explain/index.ts'
import type { Image } from '../image/index.ts'
import { baseName, type LayerPath, parentPath } from '../path/index.ts'
import type { MergedImage } from '../unpack/index.ts'
import { findObject } from './merged-tree.ts'

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
  { tree, title }: { readonly tree: MergedImage; readonly title: string },
): OvlError {
  const removed = removedFrom(tree, path)
  const fact = removed === null ? 'no such file' : `layer ${removed.by} removes it`
  const facts = removed === null ? neighbours(tree, path) : []
  const hint = removed === null ? {} : { hint: `it still ships in layer ${removed.from}: add --layer ${removed.from}` }
  return new OvlError('PATH_NOT_FOUND', `Cannot find ${quote(`/${path}`)} in ${title}: ${fact}`, {
    facts,
    ...hint,
    data: { path },
  })
}

/** Which layer has the path, and which one above hides it; null when none has it. */
function removedFrom(
  { layers, lowers }: MergedImage,
  path: LayerPath,
): { readonly from: string; readonly by: string } | null {
  const stack = lowers.toReversed().flatMap(number => {
    const fs = layers[number - 1]
    return fs === undefined ? [] : [{ label: String(number), fs, path: '/' }]
  })
  const hidden = explainPath(stack, path).layers.find(({ answer, own }) => answer === null && own !== null)
  return hidden?.hiddenBy ? { from: hidden.label, by: hidden.hiddenBy.label } : null
}

/** The nearest directory that exists, and what it holds. */
function neighbours(tree: MergedImage, path: LayerPath): string[] {
  let directory = parentPath(path)
  let found = findObject(tree, directory, { follow: true })
  while (directory !== '' && found?.node.type !== 'dir') {
    directory = parentPath(directory)
    found = findObject(tree, directory, { follow: true })
  }
  if (found?.node.type !== 'dir') return []
  const wanted = baseName(path).toLowerCase()
  const names = tree.merged
    .readdir(`/${directory}`)
    .map(({ name }) => name)
    .toSorted((a, b) => rank(a, wanted) - rank(b, wanted) || (a < b ? -1 : 1))
  const shown = names.slice(0, shownNames).map(name => quote(name).slice(1, -1))
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return [`/${quote(directory).slice(1, -1)} ${names.length === 0 ? 'is empty' : `has ${shown.join(', ')}${more}`}`]
}

/** Names that begin alike come first. */
function rank(name: string, wanted: string): number {
  return name.toLowerCase().startsWith(wanted.slice(0, 2)) ? 0 : 1
}
