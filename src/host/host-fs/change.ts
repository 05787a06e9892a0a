// What changes of an object: size, owner, mode, times, flags. In an order in which nothing has privileges that it is not
// meant to have, and in which the times set last are those that were asked for.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, type InodeChange, O_WRONLY, S_ISGID, S_ISUID } from '../../fs/index.ts'
import type { Identity } from '../system/place-calls.ts'
import type { HostInode } from './host-inode.ts'
import { openFile } from './open-file.ts'
import { checkIdentity, type Host, placeOf } from './places.ts'

const { O_NONBLOCK } = fs.constants
const privileges = S_ISUID | S_ISGID

/** Errors: those of ftruncate(2), chown(2), chmod(2), utimensat(2); ENOENT, ESTALE. */
export function changeInode(host: Host, node: HostInode, change: InodeChange): void {
  if (change.sizeBytes !== undefined) truncate(host, node, change.sizeBytes)
  const { mode, uid, gid, atimeNs, mtimeNs } = change
  const isOwner = uid !== undefined || gid !== undefined
  const isTime = atimeNs !== undefined || mtimeNs !== undefined
  if (!isOwner && !isTime && mode === undefined) return
  const place = placeOf(host, node)
  const found = host.calls.identify(place)
  checkIdentity(node, found)
  if (isOwner) host.calls.chownat(place, uid ?? -1, gid ?? -1)
  const newMode = mode ?? (isOwner ? keptMode(node, found) : null)
  if (newMode !== null && node.type !== 'symlink') host.calls.chmodat(place, newMode & 0o7777)
  if (isTime) host.calls.utimensat(place, { atime: atimeNs ?? 'omit', mtime: mtimeNs ?? 'omit' })
}

/** chown(2) has taken privileges away, which is for the caller to decide. */
function keptMode({ type }: HostInode, found: Identity | null): number | null {
  return type === 'dir' || found === null || (found.mode & privileges) === 0 ? null : found.mode
}

function truncate(host: Host, node: HostInode, sizeBytes: number): void {
  const open = node.files.find(file => file.isWritable)
  if (open !== undefined) return host.calls.ftruncate(open.fd, sizeBytes)
  const file = openFile(host, node, { flags: O_WRONLY, onClose: () => undefined })
  try {
    host.calls.ftruncate(file.fd, sizeBytes)
  } finally {
    file.close()
  }
}

/** FS_IMMUTABLE_FL and FS_APPEND_FL; other flags of the file stay. Errors: EOPNOTSUPP, EPERM. */
export function setInodeFlags(host: Host, node: HostInode, flags: number): void {
  if (node.type !== 'file' && node.type !== 'dir') throw new FsError('EOPNOTSUPP', 'ioctl')
  const place = placeOf(host, node)
  const fd = host.descriptors.withRoom(() =>
    place.name === '' ? host.calls.reopen(place.fd, O_NONBLOCK) : host.calls.openat(place, O_NONBLOCK),
  )
  try {
    checkIdentity(node, host.calls.identify({ fd, name: '' }))
    const changing = FS_IMMUTABLE_FL | FS_APPEND_FL
    host.calls.setFlags(fd, (host.calls.getFlags(fd) & ~changing) | (flags & changing))
    node.flags = flags & changing
  } catch (error) {
    throw isErrno(error, 'ENOTTY') ? new FsError('EOPNOTSUPP', 'ioctl') : error
  } finally {
    fs.closeSync(fd)
  }
}
