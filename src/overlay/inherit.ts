// What a new object gets from its directory when it is not made there: group, setgid and default ACL (rule 118).
// fs/overlayfs/dir.c: ovl_create_over_whiteout(); fs/inode.c: inode_init_owner(); fs/posix_acl.c: posix_acl_create().
import {
  aclAccessName,
  aclDefaultName,
  type Inode,
  inheritAcl,
  type NewInode,
  S_ISGID,
  type SuperBlock,
} from '../fs/index.ts'

/** How to make an object elsewhere, and the lists that it gets there. */
export type Inherited = {
  readonly make: NewInode
  readonly access: Uint8Array | null
  readonly default: Uint8Array | null
}

/** As `directory` would make it. */
export function inherit(superBlock: SuperBlock, directory: Inode, make: NewInode): Inherited {
  const parent = superBlock.stat(directory)
  const hasAcls = superBlock.features.xattrs.includes('system.posix_acl')
  const list = hasAcls ? superBlock.getXattr(directory, aclDefaultName) : null
  const { mode, access, default: ofDirectories } = inheritAcl(list, make)
  const inheritsGroup = (parent.mode & S_ISGID) !== 0
  const setgid = inheritsGroup && make.type === 'dir' ? S_ISGID : 0
  const gid = inheritsGroup ? parent.gid : make.gid
  return { make: { ...make, mode: mode | setgid, gid, umask: 0 }, access, default: ofDirectories }
}

/** Gives the object its lists. */
export function setAcls(superBlock: SuperBlock, inode: Inode, { access, default: ofDirectories }: Inherited): void {
  if (access !== null) superBlock.setXattr(inode, aclAccessName, access, 0)
  if (ofDirectories !== null) superBlock.setXattr(inode, aclDefaultName, ofDirectories, 0)
}
