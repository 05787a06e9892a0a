// What fits: the limits of tmpfs' mount options size= and nr_inodes=. As in mm/shmem.c, an inode counts 1024 bytes of
// inode space, a further name as much again, and an attribute takes its part of the same space.
import { FsError } from '../../errors/index.ts'
import { pageSizeBytes } from './content.ts'

const inodeSpaceBytes = 1024

/** Pages and inodes of one file system. Without limits everything fits. */
export class Space {
  readonly #maxPages: number
  readonly #maxInodes: number
  #usedPages = 0
  #freeInodeBytes: number

  constructor(limits: { readonly sizeBytes: number | undefined; readonly maxInodes: number | undefined }) {
    this.#maxPages = limits.sizeBytes === undefined ? Infinity : Math.ceil(limits.sizeBytes / pageSizeBytes)
    this.#maxInodes = limits.maxInodes ?? Infinity
    this.#freeInodeBytes = this.#maxInodes * inodeSpaceBytes
  }

  /** All pages, then the free ones; zeros without a limit. */
  get pages(): { readonly all: number; readonly free: number } {
    return this.#maxPages === Infinity ? unlimited : { all: this.#maxPages, free: this.freePages }
  }

  /** All inodes, then the free ones; zeros without a limit. */
  get inodes(): { readonly all: number; readonly free: number } {
    if (this.#maxInodes === Infinity) return unlimited
    return { all: this.#maxInodes, free: Math.floor(this.#freeInodeBytes / inodeSpaceBytes) }
  }

  get maxPages(): number {
    return this.#maxPages
  }

  get freePages(): number {
    return this.#maxPages - this.#usedPages
  }

  /** Pages that came into being, or (negative) went. */
  addPages(pages: number): void {
    this.#usedPages += pages
  }

  /** For an inode, or one more name of one. Errors: ENOSPC. */
  takeInode(syscall: string): void {
    this.#take(inodeSpaceBytes, syscall)
  }

  freeInode(): void {
    this.#freeInodeBytes += inodeSpaceBytes
  }

  /** Errors: ENOSPC. */
  takeXattr(name: string, value: Uint8Array): void {
    this.#take(xattrSpaceBytes(name, value), 'setxattr')
  }

  freeXattr(name: string, value: Uint8Array): void {
    this.#freeInodeBytes += xattrSpaceBytes(name, value)
  }

  #take(bytes: number, syscall: string): void {
    if (this.#freeInodeBytes < bytes) throw new FsError('ENOSPC', syscall)
    this.#freeInodeBytes -= bytes
  }
}

const unlimited = { all: 0, free: 0 }

/** simple_xattr_space */
function xattrSpaceBytes(name: string, value: Uint8Array): number {
  return 40 + name.length + value.length
}
