// The attributes system.posix_acl_*: vfs_get_acl(), vfs_set_acl(), vfs_remove_acl() and set_posix_acl() of
// fs/posix_acl.c. An access list changes the mode with it, and one that says no more than a mode is not kept at all
// (posix_acl_update_mode()).
import { FsError } from '../../errors/index.ts'
import {
  aclAccessName,
  aclDefaultName,
  type AclEntry,
  decodeAcl,
  encodeAcl,
  isValidAcl,
  modeOfAcl,
} from '../acl/posix-acl.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../flags.ts'
import { S_ISGID } from '../mode.ts'
import type { Inode } from '../super-block.ts'
import { inGroupOrCapable, isOwnerOrCapable } from './permission.ts'
import { ownershipOf, type Subject, type View } from './view.ts'

/** Anyone may read a list. Errors: ENODATA, EOPNOTSUPP of a symlink. */
export function getAcl(view: View, { inode, syscall, path }: Subject, name: string): Uint8Array {
  if (!hasAcls(view) || inode.type === 'symlink') throw new FsError('EOPNOTSUPP', syscall, path)
  const value = view.superBlock.getXattr(inode, name)
  if (value === null) throw new FsError('ENODATA', syscall, path)
  return value
}

/**
 * Sets a list; an empty value removes it. XATTR_CREATE and XATTR_REPLACE mean nothing here. Errors: EINVAL of a
 * malformed list, EACCES of a default list for what is no directory, EPERM for others than the owner.
 */
export function setAcl(
  view: View,
  subject: Subject,
  { name, value }: { readonly name: string; readonly value: Uint8Array },
): void {
  const { syscall, path } = subject
  const entries = value.length === 0 ? [] : decodeAcl(value)
  if (typeof entries === 'string') throw new FsError(entries, syscall, path)
  if (entries.length === 0) return removeAcl(view, subject, name)
  checkSettable(view, subject)
  if (name === aclDefaultName && subject.inode.type !== 'dir') throw new FsError('EACCES', syscall, path)
  checkOwner(view, subject)
  if (!isValidAcl(entries)) throw new FsError('EINVAL', syscall, path)
  if (name === aclAccessName) setAccessAcl(view, subject, entries)
  else view.superBlock.setXattr(subject.inode, name, encodeAcl(entries), 0)
}

/** Removes a list. That there was none is an error only where the file system says so, as an overlay does. */
export function removeAcl(view: View, subject: Subject, name: string): void {
  checkSettable(view, subject)
  if (name === aclDefaultName && subject.inode.type !== 'dir') return
  checkOwner(view, subject)
  // First: an overlay copies up for it, and its upper layer says nothing when there was no list.
  if (name === aclAccessName) dropForeignSetgid(view, subject.inode)
  view.superBlock.removeXattr(subject.inode, name)
}

/** Without the list, too, who is no member of the group must not keep its setgid bit (simple_set_acl()). */
function dropForeignSetgid(view: View, inode: Inode): void {
  if (view.caller.capable) return
  const { mode, gid } = ownershipOf(view, inode)
  if ((mode & S_ISGID) === 0 || inGroupOrCapable(view.caller, gid)) return
  view.superBlock.change(inode, { mode: mode & 0o7777 & ~S_ISGID })
}

function setAccessAcl(view: View, { inode }: Subject, entries: readonly AclEntry[]): void {
  const { superBlock, caller } = view
  const { gid } = ownershipOf(view, inode)
  const { bits, isWhole } = modeOfAcl(entries)
  const kept = inGroupOrCapable(caller, gid) ? 0o7000 : 0o7000 & ~S_ISGID
  const mode = (superBlock.stat(inode).mode & kept) | bits
  if (!isWhole) superBlock.setXattr(inode, aclAccessName, encodeAcl(entries), 0)
  else if (superBlock.getXattr(inode, aclAccessName) !== null) superBlock.removeXattr(inode, aclAccessName)
  superBlock.change(inode, { mode, followsAcl: true })
}

function checkSettable(view: View, { inode, syscall, path }: Subject): void {
  if ((view.superBlock.getFlags(inode) & (FS_IMMUTABLE_FL | FS_APPEND_FL)) !== 0) {
    throw new FsError('EPERM', syscall, path)
  }
  if (!hasAcls(view) || inode.type === 'symlink') throw new FsError('EOPNOTSUPP', syscall, path)
}

function checkOwner(view: View, { inode, syscall, path }: Subject): void {
  if (!isOwnerOrCapable(view, inode)) throw new FsError('EPERM', syscall, path)
}

function hasAcls(view: View): boolean {
  return view.superBlock.features.xattrs.includes('system.posix_acl')
}
