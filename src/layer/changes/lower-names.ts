// Further names of lower files, in directories that the comparison had no reason to look into.
import { joinPath, type LayerPath } from '../../path/index.ts'
import { Item } from './item.ts'
import type { ViewObject, TreeView } from './tree-view.ts'
import type { MergedDirectory } from './walk.ts'

/** A directory of the lower layers; its item is made when something is found in it. */
type Place = {
  readonly directory: ViewObject
  readonly path: LayerPath
  readonly parent: Place | null
  item: Item | null
}

/**
 * Items for every name of these lower files (by `ViewObject.identity`), and for the directories on the way to it. A
 * name shows what the item beside the file shows, else the file itself. Only what the upper layer neither has nor
 * hides is searched, the whole of it.
 */
export function findLowerNames(
  lower: TreeView,
  merged: readonly MergedDirectory[],
  wanted: ReadonlyMap<string, { readonly shownAs: Item | null }>,
): readonly Item[] {
  const items: Item[] = []
  const pending: Place[] = []
  const visit = (place: Place, hidden: ReadonlySet<string> | null): void => {
    for (const { name, object } of lower.list(place.directory)) {
      if (hidden?.has(name) === true) continue
      const path = joinPath(place.path, name)
      if (object.type === 'dir') pending.push({ directory: object, path, parent: place, item: null })
      else if (object.nlink > 1) {
        const file = wanted.get(object.identity)
        if (file === undefined) continue
        const item = lowerItem(lower, { path, object, parent: itemOf(lower, place, items), shownAs: file.shownAs })
        items.push(item)
      }
    }
  }
  for (const { item, lower: directory, upperNames } of merged)
    visit({ directory, path: item.path, parent: null, item }, upperNames)
  for (let place = pending.pop(); place !== undefined; place = pending.pop()) visit(place, null)
  return items
}

function itemOf(lower: TreeView, place: Place, items: Item[]): Item {
  if (place.item !== null) return place.item
  if (place.parent === null) throw new Error('the topmost directory has an item')
  const parent = itemOf(lower, place.parent, items)
  place.item = lowerItem(lower, { path: place.path, object: place.directory, parent })
  items.push(place.item)
  return place.item
}

function lowerItem(
  lower: TreeView,
  found: {
    readonly path: LayerPath
    readonly object: ViewObject
    readonly parent: Item
    readonly shownAs?: Item | null
  },
): Item {
  const { path, object, parent, shownAs } = found
  const own = { view: lower, object, xattrs: lower.xattrs(object), data: null }
  const item = new Item(path, parent, { after: shownAs?.after ?? own, base: object, lowerPath: path })
  item.isUnchanged = shownAs?.isUnchanged ?? true
  const change = shownAs?.change ?? null
  if (change !== null) item.change = { ...change, path }
  return item
}
