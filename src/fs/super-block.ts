// What a file system has to provide: objects and what can be done to them. The kernel's struct super_operations,
// inode_operations and file_operations in one interface, without what its VFS does in front of them: paths, symlinks,
// permissions, open flags and limits are decided once, in `Vfs`, for every file system alike.
//
// Calls are synchronous. A refusal is an FsError; a name that does not exist is null from `lookup` (an error for every
// miss of a search through layers would cost more than the search). Callers have checked what the VFS checks: that
// `dir` is a directory, that a name is free before it is made, that nothing is renamed into itself.
import type { Credentials } from './credentials.ts'
import type { FileType } from './mode.ts'
import type { DirectoryEntry, FileSystemStat, Ownership, Stat } from './stat.ts'

/**
 * An object of a file system; what else it holds is the file system's own. Where operations need a path (an overlay,
 * a host directory) it stands for one name of the object, and two names of one file are two of these.
 */
export interface Inode {
  /** Never changes. */
  readonly type: FileType
}

/** A new object. The file system applies setgid and default ACL of the parent directory, and the umask without one. */
export type NewInode = {
  readonly type: FileType
  /** Permission bits as asked for, before the umask. */
  readonly mode: number
  readonly umask: number
  readonly uid: number
  readonly gid: number
  /** Of a device node. */
  readonly rdev?: number
  /** Of a symlink. */
  readonly target?: string
}

/** What changes of an object: struct iattr. Owner, mode and times are set as given: the VFS has decided about suid bits. */
export type InodeChange = {
  /** Permission bits. */
  readonly mode?: number
  /** The mode only follows an access list that is set: nothing that an overlay copies up another name for. */
  readonly followsAcl?: true
  readonly uid?: number
  readonly gid?: number
  readonly sizeBytes?: number
  readonly atimeNs?: bigint
  readonly mtimeNs?: bigint
}

/** An identity that survives renames and remounts: name_to_handle_at(2). */
export type StoredFileHandle = {
  /** enum fid_type of the kernel. */
  readonly type: number
  readonly bytes: Uint8Array
}

/** An open regular file. Positions and lengths in bytes. */
export interface InodeFile {
  /** How many bytes were read: fewer than `target` holds at the end of the file, 0 behind it. */
  read(target: Uint8Array, position: number): number
  write(source: Uint8Array, position: number): number
  sync(): void
  /** The next data at or behind the position; ENXIO behind the end: lseek(2) SEEK_DATA. */
  seekData(position: number): number
  /** The next hole; the end of the file counts as one. */
  seekHole(position: number): number
  /** fallocate(2): mode of FALLOC_FL_ bits. */
  allocate(mode: number, position: number, lengthBytes: number): void
  /**
   * Makes this file, which holds nothing, hold what `copiedRanges` says of the first `lengthBytes` of `source`, in one
   * step: blocks shared or copied by the kernel, memory copied once. It ends behind what was copied, or where it did:
   * a hole at the end is for the caller to make. False where that cannot be done with such a source or in such a file:
   * the caller then reads and writes from the beginning. Errors: ENOSPC, EDQUOT, EIO.
   */
  copyFrom?(source: InodeFile, lengthBytes: number): boolean
  close(): void
}

/** An open directory. */
export interface InodeDirectory {
  /**
   * Every entry, "." and ".." included, in the file system's order. A snapshot where the kernel has one: what changes
   * afterwards is seen after `rewind`.
   */
  entries(): readonly DirectoryEntry[]
  rewind(): void
  close(): void
}

/** A file system, as `Vfs` and an overlay above it use it. `I` is its own class of objects. */
export interface SuperBlock<I extends Inode = Inode> {
  readonly root: I
  readonly readOnly: boolean
  /** Longest name, in bytes: 255. */
  readonly nameMax: number
  /** Tells file systems apart, as `Stat.dev`. */
  readonly dev: number
  /** As statfs(2) names the kind; shown in traces: "memory", "overlay", "host". */
  readonly kind: string
  /** 16 bytes; all zero where the file system has none. */
  readonly uuid: Uint8Array
  readonly features: SuperBlockFeatures
  /** The time that changes are stamped with, in nanoseconds since 1970. */
  now(): bigint

