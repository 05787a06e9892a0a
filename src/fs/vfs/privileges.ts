// What a change of a file's content takes away: set-user-ID, set-group-ID and security.capability, as
// file_remove_privs() of fs/inode.c and setattr_should_drop_suidgid() of fs/attr.c. A capable caller keeps the bits,
// nobody keeps the capability (rule 116).
import { isPrivileged } from '../credentials.ts'
import { S_ISGID, S_ISUID } from '../mode.ts'
import type { Inode } from '../super-block.ts'
import { inGroup } from './permission.ts'
import { ownershipOf, type View } from './view.ts'

const capabilityName = 'security.capability'

/** Whether the object has security.capability. */
export function hasCapability(view: View, inode: Inode): boolean {
  const { superBlock } = view
  if (!superBlock.features.xattrs.includes('security')) return false
  // An empty one counts as none: cap_inode_need_killpriv().
  return (superBlock.getXattr(inode, capabilityName)?.length ?? 0) > 0
}

/** Removes an existing security.capability. */
export function removeCapability(view: View, inode: Inode): void {
  view.superBlock.removeXattr(inode, capabilityName)
}

/** Of a mode, the bits S_ISUID and S_ISGID that a write by this caller takes away. */
export function bitsLostByWriting(view: View, inode: Inode, look = ownershipOf): number {
  if (isPrivileged(view.caller) || inode.type !== 'file') return 0
  const { mode, gid } = look(view, inode)
  return (mode & S_ISUID) | setgidLost(view, mode, gid)
}

/** The setgid bit where a change of owner or content takes it away: setattr_should_drop_sgid(). */
export function setgidLost(view: View, mode: number, gid: number): number {
  if ((mode & S_ISGID) === 0) return 0
  if ((mode & 0o010) !== 0) return S_ISGID
  return view.caller.capable || inGroup(view.caller, gid) ? 0 : S_ISGID
}
