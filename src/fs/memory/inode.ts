// An object in memory. Inode, name and open file are three things, as in Linux: a name (`MemoryDentry`) leads to an
// inode, any number of names and of open files keep it alive.
import { type FileType, S_IFMT } from '../mode.ts'
import type { Inode } from '../super-block.ts'
import { FileContent } from './content.ts'

/** A name's entry in its directory. */
export type MemoryDentry = {
  readonly inode: MemoryInode
  /** Where readdir finds it: handed out ascending and kept by the name, whatever it leads to. */
  readonly offset: number
}

/** What a new inode is made of; `mode` with type bits. */
export type MemoryInodeFields = {
  readonly type: FileType
  readonly ino: bigint
  readonly generation: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly target: string
  readonly sizeBytes: number
  readonly blocks: number
  readonly nowNs: bigint
}

// 0 to 2 are ".", ".." and the position behind them (fs/libfs.c, DIR_OFFSET_MIN).
const firstOffset = 3

/** One class for every kind of object: property accesses stay fast when they all have one shape. */
export class MemoryInode implements Inode {
  readonly type: FileType
  readonly ino: bigint
  readonly generation: number
  /** With type bits. */
  mode: number
  nlink = 0
  uid: number
  gid: number
  readonly rdev: number
  sizeBytes: number
  readonly target: string
  atimeNs: bigint
  mtimeNs: bigint
  ctimeNs: bigint
  /** FS_ flags of chattr. */
  flags = 0
  /** Open files. */
  opened = 0
  /** Without names and open files: what it took is free again. */
  isEvicted = false
  /** What is allocated apart from `content`, in units of 512 bytes: a long symlink's page. */
  readonly fixedBlocks: number
  /** Of a directory, oldest name first; JavaScript keeps the order, and a renamed entry becomes the newest. */
  readonly entries: Map<string, MemoryDentry>
  /** Of a directory: where ".." leads. */
  parent: MemoryInode
  nextOffset = firstOffset
  /** Of a regular file. */
  readonly content: FileContent
  xattrs: Map<string, Uint8Array> | null = null

  constructor(fields: MemoryInodeFields) {
    this.type = fields.type
    this.ino = fields.ino
    this.generation = fields.generation
    this.mode = fields.mode
    this.uid = fields.uid
    this.gid = fields.gid
    this.rdev = fields.rdev
    this.sizeBytes = fields.sizeBytes
    this.target = fields.target
    this.atimeNs = fields.nowNs
    this.mtimeNs = fields.nowNs
    this.ctimeNs = fields.nowNs
    this.fixedBlocks = fields.blocks
    this.entries = fields.type === 'dir' ? new Map() : noEntries
    this.content = fields.type === 'file' ? new FileContent() : noContent
    this.parent = this
  }

  get isDirectory(): boolean {
    return this.type === 'dir'
  }

  /** Permission bits replaced, type bits kept. */
  setPermissions(mode: number): void {
    this.mode = (this.mode & S_IFMT) | (mode & ~S_IFMT)
  }
}

// Never written: callers ask for the type first.
const noEntries = new Map<string, MemoryDentry>()
const noContent = new FileContent()
