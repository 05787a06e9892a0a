import type { FileType } from './mode.ts'

/** What is known of an object: lstat(2). Times in nanoseconds since 1970, before it negative. */
export type Stat = {
  /** Tells file systems apart: equal for objects of one file system, meaningless otherwise. */
  readonly dev: number
  /** Unique within `dev`. 64 bits wide: an overlay with xino uses the highest. */
  readonly ino: bigint
  /** Type bits and permission bits. */
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  /** Of a device node, as `makeDevice` makes it; else 0. */
  readonly rdev: number
  readonly sizeBytes: number
  /** Allocated, in units of 512 bytes. */
  readonly blocks: number
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** What decides who may do what. */
export type Ownership = Pick<Stat, 'mode' | 'uid' | 'gid'>

/** One name of a directory: getdents64(2). */
export type DirectoryEntry = {
  readonly name: string
  /** d_type */
  readonly type: FileType
  /** d_ino */
  readonly ino: bigint
  /** d_off: where reading goes on behind this entry. */
  readonly offset: number
}

/** statfs(2) */
export type FileSystemStat = {
  /** f_type, a magic number: 0x794c7630 for an overlay, 0x01021994 for a file system in memory. */
  readonly type: number
  readonly blockSizeBytes: number
  readonly blocks: number
  readonly blocksFree: number
  readonly files: number
  readonly filesFree: number
  /** Longest name, in bytes. */
  readonly nameMax: number
  readonly fsid: bigint
  readonly readOnly: boolean
}
