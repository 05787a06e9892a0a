// The second waist of the design: trees that programs work with. POSIX-shaped and synchronous; names are byte-exact
// strings (see `path`), paths are absolute or relative to the root, errors are FsErrors as Linux gives them.
import type { Credentials } from './credentials.ts'
import type { DirectoryEntry, FileSystemStat, Stat } from './stat.ts'
import type { Inode, SuperBlock } from './super-block.ts'

/** A time of utimensat(2): nanoseconds since 1970, the present, or as it was. */
export type TimeChange = bigint | 'now' | 'omit'

/** rename(2): flags of RENAME_ bits. */
export type RenameOptions = { readonly flags?: number }

/** A tree of files, as seen by one caller. */
export interface FileSystem {
  /** What stands behind it; an overlay stacks on this. */
  readonly superBlock: SuperBlock
  readonly caller: Credentials
  /** The same tree for another caller. Open files are shared, nothing is copied. */
  as(caller: Credentials): FileSystem

  lstat(path: string): Stat
  stat(path: string): Stat
  /**
   * As `stat`, or `lstat` where it does not follow; null where nothing is: no error is made, which would take longer than
   * the look. Errors: all but ENOENT.
   */
  find(path: string, options: { readonly follow: boolean }): Stat | null
  readlink(path: string): string
  /** Names and kinds without "." and "..", in the file system's order. */
  readdir(path: string): readonly DirectoryEntry[]
  /** access(2): `mask` of MAY_ bits, 0 to ask whether it exists. */
  access(path: string, mask: number): void
  statfs(path: string): FileSystemStat

  /** `flags` of O_ bits; `mode` of a new file before the umask. */
  open(path: string, flags: number, mode?: number): FileHandle
  mkdir(path: string, mode: number): void
  /** `mode` with type bits: S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK. `rdev` as `makeDevice` makes it. */
  mknod(path: string, mode: number, rdev?: number): void
  symlink(target: string, path: string): void
  /** A symlink is linked itself. */
  link(existing: string, path: string): void
  unlink(path: string): void
  rmdir(path: string): void
  rename(from: string, to: string, options?: RenameOptions): void

  chmod(path: string, mode: number): void
  /** As -1: left as it is. */
  chown(path: string, uid: number, gid: number): void
  lchown(path: string, uid: number, gid: number): void
  /** Of a symlink itself with `follow: false`. */
  utimens(
    path: string,
    times: { readonly atime: TimeChange; readonly mtime: TimeChange; readonly follow?: boolean },
  ): void
  truncate(path: string, sizeBytes: number): void

  /** Attributes: of a symlink itself (lgetxattr and its like). */
  getxattr(path: string, name: string): Uint8Array
  setxattr(path: string, name: string, value: Uint8Array, flags?: number): void
  removexattr(path: string, name: string): void
  listxattr(path: string): readonly string[]

  /** Whole file. Errors: EISDIR and those of `open`. */
  readFile(path: string): Uint8Array
  /** O_WRONLY|O_CREAT|O_TRUNC. */
  writeFile(path: string, content: Uint8Array | string, mode?: number): void
  sync(): void
}

/** An open file or directory. Errors: EBADF after `close` and against the access mode. */
export interface FileHandle {
  readonly flags: number
  /** The object; what an overlay or a test asks of it. */
  readonly inode: Inode
  /** The same open file, position and all, for another caller: a descriptor that was handed on. */
  as(caller: Credentials): FileHandle
  stat(): Stat
  /** At `position`, or at the file's own position, which then moves on. */
  read(target: Uint8Array, position?: number): number
  /** As `read`; with O_APPEND always at the end. */
  write(source: Uint8Array, position?: number): number
  /** lseek(2). Errors: EINVAL, ENXIO. */
  seek(offset: number, whence: 'set' | 'current' | 'end' | 'data' | 'hole'): number
  truncate(sizeBytes: number): void
  allocate(mode: number, position: number, lengthBytes: number): void
  chmod(mode: number): void
  chown(uid: number, gid: number): void
  utimens(times: { readonly atime: TimeChange; readonly mtime: TimeChange }): void
  getxattr(name: string): Uint8Array
  setxattr(name: string, value: Uint8Array, flags?: number): void
  removexattr(name: string): void
  listxattr(): readonly string[]
  /** FS_IOC_GETFLAGS and FS_IOC_SETFLAGS. */
  getFlags(): number
  setFlags(flags: number): void
  /** Gives a file of O_TMPFILE a name. */
  linkAs(path: string): void
  /** All entries, "." and ".." included, as of opening or the last `rewind`. */
  readdir(): readonly DirectoryEntry[]
  rewind(): void
  sync(): void
  close(): void
}
