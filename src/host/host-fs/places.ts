// From a node to what a system call takes: the descriptor of its directory and its name, or a descriptor of its own.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import type { NameOf, StoredFileHandle } from '../../fs/index.ts'
import type { Identity, Place, PlaceCalls } from '../system/place-calls.ts'
import type { Descriptors } from './descriptors.ts'
import { type HostInode, type HostRoot, isIdentity } from './host-inode.ts'

const { O_DIRECTORY } = fs.constants

/** What the operations of host file systems share, once for each thread. */
export type Host = { readonly calls: PlaceCalls; readonly descriptors: Descriptors }

/** The place of a name in a directory. Errors: those of opening the directory. */
export function entryPlace({ descriptors }: Host, dir: HostInode, name: string): Place {
  return { fd: descriptors.of(dir), name }
}

/**
 * Where an object is. By its name somebody else may have put something different there: see `certainPlace`.
 * Errors: ENOENT when it is gone, ESTALE for a handle that leads nowhere any more.
 */
export function placeOf(host: Host, node: HostInode): Place {
  const open = node.open[0]
  if (open !== undefined) return { fd: open.fd, name: node.type === 'dir' ? '.' : '' }
  if (node.fd >= 0) {
    node.isUsed = true
    return { fd: node.fd, name: node.type === 'dir' ? '.' : '' }
  }
  if (node.handle !== null) return { fd: openByHandle(host, node), name: '' }
  if (node.parent === null || node.isGone) throw new FsError(node.isGone ? 'ENOENT' : 'EBADF', 'lookup')
  return { fd: host.descriptors.of(node.parent), name: node.name }
}

/** Whether a place is a name, not a descriptor of the object itself. */
export function isByName(place: Place): boolean {
  return place.name !== '' && place.name !== '.'
}

/**
 * The place of an object that is about to be changed, after a look whether it is still there: a stale node never leads
 * to another file. Errors: ENOENT, ESTALE.
 */
export function certainPlace(host: Host, node: HostInode): Place {
  const place = placeOf(host, node)
  if (isByName(place)) checkIdentity(node, host.calls.identify(place))
  return place
}

/** Errors: ENOENT where nothing was found, ESTALE where something else was. */
export function checkIdentity(node: HostInode, found: Identity | null): void {
  if (found === null) throw new FsError('ENOENT', 'lookup')
  if (!isIdentity(node, found)) throw new FsError('ESTALE', 'lookup')
  node.flags = found.flags
}

/**
 * Looks whether a name still stands for its object (for nothing known: 0); how many names that has.
 * Errors: ENOENT, ESTALE.
 */
export function checkEntry(host: Host, { dir, name, inode }: NameOf<HostInode>): number {
  if (inode === null) return 0
  const found = host.calls.identify(entryPlace(host, dir, name))
  checkIdentity(inode, found)
  return found?.nlink ?? 0
}

/** A descriptor for an object without a name, kept among those of directories. */
function openByHandle(host: Host, node: HostInode): number {
  const fd = node.handle === null ? null : openHandle(host, node.handle.root, node.handle.stored)
  if (fd === null) throw new FsError('ESTALE', 'open_by_handle_at')
  host.descriptors.keep(node, fd)
  return fd
}

/** open_by_handle_at(2) in the file system of a root; null: stale, or not allowed. */
export function openHandle(host: Host, root: HostRoot, stored: StoredFileHandle): number | null {
  const mountFd = mountDescriptor(host, root)
  return mountFd === null ? null : host.descriptors.withRoom(() => host.calls.openHandle(mountFd, stored))
}

/** A descriptor of the root for what O_PATH does not allow; null where the directory may not be read. */
export function mountDescriptor({ calls, descriptors }: Host, root: HostRoot): number | null {
  if (root.mountFd >= 0) return root.mountFd
  try {
    root.mountFd = descriptors.withRoom(() => calls.openat({ fd: root.fd, name: '.' }, O_DIRECTORY))
    return root.mountFd
  } catch (error) {
    if (isErrno(error, 'EACCES')) return null
    throw error
  }
}