  /** Null: no such name. "." and ".." are never asked for. Errors: those of reading the directory. */
  lookup(dir: I, name: string): I | null
  /** Same object, by whichever name. */
  isSame(a: I, b: I): boolean
  stat(inode: I): Stat
  /**
   * Mode and owner as checks of permissions see them, where that is not what `stat` tells: an overlay can have two
   * objects for one upper file, and each remembers these (the attributes of its struct inode).
   */
  ownership?(inode: I): Ownership
  /** `flags`: O_NOATIME leaves the access time. Errors: EINVAL when it is no symlink. */
  readlink(inode: I, flags?: number): string
  /** `flags`: O_NOATIME. */
  openDirectory(dir: I, flags?: number): InodeDirectory
  /**
   * `flags` as given to open(2). O_TRUNC only announces that the VFS is going to `change` the size to 0, so that an
   * overlay copies up no content. Regular files only.
   */
  openFile(inode: I, flags: number): InodeFile

  /** Errors: EEXIST, ENOSPC, EDQUOT, EPERM (a kind that cannot be made here), EOPNOTSUPP. */
  create(dir: I, name: string, make: NewInode): I
  /** An object without a name; `link` gives it one, else the caller says `forget` when it is done. Errors: EOPNOTSUPP. */
  createTemporary(dir: I, make: NewInode): I
  /**
   * Keeps an object usable when its last name goes away, until the returned function is called. Not needed for what is
   * open, nor where objects stay by themselves.
   */
  hold?(inode: I): () => void
  /** The caller will not use the object again: one of `createTemporary` that has got no name goes away. */
  forget?(inode: I): void
  /** The object that stands for the new name. */
  link(inode: I, dir: I, name: string): I
  unlink(dir: I, name: string, inode: I): void
  /** Errors: ENOTEMPTY. */
  rmdir(dir: I, name: string, inode: I): void
  /** A whiteout of RENAME_WHITEOUT belongs to `caller`, or to root. */
  rename(from: NameOf<I>, to: NameOf<I>, flags: number, caller?: Credentials): void

  change(inode: I, change: InodeChange): void
  /** Null: no such attribute. Names are whole: "user.x". */
  getXattr(inode: I, name: string): Uint8Array | null
  /** `flags`: XATTR_CREATE, XATTR_REPLACE. Errors: EEXIST, ENODATA, EOPNOTSUPP, ENOSPC, ERANGE. */
  setXattr(inode: I, name: string, value: Uint8Array, flags: number): void
  /** Errors: ENODATA. */
  removeXattr(inode: I, name: string): void
  /** All names, of every namespace, in the file system's order. */
  listXattrs(inode: I): readonly string[]
  /** Flags of chattr(1), FS_IMMUTABLE_FL and FS_APPEND_FL. */
  getFlags(inode: I): number
  /** Errors: EOPNOTSUPP. */
  setFlags(inode: I, flags: number): void

  statfs(): FileSystemStat
  sync(): void
  /** Null: this file system or kind of object has no handles. */
  encodeHandle(inode: I): StoredFileHandle | null
  /** Null: stale, or it leads to nothing that is reachable from the root. */
  decodeHandle(handle: StoredFileHandle): I | null

  /**
   * Refusals beyond those of mode, owner and ACL, which the VFS has checked: an overlay asks for its mounter.
   * `mask` of MAY_ bits. Errors: EACCES.
   */
  permission?(inode: I, mask: number, caller: Credentials): void
}

/** A name in a directory, and what it stands for (null: nothing). */
export type NameOf<I extends Inode> = { readonly dir: I; readonly name: string; readonly inode: I | null }

/** What a file system can do beyond the usual; an overlay decides by them as the kernel does at mount. */
export type SuperBlockFeatures = {
  /** Attributes of these namespaces can be stored: "user", "trusted", "security", "system.posix_acl". */
  readonly xattrs: readonly string[]
  /** Names of attributes are judged by the file system itself, however late: an overlay asks its layers. */
  readonly takesAnyXattr?: boolean
  /** rename with RENAME_WHITEOUT. */
  readonly renameWhiteout: boolean
  readonly temporaryFiles: boolean
  readonly handles: boolean
  /** Inode numbers fit in 32 bits, which makes room for xino. */
  readonly has32BitInodes: boolean
}
