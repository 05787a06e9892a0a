import type { Binding } from './binding.ts'
import { errnoOf } from './system-error.ts'

/** Calls about the contents of open files. Errors: SystemError. */
export type ContentCalls = {
  /**
   * ioctl(FICLONE): makes `to` share all blocks of `from`. False where it cannot be done (another file system, one
   * without reflinks): copy then.
   */
  cloneFile(from: number, to: number): boolean
  /** copy_file_range(2) at the files' own positions; returns the bytes copied, 0 at the end. */
  copyFileRange(from: number, to: number, lengthBytes: number): number
  /** The next data at or after `offset`, null when there is none before the end. Moves the position of `fd`. */
  seekData(fd: number, offset: number): number | null
  /** The next hole at or after `offset`; the end of the file counts as one. Moves the position of `fd`. */
  seekHole(fd: number, offset: number): number | null
  /** Writes the whole file system of `fd` to its disk. */
  syncfs(fd: number): void
}

const FICLONE = 0x40049409
const SEEK_DATA = 3
const SEEK_HOLE = 4

/** Binds the calls about contents. */
export function contentCalls({ bind, bindOptional, check, errno }: Binding): ContentCalls {
  const ioctl = bind('ioctl', 'int', ['int', 'size', 'int'])
  const copy = bindOptional('copy_file_range', 'long', ['int', 'pointer', 'int', 'pointer', 'size', 'uint'])
  const lseek = bind('lseek', 'offset', ['int', 'offset', 'int'])
  const sync = bind('syncfs', 'int', ['int'])
  const notHere = new Set([errnoOf.EOPNOTSUPP, errnoOf.EXDEV, errnoOf.EINVAL, errnoOf.ENOTTY, errnoOf.ENOSYS])
  const seek = (fd: number, offset: number, whence: number): number | null => {
    const result = lseek(fd, offset, whence)
    return result < 0 && errno() === errnoOf.ENXIO ? null : check(result, 'lseek')
  }
  return {
    cloneFile(from, to) {
      const result = ioctl(to, FICLONE, from)
      if (result < 0 && notHere.has(errno())) return false
      check(result, 'ioctl(FICLONE)')
      return true
    },
    copyFileRange: (from, to, lengthBytes) => check(copy(from, 0, to, 0, lengthBytes, 0), 'copy_file_range'),
    seekData: (fd, offset) => seek(fd, offset, SEEK_DATA),
    seekHole: (fd, offset) => seek(fd, offset, SEEK_HOLE),
    syncfs: fd => void check(sync(fd), 'syncfs'),
  }
}
