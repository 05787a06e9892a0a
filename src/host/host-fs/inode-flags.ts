// Flags of chattr(1). The two that forbid changes come with every look at an object (statx); all of them are had from an
// open file or directory only.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../../fs/index.ts'
import type { HostInode } from './host-inode.ts'
import { checkIdentity, type Host, placeOf } from './places.ts'

const { O_NONBLOCK } = fs.constants
const forbidding = FS_IMMUTABLE_FL | FS_APPEND_FL

/**
 * All flags of what is open; of anything else FS_IMMUTABLE_FL and FS_APPEND_FL as they were when it was last looked at:
 * the kernel itself refuses what they forbid.
 */
export function inodeFlags(host: Host, node: HostInode): number {
  const open = node.open.find(({ isPath }) => !isPath)
  if (open !== undefined) return flagsOfOpen(host, node, open.fd)
  // The root is never looked up.
  if (node.parent === null) checkIdentity(node, host.calls.identify(placeOf(host, node)))
  return node.flags
}

function flagsOfOpen({ calls }: Host, node: HostInode, fd: number): number {
  try {
    return calls.getFlags(fd)
  } catch (error) {
    if (!isErrno(error, 'ENOTTY', 'EOPNOTSUPP')) throw error
    return node.flags // a file system without flags
  }
}

/**
 * Sets exactly these flags of what is open; of anything else FS_IMMUTABLE_FL and FS_APPEND_FL, and others stay.
 * Errors: EOPNOTSUPP, EPERM.
 */
export function setInodeFlags(host: Host, node: HostInode, flags: number): void {
  const open = node.open.find(({ isPath }) => !isPath)
  if (open !== undefined) setOfOpen(host, open.fd, flags)
  else setOfClosed(host, node, flags)
  node.flags = flags & forbidding
}

function setOfOpen({ calls }: Host, fd: number, flags: number): void {
  try {
    calls.setFlags(fd, flags)
  } catch (error) {
    throw isErrno(error, 'ENOTTY') ? new FsError('EOPNOTSUPP', 'ioctl') : error
  }
}

function setOfClosed(host: Host, node: HostInode, flags: number): void {
  if (node.type !== 'file' && node.type !== 'dir') throw new FsError('EOPNOTSUPP', 'ioctl')
  const fd = host.descriptors.withRoom(() => {
    const place = placeOf(host, node)
    return place.name === '' ? host.calls.reopen(place.fd, O_NONBLOCK) : host.calls.openat(place, O_NONBLOCK)
  })
  try {
    checkIdentity(node, host.calls.identify({ fd, name: '' }))
    setOfOpen(host, fd, (host.calls.getFlags(fd) & ~forbidding) | (flags & forbidding))
  } finally {
    fs.closeSync(fd)
  }
}
