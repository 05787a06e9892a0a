// POSIX access control lists as values: the attributes system.posix_acl_access and system.posix_acl_default in their
// binary form (include/uapi/linux/posix_acl_xattr.h: a version, then tag, permissions and id of every entry, little
// endian) and the rules of fs/posix_acl.c. Pure: who stores them and who may change them is decided elsewhere.

/** Attribute of the list that guards an object. */
export const aclAccessName = 'system.posix_acl_access'
/** Attribute of the list that new entries of a directory get. */
export const aclDefaultName = 'system.posix_acl_default'

/** The owner. */
export const ACL_USER_OBJ = 0x01
/** A user by number. */
export const ACL_USER = 0x02
/** The group of the object. */
export const ACL_GROUP_OBJ = 0x04
/** A group by number. */
export const ACL_GROUP = 0x08
/** What users and groups get at most. */
export const ACL_MASK = 0x10
/** Everyone else. */
export const ACL_OTHER = 0x20

/** One entry: a tag, permission bits of MAY_, and the number of a user or a group (else `noId`). */
export type AclEntry = { readonly tag: number; readonly permissions: number; readonly id: number }

const version = 2
const headerBytes = 4
const entryBytes = 8
const noId = 0xffffffff

/**
 * The entries of an attribute's value: 'EINVAL' or 'EOPNOTSUPP' (another version) for what is no list at all, an empty
 * list for a bare header, which stands for "no list". Source: posix_acl_from_xattr().
 */
export function decodeAcl(value: Uint8Array): readonly AclEntry[] | 'EINVAL' | 'EOPNOTSUPP' {
  if (value.length < headerBytes) return 'EINVAL'
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (view.getUint32(0, true) !== version) return 'EOPNOTSUPP'
  if ((value.length - headerBytes) % entryBytes !== 0) return 'EINVAL'
  const entries: AclEntry[] = []
  for (let at = headerBytes; at < value.length; at += entryBytes) {
    const tag = view.getUint16(at, true)
    const named = tag === ACL_USER || tag === ACL_GROUP
    const id = named ? view.getUint32(at + 4, true) : noId
    if (named && id === noId) return 'EINVAL'
    if (!named && tag !== ACL_USER_OBJ && tag !== ACL_GROUP_OBJ && tag !== ACL_MASK && tag !== ACL_OTHER)
      return 'EINVAL'
    entries.push({ tag, permissions: view.getUint16(at + 2, true), id })
  }
  return entries
}

/** The attribute's value of a list. */
export function encodeAcl(entries: readonly AclEntry[]): Uint8Array {
  const value = new Uint8Array(headerBytes + entries.length * entryBytes)
  const view = new DataView(value.buffer)
  view.setUint32(0, version, true)
  let at = headerBytes
  for (const { tag, permissions, id } of entries) {
    view.setUint16(at, tag, true)
    view.setUint16(at + 2, permissions, true)
    view.setUint32(at + 4, id, true)
    at += entryBytes
  }
  return value
}

/**
 * Whether a list can be stored: owner, users, group, groups, mask and others in this order, a mask where users or
 * groups are named, no unknown permission. Source: posix_acl_valid().
 */
export function isValidAcl(entries: readonly AclEntry[]): boolean {
  let next = ACL_USER_OBJ
  let needsMask = false
  for (const { tag, permissions } of entries) {
    if ((permissions & ~7) !== 0) return false
    const after = followingTag(next, tag, needsMask)
    if (after === undefined) return false
    next = after
    if (tag === ACL_USER || tag === ACL_GROUP) needsMask = true
  }
  return next === 0
}

/** The first tag that may stand behind `tag` where `expected` may stand; 0 behind the last one, undefined: misplaced. */
function followingTag(expected: number, tag: number, needsMask: boolean): number | undefined {
  if (tag === ACL_USER_OBJ) return expected === ACL_USER_OBJ ? ACL_USER : undefined
  if (tag === ACL_USER) return expected === ACL_USER ? ACL_USER : undefined
  if (tag === ACL_GROUP_OBJ) return expected === ACL_USER ? ACL_GROUP : undefined
  if (tag === ACL_GROUP) return expected === ACL_GROUP ? ACL_GROUP : undefined
  if (tag === ACL_MASK) return expected === ACL_GROUP ? ACL_OTHER : undefined
  if (expected === ACL_OTHER) return 0
  return expected === ACL_GROUP && !needsMask ? 0 : undefined
}

/**
 * The permission bits (0o777) that a list stands for, and whether they say all of it, so that no list has to be kept.
 * Source: posix_acl_equiv_mode().
 */
export function modeOfAcl(entries: readonly AclEntry[]): { readonly bits: number; readonly isWhole: boolean } {
  let bits = 0
  let isWhole = true
  for (const { tag, permissions } of entries) {
    if (tag === ACL_USER_OBJ) bits |= (permissions & 7) << 6
    else if (tag === ACL_GROUP_OBJ) bits |= (permissions & 7) << 3
    else if (tag === ACL_OTHER) bits |= permissions & 7
    else {
      isWhole = false
      if (tag === ACL_MASK) bits = (bits & ~0o070) | ((permissions & 7) << 3)
    }
  }
  return { bits, isWhole }
}

/** The list as it is after a chmod: owner, others, and the mask (the group where there is none) follow the mode. */
export function chmodAcl(entries: readonly AclEntry[], mode: number): readonly AclEntry[] {
  const groupTag = entries.some(({ tag }) => tag === ACL_MASK) ? ACL_MASK : ACL_GROUP_OBJ
  return entries.map(entry => {
    if (entry.tag === ACL_USER_OBJ) return { ...entry, permissions: (mode >> 6) & 7 }
    if (entry.tag === groupTag) return { ...entry, permissions: (mode >> 3) & 7 }
    return entry.tag === ACL_OTHER ? { ...entry, permissions: mode & 7 } : entry
  })
}

/** Who asks, and of what: numbers of the caller and of the object. */
export type AclSubject = {
  readonly isOwner: boolean
  readonly uid: number
  /** Group of the object. */
  readonly gid: number
  inGroup(gid: number): boolean
}

/** Whether the list grants all of `mask` (MAY_ bits). Source: posix_acl_permission(). */
export function aclGrants(entries: readonly AclEntry[], subject: AclSubject, mask: number): boolean {
  let inSomeGroup = false
  for (const { tag, permissions, id } of entries) {
    const enough = (permissions & mask) === mask
    if (tag === ACL_USER_OBJ && subject.isOwner) return enough
    if (tag === ACL_USER && id === subject.uid) return enough && maskGrants(entries, mask)
    if (tag === ACL_GROUP_OBJ || tag === ACL_GROUP) {
      if (!subject.inGroup(tag === ACL_GROUP ? id : subject.gid)) continue
      inSomeGroup = true
      if (enough) return maskGrants(entries, mask)
    }
    if (tag === ACL_OTHER) return !inSomeGroup && enough
  }
  return false
}

function maskGrants(entries: readonly AclEntry[], mask: number): boolean {
  const limit = entries.find(({ tag }) => tag === ACL_MASK)
  return limit === undefined || (limit.permissions & mask) === mask
}
