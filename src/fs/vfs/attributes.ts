// chmod(2), chown(2), utimensat(2), truncate(2) and their forms for open files: chmod_common(), chown_common() and
// vfs_truncate() of fs/open.c, vfs_utimes() of fs/utimes.c.
import { FsError } from '../../errors/index.ts'
import { canName } from '../credentials.ts'
import type { TimeChange } from '../file-system.ts'
import { MAY_WRITE } from '../flags.ts'
import { S_ISUID } from '../mode.ts'
import { isAppendOnly, permissionRefusal } from './permission.ts'
import { bitsLostByWriting, hasCapability, setgidLost } from './privileges.ts'
import { setAttributes } from './set-attributes.ts'
import { check, ownershipOf, type Subject, type View } from './view.ts'
import { findInode } from './walk.ts'

/** Largest file size: what a JavaScript number counts exactly; the kernel's is 2^63-1. */
export const fileSizeLimitBytes = Number.MAX_SAFE_INTEGER
/** As an id: leave it. */
const keep = 0xffffffff

/** Times of utimensat(2). */
export type Times = { readonly atime: TimeChange; readonly mtime: TimeChange }

/** chmod(2): a symlink is followed. */
export function chmodPath(view: View, path: string, mode: number): void {
  const inode = findInode(view, 'chmod', path, { follow: true })
  chmodInode(view, { inode, syscall: 'chmod', path }, mode)
}

/** fchmod(2). Errors: EOPNOTSUPP of a symlink. */
export function chmodInode(view: View, subject: Subject, mode: number): void {
  checkWritable(view, subject)
  setAttributes(view, subject, { mode: mode & 0o7777 })
}

/** chown(2), or lchown(2) with `follow: false`. */
export function chownPath(view: View, path: string, owner: Owner & { readonly follow: boolean }): void {
  const syscall = owner.follow ? 'chown' : 'lchown'
  const inode = findInode(view, syscall, path, { follow: owner.follow })
  chownInode(view, { inode, syscall, path }, owner)
}

/** User and group; -1 leaves the one that is there. */
export type Owner = { readonly uid: number; readonly gid: number }

/** fchown(2). Errors: EINVAL of an id that the caller's user namespace does not have. Takes set-user-ID, set-group-ID and security.capability away, from root's files too. */
export function chownInode(view: View, subject: Subject, { uid, gid }: Owner): void {
  checkWritable(view, subject)
  const { inode, syscall, path } = subject
  for (const id of [uid >>> 0, gid >>> 0]) {
    if (id !== keep && !canName(view.caller, id)) throw new FsError('EINVAL', syscall, path)
  }
  let kill = 0
  if (inode.type !== 'dir') {
    const present = ownershipOf(view, inode)
    kill = (present.mode & S_ISUID) | setgidLost(view, present.mode, present.gid)
  }
  setAttributes(view, subject, {
    uid: uid >>> 0 === keep ? undefined : uid,
    gid: gid >>> 0 === keep ? undefined : gid,
    kill,
    killCapability: inode.type !== 'dir',
  })
}

/** utimensat(2). Both times omitted: not even the path is looked at. */
export function utimensPath(view: View, path: string, times: Times & { readonly follow?: boolean }): void {
  if (times.atime === 'omit' && times.mtime === 'omit') return
  const inode = findInode(view, 'utimens', path, { follow: times.follow !== false })
  utimensInode(view, { inode, syscall: 'utimens', path }, times)
}

/** futimens(3), of which one time at least changes. Errors: EACCES for the present without write permission, EPERM for other times of others' files. */
export function utimensInode(view: View, subject: Subject, { atime, mtime }: Times): void {
  checkWritable(view, subject)
  const now = atime === 'now' || mtime === 'now' ? view.superBlock.now() : 0n
  const touch = atime === 'now' && mtime === 'now'
  setAttributes(view, subject, {
    atimeNs: timeOf(atime, now),
    mtimeNs: timeOf(mtime, now),
    touch,
    explicitTimes: !touch,
  })
}

function timeOf(time: TimeChange, now: bigint): bigint | undefined {
  if (time === 'omit') return undefined
  return time === 'now' ? now : time
}

/** truncate(2). Errors: EISDIR, EINVAL of what is no regular file or for a negative size, EFBIG. */
export function truncatePath(view: View, path: string, sizeBytes: number): void {
  if (sizeBytes < 0) throw new FsError('EINVAL', 'truncate', path)
  const inode = findInode(view, 'truncate', path, { follow: true })
  if (inode.type === 'dir') throw new FsError('EISDIR', 'truncate', path)
  if (inode.type !== 'file') throw new FsError('EINVAL', 'truncate', path)
  const subject = { inode, syscall: 'truncate', path }
  checkWritable(view, subject)
  check(permissionRefusal(view, inode, MAY_WRITE), 'truncate', path)
  if (isAppendOnly(view, inode)) throw new FsError('EPERM', 'truncate', path)
  truncateInode(view, subject, { sizeBytes })
}

/** do_truncate(): an open file's modification time changes even when its size does not. */
export function truncateInode(
  view: View,
  subject: Subject,
  to: { readonly sizeBytes: number; readonly mtimeNs?: bigint },
): void {
  if (to.sizeBytes > fileSizeLimitBytes) throw new FsError('EFBIG', subject.syscall, subject.path)
  const kill = bitsLostByWriting(view, subject.inode)
  const { sizeBytes, mtimeNs } = to
  setAttributes(view, subject, { sizeBytes, mtimeNs, kill, killCapability: true, force: true })
}

/** file_remove_privs(): before the content of an open file changes. An overlay looks at the layer's file before that. */
export function removePrivileges(view: View, subject: Subject): void {
  const kill = bitsLostByWriting(view, subject.inode, ({ superBlock }, inode) => superBlock.stat(inode))
  if (kill === 0 && !hasCapability(view, subject.inode)) return
  setAttributes(view, subject, { kill, killCapability: true, force: true })
}

/** mnt_want_write() */
export function checkWritable(view: View, { syscall, path }: Omit<Subject, 'inode'>): void {
  if (view.superBlock.readOnly) throw new FsError('EROFS', syscall, path)
}
