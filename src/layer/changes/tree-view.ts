// What a comparison reads of a tree, and nothing more, so that a tree can be a FileSystem or anything that is faster to
// read. Times are two numbers and lists come sorted: both are needed for every object of large trees.
import { FsError, isCode } from '../../errors/index.ts'
import type { FileSystem, FileType, Inode, SuperBlock } from '../../fs/index.ts'
import { O_NOATIME, O_RDONLY } from '../../fs/index.ts'
import { comparePaths, type LayerPath } from '../../path/index.ts'
import type { Xattrs } from '../attributes.ts'

/** An object of a tree, with what lstat(2) says of it. */
export interface ViewObject {
  readonly type: FileType
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds, negative before 1970, and 0 ≤ nanoseconds < 10⁹ after them. */
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly sizeBytes: number
  /** Of a device, as `makeDevice` makes it; else 0. */
  readonly rdev: number
  readonly nlink: number
  /** Equal for the names of one object, within one tree. */
  readonly identity: string
}

/** A name in a directory. */
export type NamedObject = { readonly name: string; readonly object: ViewObject }

/** A tree to be read. Objects are its own: those of another tree mean nothing to it. */
export interface TreeView {
  readonly root: ViewObject
  /** Sorted by the bytes of the names. */
  list(directory: ViewObject): readonly NamedObject[]
  /** Null: no such name. */
  find(directory: ViewObject, name: string): ViewObject | null
  /** Of a symlink. */
  readlink(object: ViewObject): string
  /** All extended attributes by their names on the disk; null when there are none. */
  xattrs(object: ViewObject): Xattrs | null
  /** Of a regular file. */
  open(object: ViewObject): ContentReader
}

/** An open regular file. */
export interface ContentReader {
  /** Fills `target` as far as the file reaches; 0 behind its end. */
  read(target: Uint8Array, position: number): number
  /** The next data at or behind a position; the size of the file when there is none. */
  nextData(position: number): number
  /** The next hole at or behind a position; the size of the file when there is none. */
  nextHole(position: number): number
  close(): void
}

/** Fills `target` from a position on; returns what was filled. Reads may be short; the end of the file alone ends it. */
export function readAll(file: ContentReader, target: Uint8Array, position: number): Uint8Array {
  let filled = 0
  while (filled < target.length) {
    const count = file.read(target.subarray(filled), position + filled)
    if (count === 0) break
    filled += count
  }
  return target.subarray(0, filled)
}

/**
 * A FileSystem as a tree to be read, from a directory on (the root by default), as root: permissions are not asked.
 * Errors: ENOENT and ENOTDIR for the directory; no symlink is followed.
 */
export function viewFileSystem({ superBlock }: Pick<FileSystem, 'superBlock'>, path: LayerPath = ''): TreeView {
  let root = superBlock.root
  for (const name of path.split('/').filter(each => each !== '')) {
    const found = superBlock.lookup(root, name)
    if (found === null) throw new FsError('ENOENT', 'lookup', path)
    if (found.type !== 'dir') throw new FsError('ENOTDIR', 'lookup', path)
    root = found
  }
  return new FileSystemView(superBlock, root)
}

const nanoseconds = 1_000_000_000n

class InodeObject implements ViewObject {
  readonly type: FileType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly sizeBytes: number
  readonly rdev: number
  readonly nlink: number
  readonly inode: Inode
  readonly #dev: number
  readonly #ino: bigint

  constructor(superBlock: SuperBlock, inode: Inode) {
    const stat = superBlock.stat(inode)
    const rest = stat.mtimeNs % nanoseconds
    const nsec = rest < 0n ? rest + nanoseconds : rest
    this.inode = inode
    this.type = inode.type
    this.mode = stat.mode & 0o7777
    this.uid = stat.uid
    this.gid = stat.gid
    this.mtimeSec = Number((stat.mtimeNs - nsec) / nanoseconds)
    this.mtimeNsec = Number(nsec)
    this.sizeBytes = stat.sizeBytes
    this.rdev = stat.rdev
    this.nlink = stat.nlink
    this.#dev = stat.dev
    this.#ino = stat.ino
  }

  get identity(): string {
    return `${this.#dev}:${this.#ino}`
  }
}

class FileSystemView implements TreeView {
  readonly root: ViewObject
  readonly #superBlock: SuperBlock

  constructor(superBlock: SuperBlock, root: Inode) {
    this.#superBlock = superBlock
    this.root = new InodeObject(superBlock, root)
  }

  list(directory: ViewObject): readonly NamedObject[] {
    const names: string[] = []
    const opened = this.#superBlock.openDirectory(inodeOf(directory))
    try {
      for (const { name } of opened.entries()) if (name !== '.' && name !== '..') names.push(name)
    } finally {
      opened.close()
    }
    // A name that was removed meanwhile, or that an overlay lists without showing it, is not there.
    return names.toSorted(comparePaths).flatMap(name => {
      const object = this.find(directory, name)
      return object === null ? [] : { name, object }
    })
  }

  find(directory: ViewObject, name: string): ViewObject | null {
    const inode = this.#superBlock.lookup(inodeOf(directory), name)
    return inode === null ? null : new InodeObject(this.#superBlock, inode)
  }

  readlink(object: ViewObject): string {
    return this.#superBlock.readlink(inodeOf(object))
  }

  xattrs(object: ViewObject): Xattrs | null {
    const inode = inodeOf(object)
    let xattrs: Map<string, Uint8Array> | null = null
    for (const name of this.#superBlock.listXattrs(inode)) {
      const value = this.#superBlock.getXattr(inode, name)
      if (value === null) continue
      xattrs ??= new Map<string, Uint8Array>()
      xattrs.set(name, value)
    }
    return xattrs
  }

  open(object: ViewObject): ContentReader {
    const { sizeBytes } = object
    const file = this.#superBlock.openFile(inodeOf(object), O_RDONLY | O_NOATIME)
    return {
      read: (target, position) => file.read(target, position),
      nextData: position => next(at => file.seekData(at), position, sizeBytes),
      nextHole: position => next(at => file.seekHole(at), position, sizeBytes),
      close: () => file.close(),
    }
  }
}

function next(seek: (position: number) => number, position: number, sizeBytes: number): number {
  if (position >= sizeBytes) return sizeBytes
  try {
    return seek(position)
  } catch (error) {
    if (isCode(error, 'ENXIO')) return sizeBytes
    throw error
  }
}

function inodeOf(object: ViewObject): Inode {
  return (object as InodeObject).inode
}
