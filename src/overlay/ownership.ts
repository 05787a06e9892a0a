// Mode and owner by which the Vfs judges (rule 150). The kernel keeps them in struct inode and copies them from the
// layer's object when it makes the inode and after each change through it (fs/overlayfs/util.c: ovl_copyattr()).
// It shows where an upper file has several names that the overlay holds for several objects: what is changed through
// one of them is unknown to the other until that is used itself. Everything else is asked of the layer each time.
import type { Ownership } from '../fs/index.ts'
import type { OverlayDentry, OverlayInode, OverlayMount } from './model.ts'
import { realOf } from './real-object.ts'

/** Mode and owner of a name, as its object knows them. */
export function ownershipOf(mount: OverlayMount, dentry: OverlayDentry): Ownership {
  const { ownership } = dentry.inode
  if (ownership !== null) return ownership
  const { superBlock, inode } = realOf(mount, dentry.inode)
  return superBlock.stat(inode)
}

/** The upper file has, or is about to have, another name. */
export function keepOwnership(mount: OverlayMount, inode: OverlayInode): void {
  if (inode.ownership === null) lookAgain(mount, inode)
}

/** The object was used for a change: it knows again what the layer has. */
export function refreshOwnership(mount: OverlayMount, inode: OverlayInode): void {
  if (inode.ownership !== null) lookAgain(mount, inode)
}

function lookAgain({ upper }: OverlayMount, inode: OverlayInode): void {
  if (upper === null || inode.upper === null || inode.type === 'dir') return
  const { mode, uid, gid } = upper.superBlock.stat(inode.upper)
  inode.ownership = { mode, uid, gid }
}
