// Recognising whiteouts, and when one has to be left (rules 54, 56, 124). Making them is work-place.ts.
// fs/overlayfs/util.c: ovl_path_is_whiteout(); namei.c: ovl_lower_positive().
import { FsError, isErrno } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { getMark, upperOf } from './marks.ts'
import type { Layer, OverlayDentry, OverlayMount } from './model.ts'
import { isDeviceWhiteout } from './work-place.ts'

/** What kind of whiteout an object of a layer is. */
export function whiteoutKind(mount: OverlayMount, layer: Layer, inode: Inode): 'whiteout' | 'xattr-whiteout' | null {
  if (inode.type === 'char') return isDeviceWhiteout(layer.superBlock, inode) ? 'whiteout' : null
  if (inode.type !== 'file' || getMark(mount, layer, { inode, mark: 'whiteout' }) === null) return null
  return layer.superBlock.stat(inode).sizeBytes === 0 ? 'xattr-whiteout' : null
}

/** Whether a name would come to light if the upper layer lost it: then removing it leaves a whiteout (rule 124). */
export function isLowerPositive(mount: OverlayMount, dentry: OverlayDentry): boolean {
  if (dentry.inode.upper === null) return true
  for (const { layer, inode } of dentry.parent.inode.lower) {
    let found: Inode | null
    try {
      found = layer.superBlock.lookup(inode, dentry.name)
    } catch (error) {
      if (isErrno(error, 'ENOENT', 'ENAMETOOLONG')) continue
      // Something is there that cannot be looked at.
      if (error instanceof FsError) return true
      throw error
    }
    if (found !== null) return whiteoutKind(mount, layer, found) === null
  }
  return false
}

/** True for any whiteout of the upper layer. */
export function isUpperWhiteoutNow(mount: OverlayMount, inode: Inode): boolean {
  return whiteoutKind(mount, upperOf(mount), inode) !== null
}
