// What the mounter may do with the objects of the layers (rule 150): asked for a mounter without capabilities only,
// since root may do everything. fs/overlayfs/inode.c: ovl_permission().
import { FsError } from '../errors/index.ts'
import { isPermitted, MAY_READ, MAY_WRITE } from '../fs/index.ts'
import type { OverlayDentry, OverlayMount } from './model.ts'
import { realOf } from './real-object.ts'

/** The second of the two checks: what the caller asks for, of the real object, as the mounter. Errors: EACCES. */
export function checkMounter(mount: OverlayMount, dentry: OverlayDentry, mask: number): void {
  const { superBlock, inode } = realOf(mount, dentry.inode)
  const isCopied = dentry.inode.upper === null && (mask & MAY_WRITE) !== 0 && !isSpecial(dentry)
  // What is going to be written is read first, and written elsewhere.
  const asked = isCopied ? (mask & ~MAY_WRITE) | MAY_READ : mask
  if (!isPermitted(superBlock, inode, { mask: asked, caller: mount.mounter })) throw new FsError('EACCES', 'permission')
}

function isSpecial({ type }: OverlayDentry): boolean {
  return type !== 'file' && type !== 'dir' && type !== 'symlink'
}
