// Directories that hide what is beneath them, and directories that hold something with an origin (rules 57, 61, 118,
// 120). fs/overlayfs/dir.c: ovl_set_opaque_xerr(); util.c: ovl_set_impure(); overlayfs.h: ovl_allow_offline_changes().
import type { Errno } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { setMarkOr, yes } from './marks.ts'
import { type OverlayDentry, type OverlayMount, pathOf } from './model.ts'
import type { OverlayConfig } from './settings.ts'

/** Sets overlay.opaque. `without`: thrown where the upper layer stores no attributes (rule 52). */
export function setOpaque(mount: OverlayMount, upper: Inode, without: Errno): void {
  setMarkOr(mount, { inode: upper, mark: 'opaque' }, { value: yes, without })
}

/** Sets overlay.impure on a directory that is in the upper layer. */
export function setImpure(mount: OverlayMount, directory: OverlayDentry): void {
  const { inode } = directory
  if (inode.isImpure || inode.upper === null) return
  const isStored = !mount.hasNoXattrs
  setMarkOr(mount, { inode: inode.upper, mark: 'impure' }, { value: yes, without: null })
  inode.isImpure = true
  if (isStored) mount.trace?.({ kind: 'impure', path: pathOf(directory), value: true, rule: 61 })
}

/**
 * Whether somebody may change the lower layers while the overlay is not mounted: then a new directory must not hide
 * what appears there. With any of these settings it does hide (rule 120).
 */
export function allowsOfflineChanges({ index, metacopy, redirectDir, xino }: OverlayConfig): boolean {
  return !index && !metacopy && redirectDir !== 'on' && xino !== 'on'
}
