// Changing mode, owner, size and times: may_setattr(), notify_change(), setattr_prepare() of fs/attr.c. The file
// system is asked to `change` also when nothing differs, as the kernel does: an overlay copies up for it (rule 93).
import type { Errno } from '../../errors/index.ts'
import { FsError } from '../../errors/index.ts'
import { aclAccessName, chmodAcl, decodeAcl, encodeAcl } from '../acl/posix-acl.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, MAY_WRITE } from '../flags.ts'
import { S_ISGID, S_ISUID } from '../mode.ts'
import type { Ownership } from '../stat.ts'
import type { Inode, InodeChange } from '../super-block.ts'
import {
  inGroup,
  inGroupOrCapable,
  isCapable,
  isImmutable,
  isOwnerOrCapable,
  permissionRefusal,
  readAcl,
} from './permission.ts'
import { hasCapability, removeCapability } from './privileges.ts'
import { check, ownershipOf, type Subject, type View } from './view.ts'

/** What a call asks for: struct iattr with its ATTR_ bits. */
export type AttributeRequest = {
  readonly mode?: number
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  readonly sizeBytes?: number | undefined
  readonly atimeNs?: bigint | undefined
  readonly mtimeNs?: bigint | undefined
  /** Times that only the owner may set: ATTR_TIMES_SET. */
  readonly explicitTimes?: boolean
  /** The present for both times: write permission is enough. ATTR_TOUCH. */
  readonly touch?: boolean
  /** Bits S_ISUID and S_ISGID to take away from the mode: ATTR_KILL_SUID, ATTR_KILL_SGID. */
  readonly kill?: number
  /** Take away security.capability: ATTR_KILL_PRIV. */
  readonly killCapability?: boolean
  /** Do not ask who the owner is: ATTR_FORCE. */
  readonly force?: boolean
}

type Decided = { readonly request: AttributeRequest; readonly mode: number | undefined }

/** Checks the request and has the file system change the object. Errors: EPERM, EACCES, EOPNOTSUPP, EROFS. */
export function setAttributes(view: View, subject: Subject, request: AttributeRequest): void {
  const { inode } = subject
  checkFlags(view, subject, request)
  if (request.mode !== undefined && inode.type === 'symlink') fail(subject, 'EOPNOTSUPP')
  const capability = request.killCapability === true && hasCapability(view, inode)
  const mode = modeAfter(view, inode, request)
  if (request.force !== true && !isCapable(view, inode)) checkOwner(view, subject, { request, mode })
  if (capability) removeCapability(view, inode)
  view.superBlock.change(inode, changeOf(view, inode, { request, mode }))
  if (mode === undefined) return
  if ((mode & (S_ISUID | S_ISGID)) !== 0) view.state.privilegeChanges++
  if (inode.type !== 'symlink') followModeInAcl(view, inode, mode)
}

/** may_setattr() */
function checkFlags(view: View, subject: Subject, request: AttributeRequest): void {
  const { inode, syscall, path } = subject
  const { mode, uid, gid, explicitTimes, touch } = request
  if (mode !== undefined || uid !== undefined || gid !== undefined || explicitTimes === true) {
    const flags = view.superBlock.getFlags(inode)
    if ((flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) !== 0) fail(subject, 'EPERM')
  }
  if (touch !== true) return
  if (isImmutable(view, inode)) fail(subject, 'EPERM')
  if (isOwnerOrCapable(view, inode)) return
  check(permissionRefusal(view, inode, MAY_WRITE), syscall, path)
}

/** The mode to set: the one asked for, or what is left without the bits to kill. Undefined: it stays. */
function modeAfter(view: View, inode: Inode, { mode, kill = 0 }: AttributeRequest): number | undefined {
  if (mode !== undefined || kill === 0) return mode
  if ((ownershipOf(view, inode).mode & kill) === 0) return undefined
  return view.superBlock.stat(inode).mode & 0o7777 & ~kill
}

/** setattr_prepare() */
function checkOwner(view: View, subject: Subject, { request, mode }: Decided): void {
  const { uid, gid, explicitTimes } = request
  if (mode === undefined && uid === undefined && gid === undefined && explicitTimes !== true) return
  const ownership = ownershipOf(view, subject.inode)
  const isOwner = ownership.uid === view.caller.uid
  if (uid !== undefined && !(isOwner && uid === ownership.uid)) fail(subject, 'EPERM')
  if (gid !== undefined && !(isOwner && mayGiveTo(view, gid, ownership))) fail(subject, 'EPERM')
  if ((mode !== undefined || explicitTimes === true) && !isOwner) fail(subject, 'EPERM')
}

function mayGiveTo(view: View, gid: number, ownership: Ownership): boolean {
  return gid === ownership.gid || inGroup(view.caller, gid)
}

function changeOf(view: View, inode: Inode, { request, mode }: Decided): InodeChange {
  const { uid, gid, sizeBytes, atimeNs, mtimeNs } = request
  // By hand: spreading conditional objects takes longer than all the rest of a chmod.
  const change: { -readonly [K in keyof InodeChange]: InodeChange[K] } = {}
  if (mode !== undefined) change.mode = withoutForeignSetgid(view, inode, { mode, gid })
  if (uid !== undefined) change.uid = uid
  if (gid !== undefined) change.gid = gid
  if (sizeBytes !== undefined) change.sizeBytes = sizeBytes
  if (atimeNs !== undefined) change.atimeNs = atimeNs
  if (mtimeNs !== undefined) change.mtimeNs = mtimeNs
  return change
}

/** Only members of the group may set its setgid bit: setattr_copy(). */
function withoutForeignSetgid(
  view: View,
  inode: Inode,
  { mode, gid }: { readonly mode: number; readonly gid: number | undefined },
): number {
  if ((mode & S_ISGID) === 0 || view.caller.capable) return mode
  return inGroupOrCapable(view.caller, gid ?? ownershipOf(view, inode).gid) ? mode : mode & ~S_ISGID
}

/** posix_acl_chmod(); a file system that did it itself (a host directory) is left alone. */
function followModeInAcl(view: View, inode: Inode, mode: number): void {
  const { superBlock } = view
  if (!superBlock.features.xattrs.includes('system.posix_acl')) return
  const value = readAcl(view, inode)
  if (value === null) return
  const entries = decodeAcl(value)
  if (typeof entries === 'string') return
  const followed = chmodAcl(entries, mode)
  const isSame = followed.every((entry, at) => entry.permissions === entries[at]?.permissions)
  if (!isSame) superBlock.setXattr(inode, aclAccessName, encodeAcl(followed), 0)
}

function fail({ syscall, path }: Subject, code: Errno): never {
  throw new FsError(code, syscall, path)
}
