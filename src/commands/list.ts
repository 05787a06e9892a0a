// `ovl ls`: the merged tree, what one layer changes, or what ships in the image although no path shows it.

import { OvlError, quote } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import type { Image } from '../image/index.ts'
import type { ImageTree, LayerChange, TreeInode } from '../layer/index.ts'
import { cleanLayerPath, comparePaths, type LayerPath } from '../path/index.ts'
import { type MergedImage, readImageTree } from '../unpack/index.ts'
import { type ImageOptions, reportReading } from './image-options.ts'
import { findObject, type MergedObject, objectsIn, readMergedTree, treeInodeOf } from './merged-tree.ts'
import { checkLayerNumber, pathNotFound } from './tree-errors.ts'
import { withImage } from './with-image.ts'

/** One line of a listing. */
export type ListedEntry = {
  readonly path: LayerPath
  readonly inode: TreeInode
  /** The layer that the inode is from. */
  readonly layer: number
  /** With --layer: what the layer does here. With --deleted: whether a newer version shows at this path. */
  readonly change?: LayerChange['change']
  /** What removed the entry, when a marker did. */
  readonly by?: 'whiteout' | 'opaque'
  /** With --deleted: the layer that hides it. */
  readonly hiddenBy?: number
}

/** Which listing. Without `layer` and `deleted`, the merged tree. */
export type ListOptions = ImageOptions & {
  /** Path inside the image; the root when absent. */
  readonly path?: string
  /** All levels below the path instead of one; the other listings always show all. */
  readonly recursive?: boolean
  readonly layer?: number
  readonly deleted?: boolean
}

/**
 * Lists entries, sorted by path as bytes.
 *
 * Errors: those of `openImage` and `readImageTree`; LAYER_NOT_FOUND, PATH_NOT_FOUND.
 */
export function listImage(argument: string, options: ListOptions): Promise<readonly ListedEntry[]> {
  if (options.layer !== undefined && options.deleted === true) {
    throw new OvlError('USAGE', '--layer and --deleted are two different listings: give one of them')
  }
  return withImage(argument, options, image => listEntries(image, options))
}

async function listEntries(image: Image, options: ListOptions): Promise<readonly ListedEntry[]> {
  const path = cleanLayerPath(options.path ?? '').path
  if (options.layer !== undefined) checkLayerNumber(image, options.layer)
  if (options.layer === undefined && options.deleted !== true) {
    const tree = await readMergedTree(image, options)
    try {
      return listMerged(tree, { path, recursive: options.recursive === true, title: image.title })
    } finally {
      tree.close()
    }
  }
  let changes: readonly LayerChange[] = []
  const reading = reportReading(image, options)
  const tree = await readImageTree(image, {
    ...options,
    onLayer: (layer, read) => {
      reading(layer)
      if (layer.number === options.layer) changes = read.changes
    },
  })
  if (options.layer !== undefined) return listChanges(changes, { path, layer: options.layer, title: image.title })
  return listHidden(tree, path)
}

function listMerged(
  tree: MergedImage,
  { path, recursive, title }: { readonly path: LayerPath; readonly recursive: boolean; readonly title: string },
): readonly ListedEntry[] {
  // As ls(1) does: a symlink to a directory is entered, any other is shown itself.
  const followed = findObject(tree, path, { follow: true })
  if (followed?.node.type === 'dir') return listDirectory(tree, { ...followed, path }, recursive)
  const found = findObject(tree, path, { follow: false })
  if (found === null) throw pathNotFound(path, { tree, title })
  return [listed(found)]
}

function listDirectory(
  tree: MergedImage,
  top: MergedObject & { readonly inode: Inode },
  recursive: boolean,
): readonly ListedEntry[] {
  const found: ListedEntry[] = []
  // An explicit stack: a hostile image nests deeper than the call stack.
  const pending = [top]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for (const object of objectsIn(tree, next)) {
      found.push(listed(object))
      if (recursive && object.node.type === 'dir') pending.push(object)
    }
  }
  return sorted(found)
}

function listed(object: MergedObject): ListedEntry {
  return { path: object.path, inode: treeInodeOf(object), layer: object.layer }
}

function listChanges(
  changes: readonly LayerChange[],
  { path, layer, title }: { readonly path: LayerPath; readonly layer: number; readonly title: string },
): readonly ListedEntry[] {
  const found = changes
    .filter(change => isBelow(change.path, path))
    .map(({ path: at, inode, change, by }) => ({
      path: at,
      inode,
      layer: inode.layer,
      change,
      ...(by === undefined ? {} : { by }),
    }))
  if (found.length > 0 || path === '') return found
  throw new OvlError(
    'PATH_NOT_FOUND',
    `Cannot list ${quote(`/${path}`)}: layer ${layer} of ${title} changes nothing there`,
    {
      data: { path, layer },
    },
  )
}

function listHidden(tree: ImageTree, path: LayerPath): readonly ListedEntry[] {
  return sorted(
    tree.hidden
      .filter(hidden => isBelow(hidden.path, path))
      .map(hidden => ({
        path: hidden.path,
        inode: hidden.inode,
        layer: hidden.inode.layer,
        change: tree.lookup(hidden.path) === undefined ? ('removed' as const) : ('replaced' as const),
        hiddenBy: hidden.hiddenBy,
      })),
  )
}

function isBelow(path: LayerPath, top: LayerPath): boolean {
  return top === '' || path === top || path.startsWith(`${top}/`)
}

function sorted(entries: readonly ListedEntry[]): readonly ListedEntry[] {
  return entries.toSorted((a, b) => comparePaths(a.path, b.path))
}
