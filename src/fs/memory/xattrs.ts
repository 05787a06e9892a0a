// Attributes of an inode, as fs/xattr.c keeps them for tmpfs (simple_xattr_*): a tree sorted by name that is listed from
// its end, behind the two ACLs, which live apart. The limits of names and values are the VFS's.
import { FsError } from '../../errors/index.ts'
import { comparePaths } from '../../path/index.ts'
import { aclAccessName, aclDefaultName, chmodAcl, decodeAcl, encodeAcl, modeOfAcl } from '../acl/posix-acl.ts'
import { XATTR_CREATE, XATTR_REPLACE } from '../flags.ts'
import type { MemoryInode } from './inode.ts'
import type { Space } from './space.ts'

/** True when a file system with these namespaces keeps an attribute of this name. */
export function isKept(namespaces: readonly string[], name: string): boolean {
  if (isAcl(name)) return namespaces.includes('system.posix_acl')
  return namespaces.includes(name.slice(0, name.indexOf('.')))
}

/** Sets one attribute that is no ACL. Errors: EEXIST, ENODATA, ENOSPC. */
export function setPlainXattr(
  inode: MemoryInode,
  attribute: { readonly name: string; readonly value: Uint8Array; readonly flags: number },
  space: Space,
): void {
  const { name, value, flags } = attribute
  const old = inode.xattrs?.get(name)
  space.takeXattr(name, value)
  if (old !== undefined && (flags & XATTR_CREATE) !== 0) refuse('EEXIST')
  if (old === undefined && (flags & XATTR_REPLACE) !== 0) refuse('ENODATA')
  if (old !== undefined) space.freeXattr(name, old)
  store(inode, name, value)

  function refuse(code: 'EEXIST' | 'ENODATA'): never {
    space.freeXattr(name, value)
    throw new FsError(code, 'setxattr')
  }
}

/**
 * Sets one of the two ACLs. The access list decides the permission bits, and one that says no more than they do is not
 * kept (simple_set_acl, posix_acl_update_mode). Errors: EINVAL, EOPNOTSUPP for what is no list.
 */
export function setAcl(inode: MemoryInode, name: string, value: Uint8Array): void {
  const entries = decodeAcl(value)
  if (typeof entries === 'string') throw new FsError(entries, 'setxattr')
  let isKeptApart = entries.length > 0
  if (name === aclAccessName && isKeptApart) {
    const { bits, isWhole } = modeOfAcl(entries)
    inode.setPermissions((inode.mode & 0o7000) | bits)
    isKeptApart = !isWhole
  }
  if (isKeptApart) store(inode, name, value)
  else inode.xattrs?.delete(name)
}

/** The access ACL after a change of mode: posix_acl_chmod. */
export function followMode(inode: MemoryInode): void {
  const value = inode.xattrs?.get(aclAccessName)
  const entries = value === undefined ? 'EINVAL' : decodeAcl(value)
  if (typeof entries !== 'string') store(inode, aclAccessName, encodeAcl(chmodAcl(entries, inode.mode)))
}

/** Errors: ENODATA. An ACL that is not there is removed without one. */
export function dropXattr(inode: MemoryInode, name: string, space: Space): void {
  const old = inode.xattrs?.get(name)
  if (old === undefined && !isAcl(name)) throw new FsError('ENODATA', 'removexattr')
  if (old === undefined) return
  if (!isAcl(name)) space.freeXattr(name, old)
  inode.xattrs?.delete(name)
}

/** All names: the ACLs, then the rest from the last in the order of bytes to the first. */
export function listNames(inode: MemoryInode): readonly string[] {
  if (inode.xattrs === null || inode.xattrs.size === 0) return []
  return [...inode.xattrs.keys()].toSorted((a, b) => rank(a) - rank(b) || comparePaths(b, a))
}

/** True for the two names that hold POSIX ACLs. */
export function isAcl(name: string): boolean {
  return name === aclAccessName || name === aclDefaultName
}

function store(inode: MemoryInode, name: string, value: Uint8Array): void {
  inode.xattrs ??= new Map()
  inode.xattrs.set(name, new Uint8Array(value))
}

function rank(name: string): number {
  if (name === aclAccessName) return 0
  return name === aclDefaultName ? 1 : 2
}

/** Gives the space of all attributes back when the inode goes. */
export function forgetXattrs(inode: MemoryInode, space: Space): void {
  if (inode.xattrs === null) return
  for (const [name, value] of inode.xattrs) {
    if (!isAcl(name)) space.freeXattr(name, value)
  }
}
