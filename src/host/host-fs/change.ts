// What changes of an object: size, owner, mode, times, flags. In an order in which nothing has privileges that it is not
// meant to have, and in which the times set last are those that were asked for.
import {
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  type InodeChange,
  O_WRONLY,
  S_ISGID,
  S_ISUID,
  type TimeChange,
} from '../../fs/index.ts'
import { isErrno } from '../../errors/index.ts'
import type { Identity, Place } from '../system/place-calls.ts'
import type { HostInode } from './host-inode.ts'
import { HostFile, openFile } from './open-file.ts'
import { checkIdentity, type Host, placeOf } from './places.ts'
import { readXattr } from './read-xattr.ts'

const privileges = S_ISUID | S_ISGID
const capabilityName = 'security.capability'

/** Errors: those of ftruncate(2), chown(2), chmod(2), utimensat(2); ENOENT, ESTALE. */
export function changeInode(host: Host, node: HostInode, change: InodeChange): void {
  const { sizeBytes, mode, uid, gid, atimeNs, mtimeNs } = change
  if (sizeBytes !== undefined) {
    keepCapability(host, node, () => truncate(host, node, { sizeBytes, isTimed: mtimeNs !== undefined }))
  }
  const isTime = atimeNs !== undefined || mtimeNs !== undefined
  // A change of nothing sets ctime, as chown(2) of nothing does.
  const isNothing = !isTime && mode === undefined && sizeBytes === undefined
  const isOwner = uid !== undefined || gid !== undefined || isNothing
  if (!isOwner && !isTime && mode === undefined) return
  const place = placeOf(host, node)
  const found = host.calls.identify(place)
  checkIdentity(node, found)
  if (isOwner) keepCapability(host, node, () => host.calls.chownat(place, uid ?? -1, gid ?? -1))
  const newMode = mode ?? (isOwner ? lostMode(host, { node, place, before: found }) : null)
  if (newMode !== null && node.type !== 'symlink') host.calls.chmodat(place, newMode & 0o7777)
  // What forbids changes of the times lets only the present through, which the kernel has set with the size.
  const isTimed = sizeBytes !== undefined && (node.flags & (FS_APPEND_FL | FS_IMMUTABLE_FL)) !== 0
  if (isTime && !isTimed) setTimes(host, node, { place, times: { atime: atimeNs ?? 'omit', mtime: mtimeNs ?? 'omit' } })
}

/** chown(2) and truncate(2) take security.capability away; like the set-user-ID bits that is for the caller to decide. */
function keepCapability(host: Host, node: HostInode, change: () => void): void {
  const value = node.type === 'file' ? capabilityOf(host, node) : null
  change()
  if (value === null || readXattr(host, node, capabilityName) !== null) return
  host.calls.setxattrat(placeOf(host, node), capabilityName, { value, flags: 0 })
}

function capabilityOf(host: Host, node: HostInode): Uint8Array | null {
  try {
    return readXattr(host, node, capabilityName)
  } catch (error) {
    // A file system without attributes.
    if (isErrno(error, 'EOPNOTSUPP')) return null
    throw error
  }
}

type Owned = { readonly node: HostInode; readonly place: Place; readonly before: Identity | null }

/** The mode as it was, if chown(2) has taken privileges away: that is for the caller to decide. */
function lostMode({ calls }: Host, { node, place, before }: Owned): number | null {
  if (node.type === 'dir' || before === null || (before.mode & privileges) === 0) return null
  return calls.identify(place)?.mode === before.mode ? null : before.mode
}

type NewTimes = { readonly place: Place; readonly times: { readonly atime: TimeChange; readonly mtime: TimeChange } }

/** Of an append-only file both times can become the present and nothing else, which is all that the VFS lets through. */
function setTimes({ calls }: Host, { flags }: HostInode, { place, times }: NewTimes): void {
  const { atime, mtime } = times
  const areBoth = atime !== 'omit' && mtime !== 'omit'
  if (areBoth && (flags & FS_APPEND_FL) !== 0) calls.utimensat(place, { atime: 'now', mtime: 'now' })
  else calls.utimensat(place, times)
}

type NewSize = {
  readonly sizeBytes: number
  /** ftruncate(2) sets times in any case, truncate(2) only where the size changes. */
  readonly isTimed: boolean
}

function truncate(host: Host, node: HostInode, { sizeBytes, isTimed }: NewSize): void {
  const open = node.open.find(({ isWritable }) => isWritable)
  const file = open ?? openFile(host, node, { flags: O_WRONLY, onClose: () => undefined })
  try {
    if (isTimed) host.calls.ftruncate(file.fd, sizeBytes)
    else host.calls.truncate(file.fd, sizeBytes)
  } finally {
    if (file instanceof HostFile && file !== open) file.close()
  }
}
