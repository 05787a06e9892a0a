// The merged tree of an image as `ovl ls` and `ovl cat` look at it: an overlay of the layers as they lie in the
// archive, and for each object the layer it is from.

import { FsError, unreachable } from '../errors/index.ts'
import { type FileSystem, type Inode, majorOf, minorOf, O_NOFOLLOW, O_PATH } from '../fs/index.ts'
import type { Image } from '../image/index.ts'
import { LayerInode, type TreeInode } from '../layer/index.ts'
import { topObjectOf } from '../overlay/index.ts'
import type { LayerPath } from '../path/index.ts'
import { type MergedImage, openMergedImage } from '../unpack/index.ts'
import { type ImageOptions, reportReading } from './image-options.ts'

/** Reads the names and attributes of all layers. Errors: those of `openMergedImage`. */
export async function readMergedTree(image: Image, options: ImageOptions): Promise<MergedImage> {
  return openMergedImage(image, { ...options, content: false, onLayer: reportReading(image, options) })
}

/** An object of the merged tree. */
export type MergedObject = { readonly path: LayerPath; readonly node: LayerInode; readonly layer: number }

/** What is at a path, resolved inside the tree as chroot would; null: nothing. */
export function findObject(
  { merged, lowers }: MergedImage,
  path: LayerPath,
  { follow }: { readonly follow: boolean },
): (MergedObject & { readonly inode: Inode }) | null {
  try {
    const handle = merged.open(`/${path}`, follow ? O_PATH : O_PATH | O_NOFOLLOW)
    handle.close()
    const found = objectOf(handle.inode, lowers)
    return found === null ? null : { path, inode: handle.inode, ...found }
  } catch (error) {
    if (error instanceof FsError) return null
    throw error
  }
}

/** The names in a directory, in the order of the overlay. */
export function* objectsIn(
  { merged, lowers }: MergedImage,
  { path, inode }: { readonly path: LayerPath; readonly inode: Inode },
): Generator<MergedObject & { readonly inode: Inode }> {
  const { superBlock }: FileSystem = merged
  const directory = superBlock.openDirectory(inode)
  for (const { name } of directory.entries()) {
    if (name === '.' || name === '..') continue
    const child = superBlock.lookup(inode, name)
    const found = child === null ? null : objectOf(child, lowers)
    if (child !== null && found !== null) yield { path: path === '' ? name : `${path}/${name}`, inode: child, ...found }
  }
  directory.close()
}

/** As a listing shows it. */
export function treeInodeOf({ node, layer }: MergedObject): TreeInode {
  const { content, attributes, links } = node
  const shared = { attributes, layer, links: content.type === 'dir' ? 1 : links }
  switch (content.type) {
    case 'dir':
      return { ...shared, kind: 'directory', children: new Map() }
    case 'file': {
      const { offset, sizeBytes, sparse } = content.place
      return { ...shared, kind: 'file', size: sizeBytes, offset, storedSize: sizeBytes, sparse }
    }
    case 'symlink':
      return { ...shared, kind: 'symlink', target: content.target }
    case 'char':
      return { ...shared, kind: 'charDevice', ...numbersOf(content.rdev) }
    case 'block':
      return { ...shared, kind: 'blockDevice', ...numbersOf(content.rdev) }
    case 'fifo':
      return { ...shared, kind: 'fifo', ...numbersOf(content.rdev) }
    default:
      return unreachable(content)
  }
}

function numbersOf(rdev: number): { readonly major: number; readonly minor: number } {
  return { major: majorOf(rdev), minor: minorOf(rdev) }
}

/** Lower layers of an overlay are numbered from the top, those of an image from the base. */
function objectOf(inode: Inode, lowers: MergedImage['lowers']): Pick<MergedObject, 'node' | 'layer'> | null {
  const top = topObjectOf(inode)
  if (top === null || !(top.inode instanceof LayerInode)) return null
  return { node: top.inode, layer: lowers.at(-top.layer) ?? 0 }
}
