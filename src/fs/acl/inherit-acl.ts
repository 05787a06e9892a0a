// What a new object gets from the default ACL of its directory: posix_acl_create() and posix_acl_create_masq() of
// fs/posix_acl.c. File systems apply it in `create`, since only they make object and attributes in one step.
import type { FileType } from '../mode.ts'
import {
  ACL_GROUP,
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  type AclEntry,
  decodeAcl,
  encodeAcl,
} from './posix-acl.ts'

/** Permission bits and lists of a new object. Null: it gets no such attribute. */
export type InheritedAcl = {
  readonly mode: number
  /** Value of system.posix_acl_access. */
  readonly access: Uint8Array | null
  /** Value of system.posix_acl_default: of directories only. */
  readonly default: Uint8Array | null
}

/**
 * Mode and lists of a new object. `parentDefault` is the value of its directory's system.posix_acl_default; without
 * one (and for a symlink) the umask decides, with one it is ignored.
 */
export function inheritAcl(
  parentDefault: Uint8Array | null,
  make: { readonly type: FileType; readonly mode: number; readonly umask: number },
): InheritedAcl {
  if (make.type === 'symlink') return { mode: make.mode, access: null, default: null }
  const entries = parentDefault === null ? [] : decodeAcl(parentDefault)
  // A damaged list cannot be inherited: as if there were none.
  if (typeof entries === 'string' || entries.length === 0) {
    return { mode: make.mode & ~make.umask, access: null, default: null }
  }
  const limited = limitToMode(entries, make.mode)
  const isWhole = entries.every(({ tag }) => tag !== ACL_USER && tag !== ACL_GROUP && tag !== ACL_MASK)
  return {
    mode: limited.mode,
    access: isWhole ? null : encodeAcl(limited.entries),
    default: make.type === 'dir' ? parentDefault : null,
  }
}

/** The list cut down to the mode, and the mode cut down to the list. */
function limitToMode(
  entries: readonly AclEntry[],
  mode: number,
): { readonly mode: number; readonly entries: readonly AclEntry[] } {
  const groupTag = entries.some(({ tag }) => tag === ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ
  const shifts = new Map([
    [ACL_USER_OBJ, 6],
    [groupTag, 3],
    [ACL_OTHER, 0],
  ])
  let left = mode
  const limited = entries.map(entry => {
    const shift = shifts.get(entry.tag)
    if (shift === undefined) return entry
    const permissions = entry.permissions & (mode >> shift) & 7
    left &= ~(7 << shift) | (permissions << shift)
    return { ...entry, permissions }
  })
  return { mode: left, entries: limited }
}
