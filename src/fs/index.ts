export { type InheritedAcl, inheritAcl } from './acl/inherit-acl.ts'
export {
  ACL_GROUP,
  ACL_GROUP_OBJ,
  ACL_MASK,
  ACL_OTHER,
  ACL_USER,
  ACL_USER_OBJ,
  aclAccessName,
  aclDefaultName,
  type AclEntry,
  decodeAcl,
  encodeAcl,
} from './acl/posix-acl.ts'
export { type ByteRange, copiedRanges } from './copied-ranges.ts'
export { type Credentials, type IDRange, isPrivileged, root, rootOfNamespace, user } from './credentials.ts'
export { freeDevice, newDevice } from './device.ts'
export type { FileHandle, FileSystem, RenameOptions, TimeChange } from './file-system.ts'
export * from './flags.ts'
export { MemoryFs } from './memory/memory-fs.ts'
export { type MemoryOptions, MemorySuperBlock } from './memory/super-block.ts'
export {
  fileTypeOf,
  type FileType,
  majorOf,
  makeDevice,
  minorOf,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
  typeBitsOf,
} from './mode.ts'
export type { DirectoryEntry, FileSystemStat, Ownership, Stat } from './stat.ts'
export type {
  Inode,
  InodeChange,
  InodeDirectory,
  InodeFile,
  NameOf,
  NewInode,
  StoredFileHandle,
  SuperBlock,
  SuperBlockFeatures,
} from './super-block.ts'
export * from './tree/index.ts'
export { isPermitted } from './vfs/permission.ts'
export { Vfs } from './vfs/vfs.ts'
export { xattrNameRefusal } from './vfs/xattr.ts'
