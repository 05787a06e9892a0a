// Removing files and directories (rules 124-129). fs/overlayfs/dir.c: ovl_do_remove(), ovl_remove_upper(),
// ovl_remove_and_whiteout(), ovl_clear_empty().
import { FsError } from '../errors/index.ts'
import { type Inode, RENAME_EXCHANGE, S_IFMT } from '../fs/index.ts'
import { copyUp, copyUpCauses } from './copy-up.ts'
import { copyXattrs } from './copy-up-object.ts'
import { upperDirectory } from './create.ts'
import { dropDentry, holdUpper, keepUpper } from './inode-table.ts'
import { upperOf } from './marks.ts'
import { hasOrigin, type OverlayDentry, type OverlayMount, pathOf } from './model.ts'
import { dropNlink, endNlink, startNlink } from './nlink.ts'
import { setOpaque } from './opaque.ts'
import { refreshOwnership } from './ownership.ts'
import { checkEmpty } from './listing.ts'
import { directoryChanged } from './readdir.ts'
import { isLowerPositive } from './whiteout.ts'
import { cleanUp, replaceByWhiteout, temporaryName, workOf } from './work-place.ts'

/** Removes a name. Errors: ENOTEMPTY (rules 126, 128), EIO where opaque cannot be stored (rule 52). */
export function removeObject(mount: OverlayMount, dentry: OverlayDentry): void {
  const { parent, inode } = dentry
  const isDirectory = inode.type === 'dir'
  const leavesWhiteout = isLowerPositive(mount, dentry)
  const whiteouts = isDirectory && (leavesWhiteout || !isPureUpper(dentry)) ? checkEmpty(mount, dentry) : []
  copyUp(mount, parent, copyUpCauses.newName)
  startNlink(mount, dentry)
  holdUpper(mount, inode)
  // The kernel does so afterwards; but what lost its last name may be out of reach then.
  refreshOwnership(mount, inode)
  try {
    if (leavesWhiteout) removeAndWhiteout(mount, dentry, whiteouts)
    else removeUpper(mount, dentry, whiteouts)
    dropNlink(dentry, isDirectory)
  } finally {
    endNlink(mount, dentry)
  }
}

/** Nothing of it is below, and its listing is that of the upper layer (ovl_pure_upper()). */
export function isPureUpper({ inode }: OverlayDentry): boolean {
  return inode.lower.length === 0 && !inode.mayHaveWhiteouts
}

/**
 * Replaces an upper directory that holds only whiteouts by an empty opaque one, so that it can be removed or replaced
 * in one step (rule 127). Returns the new upper directory.
 */
export function clearEmpty(mount: OverlayMount, dentry: OverlayDentry, whiteouts: readonly string[]): Inode {
  const { superBlock } = upperOf(mount)
  const work = workOf(mount)
  const upper = dentry.inode.upper
  if (upper === null) throw new FsError('ESTALE', 'rmdir')
  const stat = superBlock.stat(upper)
  const dir = work.directory
  const name = temporaryName(work)
  const { mode, uid, gid, atimeNs, mtimeNs } = stat
  const permissions = mode & ~S_IFMT
  const { mounter } = mount
  const make = { type: 'dir', mode: permissions, umask: 0, uid: mounter.uid, gid: mounter.gid } as const
  const opaque = superBlock.create(dir, name, make)
  const target = { dir: upperDirectory(dentry.parent), name: dentry.name, inode: upper }
  try {
    copyXattrs(mount, { layer: upperOf(mount), inode: upper }, opaque)
    setOpaque(mount, opaque, 'EIO')
    superBlock.change(opaque, { mode: permissions, uid, gid, atimeNs, mtimeNs })
    superBlock.rename({ dir, name, inode: opaque }, target, RENAME_EXCHANGE)
  } catch (error) {
    cleanUp(mount, { dir, name, inode: opaque })
    throw error
  }
  dentry.isOpaque = true
  dropDentry(mount, dentry)
  for (const each of whiteouts) cleanUp(mount, { dir: upper, name: each, inode: superBlock.lookup(upper, each) })
  cleanUp(mount, { dir, name, inode: upper })
  mount.trace?.({ kind: 'clear-whiteouts', path: pathOf(dentry), names: whiteouts, rule: 127 })
  return opaque
}

/** The upper object of a name, as the upper layer has it now. Errors: ESTALE when somebody changed it. */
export function currentUpper(mount: OverlayMount, dentry: OverlayDentry, expected: Inode | null): Inode | null {
  const { superBlock } = upperOf(mount)
  const upper = superBlock.lookup(upperDirectory(dentry.parent), dentry.name)
  if (expected === null || (upper !== null && superBlock.isSame(upper, expected))) return upper
  throw new FsError('ESTALE', 'lookup', dentry.name)
}

function removeAndWhiteout(mount: OverlayMount, dentry: OverlayDentry, whiteouts: readonly string[]): void {
  const { parent, name, inode } = dentry
  const opaque = whiteouts.length > 0 ? clearEmpty(mount, dentry, whiteouts) : null
  const upper = currentUpper(mount, dentry, opaque ?? inode.upper)
  try {
    replaceByWhiteout(mount, { dir: upperDirectory(parent), name, inode: upper })
    mount.trace?.({ kind: 'whiteout', path: pathOf(dentry), rule: 124 })
    directoryChanged(parent, true)
  } finally {
    dropDentry(mount, dentry)
  }
  keepUpper(mount, inode)
}

function removeUpper(mount: OverlayMount, dentry: OverlayDentry, whiteouts: readonly string[]): void {
  const { parent, name, inode } = dentry
  const opaque = whiteouts.length > 0 ? clearEmpty(mount, dentry, whiteouts) : null
  const upper = currentUpper(mount, dentry, opaque ?? inode.upper)
  if (upper === null) throw new FsError('ESTALE', 'unlink', name)
  const { superBlock } = upperOf(mount)
  const directory = upperDirectory(parent)
  try {
    if (inode.type === 'dir') superBlock.rmdir(directory, name, upper)
    else superBlock.unlink(directory, name, upper)
  } finally {
    directoryChanged(parent, hasOrigin(dentry))
  }
  mount.trace?.({ kind: 'no-whiteout', path: pathOf(dentry), reason: 'no layer beneath has the name', rule: 124 })
  dropDentry(mount, dentry)
  keepUpper(mount, inode)
}
