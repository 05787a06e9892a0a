// `ovl cat`: the content of one file, of the merged tree or as one layer ships it.

import { OvlError, quote } from '../errors/index.ts'
import type { Image } from '../image/index.ts'
import type { LayerInode, TreeFile, TreeInode } from '../layer/index.ts'
import { cleanLayerPath, type LayerPath } from '../path/index.ts'
import { type ContentChunk, type MergedImage, readFileContent } from '../unpack/index.ts'
import type { ImageOptions } from './image-options.ts'
import { findObject, readMergedTree, treeInodeOf } from './merged-tree.ts'
import { checkLayerNumber, pathNotFound } from './tree-errors.ts'
import { withImage } from './with-image.ts'

/** Which file, and where its bytes go. */
export type PrintFileOptions = ImageOptions & {
  readonly path: string
  /** As this layer ships it, even if a later one replaces or removes it. */
  readonly layer?: number
  /** Called with piece after piece, the next when the promise of the last has settled. */
  readonly onChunk: ContentChunk
}

/**
 * Streams the content of a regular file, holes as zeros. A symlink is followed inside the image. The layer is
 * verified to its end, so a mismatch is reported after the content was handed out.
 *
 * Errors: those of `openImage` and `openMergedImage`; LAYER_NOT_FOUND; PATH_NOT_FOUND, also for what is no regular file.
 */
export function printFile(argument: string, options: PrintFileOptions): Promise<void> {
  return withImage(argument, options, async image => {
    const file = await findFile(image, options)
    await readFileContent(image, { file, onChunk: options.onChunk }, options)
  })
}

async function findFile(image: Image, options: PrintFileOptions): Promise<TreeFile> {
  const path = cleanLayerPath(options.path).path
  const { layer } = options
  if (layer !== undefined) checkLayerNumber(image, layer)
  const tree = await readMergedTree(image, options)
  try {
    const node = layer === undefined ? findMerged(tree, path) : findInLayer(tree, path, layer)
    if (node === null)
      throw layer === undefined ? pathNotFound(path, { tree, title: image.title }) : notInLayer(path, layer, image)
    const inode = treeInodeOf({ path, node, layer: layer ?? 0 })
    if (inode.kind !== 'file') throw notAFile(path, inode)
    // What a hard link leads to in a lower layer has its content there.
    return node.content.type === 'file' ? { ...inode, layer: node.content.place.layer } : inode
  } finally {
    tree.close()
  }
}

function findMerged(tree: MergedImage, path: LayerPath): LayerInode | null {
  return findObject(tree, path, { follow: true })?.node ?? null
}

/** As the layer ships it, no symlink followed. */
function findInLayer({ layers }: MergedImage, path: LayerPath, layer: number): LayerInode | null {
  const superBlock = layers[layer - 1]?.superBlock
  let inode: LayerInode | null = superBlock?.root ?? null
  for (const name of path === '' ? [] : path.split('/')) inode = (inode && superBlock?.lookup(inode, name)) ?? null
  const isWhiteout = inode?.content.type === 'char' && inode.content.rdev === 0
  return isWhiteout ? null : inode
}

function notInLayer(path: LayerPath, layer: number, image: Image): OvlError {
  return new OvlError(
    'PATH_NOT_FOUND',
    `Cannot print ${quote(`/${path}`)}: layer ${layer} of ${image.title} does not have it`,
    {
      hint: `ovl ls --layer ${layer} lists what it has; without --layer the merged image is searched`,
      data: { path, layer },
    },
  )
}

const kindNames: Readonly<Record<Exclude<TreeInode['kind'], 'file'>, string>> = {
  directory: 'a directory',
  symlink: 'a symlink',
  charDevice: 'a character device',
  blockDevice: 'a block device',
  fifo: 'a FIFO',
}

function notAFile(path: LayerPath, inode: Exclude<TreeInode, TreeFile>): OvlError {
  return new OvlError('PATH_NOT_FOUND', `Cannot print ${quote(`/${path}`)}: it is ${kindNames[inode.kind]}`, {
    ...(inode.kind === 'directory' ? { hint: 'ovl ls lists a directory' } : {}),
    data: { path, kind: inode.kind },
  })
}
