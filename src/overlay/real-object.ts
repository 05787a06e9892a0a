// Which object of a layer has the metadata of an overlay's: the upper one, or the top-most lower one.
// fs/overlayfs/util.c: ovl_i_path_real().
import { FsError } from '../errors/index.ts'
import type { Inode, SuperBlock } from '../fs/index.ts'
import type { OverlayInode, OverlayMount } from './model.ts'

/** A layer's object, and its file system. */
export type Real = { readonly superBlock: SuperBlock; readonly inode: Inode }

/** The object that has the metadata. */
export function realOf(mount: OverlayMount, { upper, lower: [lower] }: OverlayInode): Real {
  if (upper !== null && mount.upper !== null) return { superBlock: mount.upper.superBlock, inode: upper }
  if (lower === undefined) throw new FsError('ESTALE', 'stat')
  return { superBlock: lower.layer.superBlock, inode: lower.inode }
}
