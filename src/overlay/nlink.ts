// Counting the names of an indexed file while one is added or removed (rules 63, 90).
// fs/overlayfs/util.c: ovl_nlink_start(), ovl_nlink_end(); dir.c: ovl_drop_nlink().
import { copyUp, copyUpCauses } from './copy-up.ts'
import { cleanupIndex, needsIndex, setNlinkUpper } from './index-entries.ts'
import type { OverlayDentry, OverlayMount } from './model.ts'

/** Before a name of the object changes: the index notes the count as it is to the upper file. */
export function startNlink(mount: OverlayMount, dentry: OverlayDentry): void {
  const { inode } = dentry
  if (inode.openFiles !== null) for (const file of inode.openFiles) file.refresh()
  if (!mount.config.index) return
  // Only an upper file can hold the count.
  if (needsIndex(mount, inode) && !dentry.hasUpperAlias) {
    copyUp(mount, dentry, copyUpCauses.index)
    if (inode.openFiles !== null) for (const file of inode.openFiles) file.refresh()
  }
  if (inode.type !== 'dir' && inode.isIndexed) setNlinkUpper(mount, inode)
}

/** Afterwards: the last name takes the index entry with it. */
export function endNlink(mount: OverlayMount, dentry: OverlayDentry): void {
  if (dentry.inode.isIndexed && dentry.inode.nlink === 0) cleanupIndex(mount, dentry)
}

/** A name was removed. Never to zero while another one is known: layers may have changed beneath. */
export function dropNlink({ inode, isDropped }: OverlayDentry, isDirectory: boolean): void {
  const others = isDropped ? inode.names : inode.names - 1
  if (isDirectory) inode.nlink = 0
  else if (inode.nlink > (others > 0 ? 1 : 0)) inode.nlink--
}
