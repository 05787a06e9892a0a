// How one object is made in the upper layer: out of sight, complete, then published (rules 98, 101, 102).
// fs/overlayfs/copy_up.c: ovl_copy_up_tmpfile(), ovl_copy_up_workdir(), ovl_copy_up_metadata(), ovl_copy_xattr(),
// ovl_copy_fileattr().
import { FsError, isErrno } from '../errors/index.ts'
import {
  FS_APPEND_FL,
  FS_IMMUTABLE_FL,
  type Inode,
  isPrivileged,
  type NewInode,
  S_IFMT,
  type Stat,
} from '../fs/index.ts'
import { copyData } from './copy-up-data.ts'
import { formatProtattr } from './format/protattr.ts'
import { isPrivateXattr } from './format/xattr-names.ts'
import { createIndex } from './index-entries.ts'
import { setMarkOr, upperOf } from './marks.ts'
import type { Layer, LowerObject, OverlayDentry, OverlayMount, WorkPlace } from './model.ts'
import { setOrigin } from './origin.ts'
import { cleanUp, temporaryName } from './work-place.ts'

/** What is copied up. */
export type CopyUpSource = {
  readonly dentry: OverlayDentry
  readonly lower: LowerObject
  readonly stat: Stat
  /** 0 for a file that is about to be emptied (rule 100). */
  readonly sizeBytes: number
  /** The data stays below (rule 106). */
  readonly isMetacopy: boolean
}

/** A copy-up: struct ovl_copy_up_ctx. */
export type CopyUp = {
  readonly source: CopyUpSource
  /** Where the copy appears. */
  readonly target: { readonly dir: Inode; readonly name: string }
  readonly work: WorkPlace
  /** What overlay.origin says; null for a lower hard link that is broken (rule 102). */
  readonly origin: { readonly handle: Uint8Array | null } | null
  /** It gets an entry in the index. */
  readonly isIndexed: boolean
}

/** Makes the copy and publishes it; then the object has it as its upper one. */
export function copyUpObject(mount: OverlayMount, copy: CopyUp): void {
  const { inode } = copy.source.dentry
  inode.upper =
    inode.type === 'file' && mount.usesTemporaryFiles ? copyUpTemporary(mount, copy) : copyUpInWork(mount, copy)
  if (!copy.source.isMetacopy) inode.hasUpperData = true
  inode.hasDigest = false
  if (inode.type === 'dir') inode.mayHaveWhiteouts = true
}

/** Attributes as they are stored: all but overlayfs' own. Errors: those of the upper layer. */
export function copyXattrs(
  mount: OverlayMount,
  from: { readonly layer: Layer; readonly inode: Inode },
  to: Inode,
): void {
  const { superBlock } = from.layer
  const names = superBlock.listXattrs(from.inode)
  for (const name of names) {
    if (isPrivateXattr(name, mount.marks) || !isListed(mount, name)) continue
    const value = superBlock.getXattr(from.inode, name)
    if (value === null) continue
    try {
      upperOf(mount).superBlock.setXattr(to, name, value, 0)
    } catch (error) {
      if (!isErrno(error, 'EOPNOTSUPP') || mustBeCopied(name)) throw error
    }
  }
}

/** Who is not root does not see trusted.* in a listing. */
function isListed({ mounter }: OverlayMount, name: string): boolean {
  return isPrivileged(mounter) || !name.startsWith('trusted.')
}

/** What no change takes from a file, as the overlay keeps it (rule 105). */
export const protectionMask = FS_APPEND_FL | FS_IMMUTABLE_FL

/** A regular file, which has no name before it is complete. */
function copyUpTemporary(mount: OverlayMount, copy: CopyUp): Inode {
  const { superBlock } = upperOf(mount)
  const { target, work, source } = copy
  const temporary = superBlock.createTemporary(work.directory, newInode(mount, source.stat.mode & ~S_IFMT))
  try {
    fillCopy(mount, copy, temporary)
    if (superBlock.lookup(target.dir, target.name) !== null) throw new FsError('EEXIST', 'link')
    return superBlock.link(temporary, target.dir, target.name)
  } catch (error) {
    superBlock.forget?.(temporary)
    throw error
  }
}

function copyUpInWork(mount: OverlayMount, copy: CopyUp): Inode {
  const { superBlock } = upperOf(mount)
  const { target, work } = copy
  const { stat, dentry, lower } = copy.source
  const dir = work.directory
  const name = temporaryName(work)
  const { type } = dentry.inode
  const target0 = type === 'symlink' ? { target: lower.layer.superBlock.readlink(lower.inode) } : {}
  const inode = superBlock.create(dir, name, { ...newInode(mount, 0), type, rdev: stat.rdev, ...target0 })
  try {
    fillCopy(mount, copy, inode)
    if (type === 'dir' && copy.isIndexed) createIndex(mount, copy.origin?.handle ?? null, inode)
    const there = superBlock.lookup(target.dir, target.name)
    // Only when the name was removed, and the object is open still: whatever is there is replaced (may_delete()).
    if (there !== null && type === 'dir' && there.type !== 'dir') throw new FsError('ENOTDIR', 'rename')
    if (there?.type === 'dir' && type !== 'dir') throw new FsError('EISDIR', 'rename')
    superBlock.rename({ dir, name, inode }, { dir: target.dir, name: target.name, inode: there }, 0)
  } catch (error) {
    cleanUp(mount, { dir, name, inode })
    throw error
  }
  return inode
}

function newInode({ mounter }: OverlayMount, mode: number): NewInode {
  return { type: 'file', mode, umask: 0, uid: mounter.uid, gid: mounter.gid }
}

/** Data first: writing would take security.capability away. */
function fillCopy(mount: OverlayMount, copy: CopyUp, inode: Inode): void {
  const { stat, dentry, sizeBytes, lower, isMetacopy } = copy.source
  const { type } = dentry.inode
  const { superBlock } = upperOf(mount)
  if (type === 'file' && !isMetacopy && sizeBytes > 0) copyData(mount, dentry.inode, { to: inode, sizeBytes })
  copyXattrs(mount, lower, inode)
  if (type === 'file' || type === 'dir') copyFlags(mount, lower, inode)
  if (copy.origin !== null) setOrigin(mount, inode, copy.origin.handle)
  if (isMetacopy) setMarkOr(mount, { inode, mark: 'metacopy' }, { value: new Uint8Array(0), without: 'EOPNOTSUPP' })
  const { uid, gid, atimeNs, mtimeNs } = stat
  const mode = stat.mode & ~S_IFMT
  if (type === 'file') superBlock.change(inode, { sizeBytes, mode, uid, gid, atimeNs, mtimeNs })
  else if (type === 'symlink') superBlock.change(inode, { uid, gid, atimeNs, mtimeNs })
  else superBlock.change(inode, { mode, uid, gid, atimeNs, mtimeNs })
}

/** The upper file is not protected itself: overlayfs could not work on it. */
function copyFlags(mount: OverlayMount, lower: LowerObject, inode: Inode): void {
  const flags = lower.layer.superBlock.getFlags(lower.inode) & protectionMask
  const value = formatProtattr(flags)
  if (value === null) return
  setMarkOr(mount, { inode, mark: 'protattr' }, { value, without: null })
}

/** Losing these would give rights away. */
function mustBeCopied(name: string): boolean {
  return name.startsWith('security.') || name.startsWith('system.posix_acl_')
}
