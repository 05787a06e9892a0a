// Changing metadata, attributes and flags (rules 93-95, 105, 142-149). fs/overlayfs/inode.c: ovl_setattr(),
// ovl_fileattr_set(), ovl_fileattr_get(), ovl_set_or_remove_acl(); xattrs.c: ovl_xattr_set(), ovl_listxattr().
import { FsError, isErrno } from '../errors/index.ts'
import { type Inode, type InodeChange, type SuperBlock, xattrNameRefusal } from '../fs/index.ts'
import { copyUp, copyUpCauses } from './copy-up.ts'
import { protectionMask } from './copy-up-object.ts'
import { formatProtattr, parseProtattr } from './format/protattr.ts'
import { escapeXattr, visibleXattrs } from './format/xattr-names.ts'
import { getMark, removeMark, setMarkOr, upperOf } from './marks.ts'
import type { OverlayDentry, OverlayMount } from './model.ts'
import { refreshOwnership } from './ownership.ts'
import { realOf } from './real-object.ts'

/** Mode, owner, size and times; also when nothing differs (rule 93). */
export function changeObject(mount: OverlayMount, dentry: OverlayDentry, change: InodeChange): void {
  const isDone = change.followsAcl === true && dentry.inode.upper !== null
  if (!isDone) copyUp(mount, dentry, change.sizeBytes === undefined ? copyUpCauses.metadata : copyUpCauses.size)
  upperOf(mount).superBlock.change(upperInode(dentry), change)
  refreshOwnership(mount, dentry.inode)
}

/** An attribute, null for none. Names that are overlayfs' own mean escaped ones (rule 145). */
export function readXattr(mount: OverlayMount, dentry: OverlayDentry, name: string): Uint8Array | null {
  const { superBlock, inode } = realOf(mount, dentry.inode)
  const stored = escapeXattr(name, mount.marks, 'getxattr')
  checkName(superBlock, stored, 'getxattr')
  return superBlock.getXattr(inode, stored)
}

/** `flags` of XATTR_ bits. Errors, all after copy-up (rule 95): EEXIST, ENODATA, EOPNOTSUPP, EINVAL, ENOSPC. */
export function writeXattr(
  mount: OverlayMount,
  dentry: OverlayDentry,
  { name, value, flags }: { readonly name: string; readonly value: Uint8Array; readonly flags: number },
): void {
  const stored = escapeXattr(name, mount.marks, 'setxattr')
  if (dentry.inode.upper === null) copyUp(mount, dentry, copyUpCauses.attribute)
  const { superBlock } = upperOf(mount)
  checkName(superBlock, stored, 'setxattr')
  superBlock.setXattr(upperInode(dentry), stored, value, flags)
  refreshOwnership(mount, dentry.inode)
}

/** Errors: ENODATA, which copies nothing up (rule 94). */
export function dropXattr(mount: OverlayMount, dentry: OverlayDentry, name: string): void {
  const stored = escapeXattr(name, mount.marks, 'removexattr')
  if (dentry.inode.upper === null) {
    const { superBlock, inode } = realOf(mount, dentry.inode)
    checkName(superBlock, stored, 'removexattr')
    if (superBlock.getXattr(inode, stored) === null) throw new FsError('ENODATA', 'removexattr')
    copyUp(mount, dentry, copyUpCauses.attribute)
  }
  const { superBlock } = upperOf(mount)
  checkName(superBlock, stored, 'removexattr')
  superBlock.removeXattr(upperInode(dentry), stored)
  refreshOwnership(mount, dentry.inode)
}

/** overlayfs takes every name; the layer does not. */
function checkName(superBlock: SuperBlock, name: string, syscall: string): void {
  if (name.startsWith('system.posix_acl_')) return
  const refusal = xattrNameRefusal(superBlock, name)
  if (refusal !== null) throw new FsError(refusal, syscall)
}

/** Names without overlayfs' own. */
export function listXattrs(mount: OverlayMount, dentry: OverlayDentry): readonly string[] {
  const { superBlock, inode } = realOf(mount, dentry.inode)
  return visibleXattrs(superBlock.listXattrs(inode), mount.marks)
}

/** Flags of chattr(1): those of the object, and what the overlay protects (rule 105). */
export function readFlags(mount: OverlayMount, dentry: OverlayDentry): number {
  const { superBlock, inode } = realOf(mount, dentry.inode)
  const flags = superBlock.getFlags(inode)
  if (dentry.inode.upper === null || mount.upper === null) return flags
  const { type } = dentry
  if (type !== 'file' && type !== 'dir') return flags
  const stored = getMark(mount, mount.upper, { inode, mark: 'protattr' })
  return stored === null ? flags : flags | (parseProtattr(stored) ?? 0)
}

/** Protection is stored in an attribute, never set on the upper object (rule 105). */
export function writeFlags(mount: OverlayMount, dentry: OverlayDentry, flags: number): void {
  copyUp(mount, dentry, copyUpCauses.flags)
  const inode = upperInode(dentry)
  const { superBlock } = upperOf(mount)
  const value = formatProtattr(flags & protectionMask)
  if (value !== null) setMarkOr(mount, { inode, mark: 'protattr' }, { value, without: 'EPERM' })
  else dropProtection(mount, inode)
  superBlock.setFlags(inode, flags & ~protectionMask)
  refreshOwnership(mount, dentry.inode)
}

function dropProtection(mount: OverlayMount, inode: Inode): void {
  try {
    removeMark(mount, { inode, mark: 'protattr' })
  } catch (error) {
    if (!isErrno(error, 'ENODATA', 'EOPNOTSUPP')) throw error
  }
}

function upperInode({ inode }: OverlayDentry): Inode {
  if (inode.upper === null) throw new FsError('EROFS', 'write')
  return inode.upper
}
