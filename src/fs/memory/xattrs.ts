// Attributes of an inode, as fs/xattr.c keeps them for tmpfs (simple_xattr_*): a tree sorted by name that is listed from
// its end, behind the two ACLs, which live apart. The limits of names and values are the VFS's.
import { FsError } from '../../errors/index.ts'
import { comparePaths } from '../../path/index.ts'
import { XATTR_CREATE, XATTR_REPLACE } from '../flags.ts'
import type { MemoryInode } from './inode.ts'
import type { Space } from './space.ts'

/** The attribute that holds the access ACL. */
export const accessAcl = 'system.posix_acl_access'
/** The attribute that holds the default ACL of a directory. */
export const defaultAcl = 'system.posix_acl_default'

/** True when a file system with these namespaces keeps an attribute of this name. */
export function isKept(namespaces: readonly string[], name: string): boolean {
  if (name === accessAcl || name === defaultAcl) return namespaces.includes('system.posix_acl')
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
  inode.xattrs ??= new Map()
  inode.xattrs.set(name, new Uint8Array(value))

  function refuse(code: 'EEXIST' | 'ENODATA'): never {
    space.freeXattr(name, value)
    throw new FsError(code, 'setxattr')
  }
}

/** Errors: ENODATA. An ACL that is not there is removed without one. */
export function dropXattr(inode: MemoryInode, name: string, space: Space): void {
  const old = inode.xattrs?.get(name)
  const isAcl = name === accessAcl || name === defaultAcl
  if (old === undefined && !isAcl) throw new FsError('ENODATA', 'removexattr')
  if (old === undefined) return
  if (!isAcl) space.freeXattr(name, old)
  inode.xattrs?.delete(name)
}

/** All names: the ACLs, then the rest from the last in the order of bytes to the first. */
export function listNames(inode: MemoryInode): readonly string[] {
  if (inode.xattrs === null || inode.xattrs.size === 0) return []
  return [...inode.xattrs.keys()].toSorted((a, b) => rank(a) - rank(b) || comparePaths(b, a))
}

function rank(name: string): number {
  if (name === accessAcl) return 0
  return name === defaultAcl ? 1 : 2
}

/** Gives the space of all attributes back when the inode goes. */
export function forgetXattrs(inode: MemoryInode, space: Space): void {
  if (inode.xattrs === null) return
  for (const [name, value] of inode.xattrs) {
    if (name !== accessAcl && name !== defaultAcl) space.freeXattr(name, value)
  }
}
