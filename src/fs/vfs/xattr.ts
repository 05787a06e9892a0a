// Extended attributes: fs/xattr.c. Who may read and write which namespace is decided here, what can be stored by the
// file system; POSIX ACLs go their own way (acl-xattr.ts).
import { type Errno, FsError } from '../../errors/index.ts'
import { nameByteLength } from '../../path/index.ts'
import { isPrivileged } from '../credentials.ts'
import { aclAccessName, aclDefaultName } from '../acl/posix-acl.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, MAY_READ, MAY_WRITE, XATTR_CREATE, XATTR_REPLACE } from '../flags.ts'
import { S_ISVTX } from '../mode.ts'
import type { Inode, SuperBlock } from '../super-block.ts'
import { getAcl, removeAcl, setAcl } from './acl-xattr.ts'
import { checkWritable } from './attributes.ts'
import { isCapabilityValue, shownCapability } from './capability-value.ts'
import { isOwnerOrCapable, permissionRefusal } from './permission.ts'
import { check, ownershipOf, type Subject, type View } from './view.ts'

/** Longest name, in bytes: XATTR_NAME_MAX. */
const nameLimitBytes = 255
/** Longest value and longest list of names: XATTR_SIZE_MAX, XATTR_LIST_MAX. */
const sizeLimitBytes = 65536
const capabilityName = 'security.capability'

/** A new value; `flags` of XATTR_ bits. */
export type NewAttribute = { readonly name: string; readonly value: Uint8Array; readonly flags: number }

/** What is refused before the object is looked for. Errors: EINVAL, ERANGE, E2BIG. Source: setxattr_copy(). */
export function checkNewAttribute(syscall: string, { name, value, flags }: NewAttribute): void {
  if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) throw new FsError('EINVAL', syscall)
  checkAttributeName(syscall, name)
  if (value.length > sizeLimitBytes) throw new FsError('E2BIG', syscall)
}

/** Errors: ERANGE for an empty name or one above 255 bytes. */
export function checkAttributeName(syscall: string, name: string): void {
  if (name === '' || nameByteLength(name) > nameLimitBytes) throw new FsError('ERANGE', syscall)
}

/** vfs_getxattr(). Errors: ENODATA, EOPNOTSUPP, EACCES. */
export function getAttribute(view: View, subject: Subject, name: string): Uint8Array {
  if (isAcl(name)) return getAcl(view, subject, name)
  const { inode, syscall, path } = subject
  check(attributeRefusal(view, inode, { name, mask: MAY_READ }), syscall, path)
  check(namespaceRefusal(view, name), syscall, path)
  const value = view.superBlock.getXattr(inode, name)
  if (value === null) throw new FsError('ENODATA', syscall, path)
  if (name !== capabilityName) return value
  const shown = shownCapability(value)
  if (shown === null) throw new FsError('EINVAL', syscall, path)
  return shown
}

/** vfs_setxattr(). Errors: EPERM, EACCES, EEXIST, ENODATA, EOPNOTSUPP, EROFS; EINVAL of a malformed ACL or capability. */
export function setAttribute(view: View, subject: Subject, attribute: NewAttribute): void {
  checkWritable(view, subject)
  const { name, value, flags } = attribute
  if (isAcl(name)) return setAcl(view, subject, { name, value })
  const { inode, syscall, path } = subject
  if (name === capabilityName && value.length > 0) {
    if (!isCapabilityValue(value)) throw new FsError('EINVAL', syscall, path)
    if (!view.caller.capable) throw new FsError('EPERM', syscall, path)
  }
  check(attributeRefusal(view, inode, { name, mask: MAY_WRITE }), syscall, path)
  if (name !== capabilityName) check(securityRefusal(view, name), syscall, path)
  check(namespaceRefusal(view, name), syscall, path)
  view.superBlock.setXattr(inode, name, value, flags)
  if (name === capabilityName) view.state.privilegeChanges++
}

/** vfs_removexattr(). Errors: as `setAttribute`; ENODATA. */
export function removeAttribute(view: View, subject: Subject, name: string): void {
  checkWritable(view, subject)
  if (isAcl(name)) return removeAcl(view, subject, name)
  const { inode, syscall, path } = subject
  check(attributeRefusal(view, inode, { name, mask: MAY_WRITE }), syscall, path)
  check(securityRefusal(view, name), syscall, path)
  check(namespaceRefusal(view, name), syscall, path)
  view.superBlock.removeXattr(inode, name)
}

/** listxattr(2): trusted names for capable callers only (P12). Errors: E2BIG. */
export function listAttributes(view: View, { inode, syscall, path }: Subject): readonly string[] {
  const all = view.superBlock.listXattrs(inode)
  const names = isPrivileged(view.caller) ? all : all.filter(name => !name.startsWith('trusted.'))
  let sizeBytes = 0
  for (const name of names) sizeBytes += nameByteLength(name) + 1
  if (sizeBytes > sizeLimitBytes) throw new FsError('E2BIG', syscall, path)
  return names
}

function isAcl(name: string): boolean {
  return name === aclAccessName || name === aclDefaultName
}

/** xattr_permission() */
function attributeRefusal(
  view: View,
  inode: Inode,
  { name, mask }: { readonly name: string; readonly mask: number },
): Errno | null {
  const writes = (mask & MAY_WRITE) !== 0
  if (writes && (view.superBlock.getFlags(inode) & (FS_IMMUTABLE_FL | FS_APPEND_FL)) !== 0) return 'EPERM'
  if (name.startsWith('security.') || name.startsWith('system.')) return null
  const hidden = writes ? 'EPERM' : 'ENODATA'
  if (name.startsWith('trusted.')) return isPrivileged(view.caller) ? null : hidden
  if (name.startsWith('user.')) {
    if (inode.type !== 'file' && inode.type !== 'dir') return hidden
    if (writes && isProtectedDirectory(view, inode)) return 'EPERM'
  }
  return permissionRefusal(view, inode, mask)
}

/** Attributes of a sticky directory belong to its owner. */
function isProtectedDirectory(view: View, inode: Inode): boolean {
  if (inode.type !== 'dir' || isPrivileged(view.caller)) return false
  return (ownershipOf(view, inode).mode & S_ISVTX) !== 0 && !isOwnerOrCapable(view, inode)
}

/** cap_inode_setxattr(), cap_inode_removexattr() */
function securityRefusal(view: View, name: string): Errno | null {
  return name.startsWith('security.') && !view.caller.capable ? 'EPERM' : null
}

function namespaceRefusal({ superBlock }: View, name: string): Errno | null {
  return superBlock.features.takesAnyXattr === true ? null : xattrNameRefusal(superBlock, name)
}

/** What a file system answers to a name that it has no place for: EOPNOTSUPP, EINVAL. Source: xattr_resolve_name(). */
export function xattrNameRefusal({ features }: Pick<SuperBlock, 'features'>, name: string): Errno | null {
  const dot = name.indexOf('.')
  const namespace = dot < 0 ? '' : name.slice(0, dot)
  const isKnown = namespace === 'user' || namespace === 'trusted' || namespace === 'security'
  if (!isKnown || !features.xattrs.includes(namespace)) return 'EOPNOTSUPP'
  return dot === name.length - 1 ? 'EINVAL' : null
}
