// Who may do what to an object: generic_permission(), inode_permission(), may_delete(), may_create(), may_linkat() of
// fs/namei.c. Functions answer with the errno of the refusal, or null: in several places of the kernel a refusal is
// held back until it is known whether it matters.
//
// sysctls as the measured machine has them: protected_hardlinks=1 (P13), protected_symlinks, protected_fifos and
// protected_regular 0.
import { type Errno, FsError, isErrno } from '../../errors/index.ts'
import { aclAccessName, aclGrants, decodeAcl } from '../acl/posix-acl.ts'
import { type Credentials, isCapableOver, isPrivileged } from '../credentials.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, MAY_EXEC, MAY_READ, MAY_WRITE } from '../flags.ts'
import { S_ISGID, S_ISUID, S_ISVTX } from '../mode.ts'
import type { Ownership } from '../stat.ts'
import type { Inode, SuperBlock } from '../super-block.ts'
import { ownershipOf, type View, viewOf } from './view.ts'

/** Whether the caller acts with this group: fsgid or one of the others. */
export function inGroup(caller: Credentials, gid: number): boolean {
  return caller.gid === gid || caller.groups.includes(gid)
}

/** in_group_or_capable() */
export function inGroupOrCapable(caller: Credentials, gid: number): boolean {
  return caller.capable || inGroup(caller, gid)
}

/** Whether the caller has capabilities that count for the object. Whose count for everything, nothing is looked at. */
export function isCapable(view: View, inode: Inode): boolean {
  const { caller } = view
  return caller.capable && (caller.namespace === undefined || isCapableOver(caller, ownershipOf(view, inode)))
}

/** inode_owner_or_capable() */
export function isOwnerOrCapable(view: View, inode: Inode): boolean {
  return isCapable(view, inode) || view.caller.uid === ownershipOf(view, inode).uid
}

/** chattr +i */
export function isImmutable(view: View, inode: Inode): boolean {
  return (view.superBlock.getFlags(inode) & FS_IMMUTABLE_FL) !== 0
}

/** chattr +a */
export function isAppendOnly(view: View, inode: Inode): boolean {
  return (view.superBlock.getFlags(inode) & FS_APPEND_FL) !== 0
}

/**
 * Whether the caller may search the directory. A capable caller always may, so nothing is asked of the file system:
 * this decides how fast deep paths are.
 */
export function searchRefusal(view: View, dir: Inode): Errno | null {
  if (isPrivileged(view.caller) && view.superBlock.permission === undefined) return null
  return permissionRefusal(view, dir, MAY_EXEC)
}

/** inode_permission(): read-only file system, immutable object, mode and ACL, and what the file system adds. */
export function permissionRefusal(view: View, inode: Inode, mask: number): Errno | null {
  const { superBlock } = view
  if ((mask & MAY_WRITE) !== 0) {
    if (superBlock.readOnly && !isSpecial(inode)) return 'EROFS'
    if (isImmutable(view, inode)) return 'EPERM'
  }
  return genericRefusal(view, inode, mask) ?? fileSystemRefusal(view, inode, mask)
}

/** A device, FIFO or socket: what is written to it does not change the file system. */
export function isSpecial(inode: Inode): boolean {
  const { type } = inode
  return type !== 'file' && type !== 'dir' && type !== 'symlink'
}

function genericRefusal(view: View, inode: Inode, mask: number): Errno | null {
  if (!isCapable(view, inode)) return modeRefusal(view, inode, mask)
  // Capabilities override everything but executing a file that nobody may execute.
  if (inode.type === 'dir' || (mask & MAY_EXEC) === 0) return null
  return (ownershipOf(view, inode).mode & 0o111) === 0 ? 'EACCES' : null
}

