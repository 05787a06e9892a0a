// What a new object starts with: inode_init_owner() for group and setgid, posix_acl_create() for default ACL and umask,
// and the sizes that tmpfs gives directories and symlinks (mm/shmem.c, shmem_get_inode, shmem_symlink).
import { nameByteLength } from '../../path/index.ts'
import { inheritAcl } from '../acl/inherit-acl.ts'
import { aclAccessName, aclDefaultName } from '../acl/posix-acl.ts'
import { S_ISGID, typeBitsOf } from '../mode.ts'
import type { NewInode } from '../super-block.ts'
import { entrySizeBytes } from './directory.ts'
import { MemoryInode } from './inode.ts'

/** FS_NOATIME_FL: reading leaves the access time. */
export const noAtimeFlag = 0x80
const noDumpFlag = 0x40
/** Flags that a directory hands down. */
export const inheritedFlags = noDumpFlag | noAtimeFlag

// Up to here a target lies in the inode (SHORT_SYMLINK_LEN, with its NUL).
const longestInlineTargetBytes = 127

/** Pages that a symlink takes. */
export function targetPages({ target = '' }: NewInode): number {
  return nameByteLength(target) > longestInlineTargetBytes ? 1 : 0
}

/** An inode without a name; `dir` is null for the root. */
export function makeInode(
  dir: MemoryInode | null,
  make: NewInode,
  identity: { readonly ino: bigint; readonly generation: number; readonly nowNs: bigint },
): MemoryInode {
  const { type, target = '' } = make
  const inheritsGroup = dir !== null && (dir.mode & S_ISGID) !== 0
  const acl = dir?.xattrs?.get(aclDefaultName)
  const inherited = inheritAcl(acl ?? null, type === 'symlink' ? { ...make, mode: 0o777 } : make)
  const isLink = type === 'symlink'
  const inode = new MemoryInode({
    type,
    ino: identity.ino,
    generation: identity.generation,
    nowNs: identity.nowNs,
    mode: typeBitsOf(type) | inherited.mode | (inheritsGroup && type === 'dir' ? S_ISGID : 0),
    uid: make.uid,
    gid: inheritsGroup ? dir.gid : make.gid,
    rdev: make.rdev ?? 0,
    target,
    sizeBytes: type === 'dir' ? 2 * entrySizeBytes : isLink ? nameByteLength(target) : 0,
    blocks: isLink ? targetPages(make) * 8 : 0,
  })
  if (dir !== null) inode.flags = dir.flags & inheritedFlags
  if (inherited.access !== null) inode.xattrs = new Map([[aclAccessName, inherited.access]])
  if (inherited.default !== null) {
    inode.xattrs ??= new Map()
    inode.xattrs.set(aclDefaultName, inherited.default)
  }
  return inode
}
