// Directories: the order of their entries and their open form, as tmpfs has them since offset directories
// (fs/libfs.c, simple_offset_*): the newest name first, and a rename makes a name new.
import { FsError } from '../../errors/index.ts'
import type { DirectoryEntry } from '../stat.ts'
import type { InodeDirectory } from '../super-block.ts'
import type { MemoryDentry, MemoryInode } from './inode.ts'

const endOffset = 0x7fffffff
/** What an entry adds to the size of its directory, and an empty one has twice. */
export const entrySizeBytes = 20

/** Adds a name. Sizes and times are not touched. */
export function addEntry(dir: MemoryInode, name: string, inode: MemoryInode): void {
  dir.entries.set(name, { inode, offset: dir.nextOffset++ })
}

/** Makes a name lead to `inode` as the newest entry, at an offset that is already the name's own. */
export function moveEntry(dir: MemoryInode, name: string, entry: MemoryDentry): void {
  dir.entries.delete(name)
  dir.entries.set(name, entry)
}

/** The entries of a directory as getdents64(2) gives them. Errors: ENOENT when the directory is removed. */
export function listEntries(dir: MemoryInode): readonly DirectoryEntry[] {
  if (dir.nlink === 0) throw new FsError('ENOENT', 'getdents64')
  const { entries } = dir
  const list: DirectoryEntry[] = []
  let at = entries.size + 2
  list.length = at
  let offset = endOffset
  for (const [name, entry] of entries) {
    const { inode } = entry
    list[--at] = { name, type: inode.type, ino: inode.ino, offset }
    offset = entry.offset
  }
  list[1] = { name: '..', type: 'dir', ino: dir.parent.ino, offset }
  list[0] = { name: '.', type: 'dir', ino: dir.ino, offset: 1 }
  return list
}

/** An open directory. tmpfs takes no snapshot: what changes is seen by the next reading. */
export class MemoryDirectory implements InodeDirectory {
  readonly #dir: MemoryInode
  readonly #accessed: (dir: MemoryInode) => void

  constructor(dir: MemoryInode, accessed: (dir: MemoryInode) => void) {
    this.#dir = dir
    this.#accessed = accessed
  }

  entries(): readonly DirectoryEntry[] {
    const list = listEntries(this.#dir)
    this.#accessed(this.#dir)
    return list
  }

  rewind(): void {}

  close(): void {}
}