/** acl_permission_check() */
function modeRefusal(view: View, inode: Inode, mask: number): Errno | null {
  const { caller } = view
  const { mode, uid, gid } = ownershipOf(view, inode)
  if (uid === caller.uid) return (mask & ~(mode >> 6) & 7) === 0 ? null : 'EACCES'
  const value = (mode & 0o070) === 0 ? null : accessAcl(view, inode)
  if (value !== null) {
    const entries = decodeAcl(value)
    if (typeof entries === 'string') return 'EIO'
    const subject = { isOwner: false, uid: caller.uid, gid, inGroup: (group: number) => inGroup(caller, group) }
    return aclGrants(entries, subject, mask & 7) ? null : 'EACCES'
  }
  const bits = inGroup(caller, gid) ? mode >> 3 : mode
  return (mask & ~bits & 7) === 0 ? null : 'EACCES'
}

function accessAcl(view: View, inode: Inode): Uint8Array | null {
  if (!view.superBlock.features.xattrs.includes('system.posix_acl')) return null
  return readAcl(view, inode)
}

/** Null where the object has no access ACL, or, in an overlay, lies on a layer that has none. */
export function readAcl({ superBlock }: View, inode: Inode): Uint8Array | null {
  try {
    return superBlock.getXattr(inode, aclAccessName)
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP')) return null
    throw error
  }
}

function fileSystemRefusal(view: View, inode: Inode, mask: number): Errno | null {
  if (view.superBlock.permission === undefined) return null
  try {
    view.superBlock.permission(inode, mask, view.caller)
    return null
  } catch (error) {
    if (error instanceof FsError) return error.code
    throw error
  }
}

/** may_create(), after the look whether the name is free. */
export function createRefusal(view: View, dir: Inode): Errno | null {
  return permissionRefusal(view, dir, MAY_WRITE | MAY_EXEC)
}

/** may_delete(): of an existing entry `victim` that is removed as a directory or as something else. */
export function deleteRefusal(view: View, dir: Inode, victim: Inode, asDirectory: boolean): Errno | null {
  const refusal = permissionRefusal(view, dir, MAY_WRITE | MAY_EXEC)
  if (refusal !== null) return refusal
  if (isAppendOnly(view, dir) || isSticky(view, dir, victim)) return 'EPERM'
  if ((view.superBlock.getFlags(victim) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) !== 0) return 'EPERM'
  if (asDirectory) return victim.type === 'dir' ? null : 'ENOTDIR'
  return victim.type === 'dir' ? 'EISDIR' : null
}

/** Whether the sticky bit of the directory protects the entry from the caller. */
function isSticky(view: View, dir: Inode, victim: Inode): boolean {
  const { caller } = view
  if (isCapable(view, victim)) return false
  const { mode, uid } = ownershipOf(view, dir)
  if ((mode & S_ISVTX) === 0 || uid === caller.uid) return false
  return ownershipOf(view, victim).uid !== caller.uid
}

/** may_linkat(): whether protected_hardlinks lets the caller make another name for the object. */
export function hardLinkRefusal(view: View, inode: Inode): Errno | null {
  if (isCapable(view, inode)) return null
  const ownership = ownershipOf(view, inode)
  return ownership.uid === view.caller.uid || isSafeLinkSource(view, inode, ownership) ? null : 'EPERM'
}

function isSafeLinkSource(view: View, inode: Inode, { mode }: Ownership): boolean {
  if (inode.type !== 'file' || (mode & S_ISUID) !== 0) return false
  const executableByGroup = S_ISGID | 0o010
  if ((mode & executableByGroup) === executableByGroup) return false
  return permissionRefusal(view, inode, MAY_READ | MAY_WRITE) === null
}

/** Whether a caller may do all of `mask` (MAY_ bits) to an object: inode_permission(), for who has no path to it. */
export function isPermitted(
  superBlock: SuperBlock,
  inode: Inode,
  { mask, caller }: { readonly mask: number; readonly caller: Credentials },
): boolean {
  return permissionRefusal(viewOf(superBlock, caller), inode, mask) === null
}
