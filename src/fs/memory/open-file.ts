// An open regular file: reading, writing, holes and fallocate, with the times that tmpfs sets (mm/shmem.c,
// shmem_file_read_iter, shmem_file_write_iter, shmem_file_llseek, shmem_fallocate).
import { FsError } from '../../errors/index.ts'
import { type ByteRange, copiedRanges } from '../copied-ranges.ts'
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, O_APPEND, O_NOATIME } from '../flags.ts'
import type { InodeFile } from '../super-block.ts'
import { extentLimitBytes, pageSizeBytes } from './content.ts'
import type { MemoryInode } from './inode.ts'
import type { Space } from './space.ts'

/** What an open file needs of its file system. */
export type FileHost = {
  readonly space: Space
  now(): bigint
  accessed(inode: MemoryInode): void
  /** Called once, when the file is closed. */
  closed(inode: MemoryInode): void
}

/** One opening of a file. It keeps the content alive when the last name goes. */
export class MemoryFile implements InodeFile {
  readonly #inode: MemoryInode
  readonly #host: FileHost
  readonly #append: boolean
  readonly #noatime: boolean
  #open = true

  constructor(inode: MemoryInode, flags: number, host: FileHost) {
    this.#inode = inode
    this.#host = host
    this.#append = (flags & O_APPEND) !== 0
    this.#noatime = (flags & O_NOATIME) !== 0
    inode.opened++
  }

  read(target: Uint8Array, position: number): number {
    const inode = this.#inode
    const length = Math.min(target.length, inode.sizeBytes - position)
    if (length > 0) inode.content.read(target, position, length)
    if (!this.#noatime) this.#host.accessed(inode)
    return Math.max(0, length)
  }

  write(source: Uint8Array, position: number): number {
    if (source.length === 0) return 0
    const inode = this.#inode
    const at = this.#append ? inode.sizeBytes : position
    this.#modified()
    const fitting = this.#fitting(source.length, at)
    if (fitting === 0) throw new FsError('ENOSPC', 'write')
    const { content } = inode
    const before = content.pages
    content.write(fitting === source.length ? source : source.subarray(0, fitting), at)
    this.#host.space.addPages(content.pages - before)
    if (at + fitting > inode.sizeBytes) inode.sizeBytes = at + fitting
    return fitting
  }

  sync(): void {}

  seekData(position: number): number {
    const { sizeBytes, content } = this.#inode
    const found = position < sizeBytes ? content.nextData(position) : Infinity
    if (found >= sizeBytes) throw new FsError('ENXIO', 'lseek')
    return found
  }

  seekHole(position: number): number {
    const { sizeBytes, content } = this.#inode
    if (position >= sizeBytes) throw new FsError('ENXIO', 'lseek')
    return Math.min(content.nextHole(position), sizeBytes)
  }

  allocate(mode: number, position: number, lengthBytes: number): void {
    if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0) throw new FsError('EOPNOTSUPP', 'fallocate')
    const end = position + lengthBytes
    const { content } = this.#inode
    const before = content.pages
    if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0) content.free(position, end)
    else this.#reserve(position, lengthBytes)
    this.#host.space.addPages(content.pages - before)
    if (mode === 0 && end > this.#inode.sizeBytes) this.#inode.sizeBytes = end
    this.#modified()
  }

  /** Of another file in memory. */
  copyFrom(source: InodeFile, lengthBytes: number): boolean {
    const { content } = this.#inode
    if (!(source instanceof MemoryFile) || content.pages > 0) return false
    const from = source.#inode
    const ranges = rangesToCopy(from, lengthBytes)
    const pages = ranges.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / pageSizeBytes), 0)
    // As far as there is room the file is written, and then it fails: that is left to `write`.
    if (pages > this.#host.space.freePages) return false
    for (const { start, end } of ranges) content.append(from.content, start, end)
    this.#host.space.addPages(pages)
    const last = ranges.at(-1)
    if (last === undefined) return true // nothing is read and nothing written
    if (!source.#noatime) source.#host.accessed(from)
    this.#inode.sizeBytes = Math.max(this.#inode.sizeBytes, last.end)
    this.#modified()
    return true
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#inode.opened--
    this.#host.closed(this.#inode)
  }

  #reserve(position: number, lengthBytes: number): void {
    const { content } = this.#inode
    const { maxPages, freePages } = this.#host.space
    // In this order: a length that can never fit must not be walked page by page.
    const pages = Math.ceil((position + lengthBytes) / pageSizeBytes) - Math.floor(position / pageSizeBytes)
    const fits =
      pages <= freePages || (pages <= maxPages && content.fitting(position, lengthBytes, freePages) === lengthBytes)
    if (!fits) throw new FsError('ENOSPC', 'fallocate')
    content.reserve(position, position + lengthBytes)
  }

  #fitting(lengthBytes: number, position: number): number {
    const { freePages } = this.#host.space
    if (freePages * pageSizeBytes >= lengthBytes + 2 * pageSizeBytes) return lengthBytes
    return this.#inode.content.fitting(position, lengthBytes, freePages)
  }

  #modified(): void {
    const now = this.#host.now()
    this.#inode.mtimeNs = now
    this.#inode.ctimeNs = now
  }
}

/** Neighbours are one, as far as an extent goes. */
function rangesToCopy({ content, sizeBytes }: MemoryInode, lengthBytes: number): readonly ByteRange[] {
  const nextData = (position: number): number | null => {
    const found = content.nextData(position)
    return found < sizeBytes ? found : null
  }
  const ranges: ByteRange[] = []
  for (const range of copiedRanges(Math.min(lengthBytes, sizeBytes), nextData)) {
    const last = ranges.at(-1)
    if (last?.end === range.start && range.end - last.start <= extentLimitBytes) {
      ranges[ranges.length - 1] = { start: last.start, end: range.end }
    } else ranges.push(range)
  }
  return ranges
}
