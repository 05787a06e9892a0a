// Entries of directories: fs.Dirent, and fs.Dir of opendir.
import type { DirectoryEntry, FileType } from '../fs/index.ts'
import { ownError } from './node-error.ts'

/** One entry: its name, where it is, and what kind of object it is. */
export class NodeDirent {
  readonly name: string | Buffer
  readonly parentPath: string
  /** The same as `parentPath`: its older name. */
  readonly path: string
  readonly #type: FileType

  constructor(name: string | Buffer, parentPath: string, type: FileType) {
    this.name = name
    this.parentPath = parentPath
    this.path = parentPath
    this.#type = type
  }

  isFile(): boolean {
    return this.#type === 'file'
  }

  isDirectory(): boolean {
    return this.#type === 'dir'
  }

  isSymbolicLink(): boolean {
    return this.#type === 'symlink'
  }

  isBlockDevice(): boolean {
    return this.#type === 'block'
  }

  isCharacterDevice(): boolean {
    return this.#type === 'char'
  }

  isFIFO(): boolean {
    return this.#type === 'fifo'
  }

  isSocket(): boolean {
    return this.#type === 'socket'
  }
}

type Next = (error: Error | null, entry?: NodeDirent | null) => void

/** An open directory, read entry by entry, in the order of the file system. */
export class NodeDir {
  readonly path: string
  readonly #entries: readonly DirectoryEntry[]
  #next = 0
  #isOpen = true

  constructor(path: string, entries: readonly DirectoryEntry[]) {
    this.path = path
    this.#entries = entries
  }

  readSync(): NodeDirent | null {
    this.#mustBeOpen()
    const entry = this.#entries[this.#next++]
    return entry === undefined ? null : new NodeDirent(entry.name, this.path, entry.type)
  }

  closeSync(): void {
    this.#mustBeOpen()
    this.#isOpen = false
  }

  read(done?: Next): Promise<NodeDirent | null> | undefined {
    if (done === undefined) return Promise.resolve().then(() => this.readSync())
    const entry = this.readSync()
    setImmediate(() => done(null, entry))
    return undefined
  }

  close(done?: (error: Error | null) => void): Promise<void> | undefined {
    if (done === undefined) return Promise.resolve().then(() => this.closeSync())
    this.closeSync()
    setImmediate(() => done(null))
    return undefined
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<NodeDirent, void> {
    try {
      for (let entry = this.readSync(); entry !== null; entry = this.readSync()) yield entry
    } finally {
      this.closeSync()
    }
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw ownError('ERR_DIR_CLOSED', 'Directory handle was closed', { syscall: 'opendir' })
  }
}
