import type { FileHandle } from '../fs/index.ts'
import { nodeError, wrongType } from './node-error.ts'

/** Open files by number, the lowest free one first, as in a process. 0, 1 and 2 are not handed out. */
export class Descriptors {
  readonly #files: (FileHandle | undefined)[] = [undefined, undefined, undefined]

  add(file: FileHandle): number {
    const free = this.#files.indexOf(undefined, 3)
    const fd = free < 0 ? this.#files.length : free
    this.#files[fd] = file
    return fd
  }

  /** Errors: EBADF, and a TypeError for what is no number. */
  get(fd: unknown, syscall: string): FileHandle {
    if (typeof fd !== 'number') throw wrongType('fd', 'of type number', fd)
    const file = this.#files[fd]
    if (file === undefined) throw nodeError('EBADF', { syscall })
    return file
  }

  close(fd: unknown): void {
    const file = this.get(fd, 'close')
    this.#files[fd as number] = undefined
    file.close()
  }
}
