import { FsError } from '../../errors/index.ts'
import {
  fileTypeOf,
  type Credentials,
  type DirectoryEntry,
  type FileHandle,
  type FileType,
  type Inode,
  type Stat,
  type TimeChange,
} from '../../fs/index.ts'
import type { Visit } from './visit.ts'
import type { KernelCalls } from '../../host/index.ts'

const whenceNumbers = { set: 0, current: 1, end: 2, data: 3, hole: 4 } as const

/** An open file of the kernel; calls on it are made as the caller who opened it. */
export class KernelHandle implements FileHandle {
  readonly flags: number
  readonly #fd: number
  readonly #visit: Visit
  readonly #calls: KernelCalls
  readonly #caller: Credentials
  #isOpen = true
  #type: FileType | null = null
  /** What was listed since opening or the last `rewind`. */
  #entries: readonly DirectoryEntry[] | null = null

  constructor(
    visit: Visit,
    { fd, flags, caller }: { readonly fd: number; readonly flags: number; readonly caller: Credentials },
  ) {
    this.flags = flags
    this.#fd = fd
    this.#visit = visit
    this.#calls = visit.calls
    this.#caller = caller
  }

  /** Only its type is known. */
  get inode(): Inode {
    this.#type ??= fileTypeOf(this.stat().mode)
    return { type: this.#type }
  }

  stat(): Stat {
    return this.#run(fd => this.#calls.fstat(fd))
  }

  read(target: Uint8Array, position?: number): number {
    return this.#run(fd => this.#calls.read(fd, target, position))
  }

  write(source: Uint8Array, position?: number): number {
    return this.#run(fd => this.#calls.write(fd, source, position))
  }

  seek(offset: number, whence: 'set' | 'current' | 'end' | 'data' | 'hole'): number {
    return this.#run(fd => this.#calls.lseek(fd, offset, whenceNumbers[whence]))
  }

  truncate(sizeBytes: number): void {
    this.#run(fd => this.#calls.ftruncate(fd, sizeBytes))
  }

  allocate(mode: number, position: number, lengthBytes: number): void {
    this.#run(fd => this.#calls.fallocate(fd, mode, { position, lengthBytes }))
  }

  chmod(mode: number): void {
    this.#run(fd => this.#calls.fchmod(fd, mode))
  }

  chown(uid: number, gid: number): void {
    this.#run(fd => this.#calls.fchown(fd, uid, gid))
  }

  utimens(times: { readonly atime: TimeChange; readonly mtime: TimeChange }): void {
    this.#run(fd => this.#calls.futimens(fd, times))
  }

  getxattr(name: string): Uint8Array {
    return this.#run(fd => this.#calls.fgetxattr(fd, name))
  }

  setxattr(name: string, value: Uint8Array, flags = 0): void {
    this.#run(fd => this.#calls.fsetxattr(fd, name, { value, flags }))
  }

  removexattr(name: string): void {
    this.#run(fd => this.#calls.fremovexattr(fd, name))
  }

  listxattr(): readonly string[] {
    return this.#run(fd => this.#calls.flistxattr(fd))
  }

  getFlags(): number {
    return this.#run(fd => this.#calls.getFlags(fd))
  }

  setFlags(flags: number): void {
    this.#run(fd => this.#calls.setFlags(fd, flags))
  }

  linkAs(path: string): void {
    this.#run(fd => this.#calls.flink(fd, path))
  }

  readdir(): readonly DirectoryEntry[] {
    this.#entries ??= this.#run(fd => readAllEntries(this.#calls, fd))
    return this.#entries
  }

  rewind(): void {
    this.#run(fd => this.#calls.lseek(fd, 0, whenceNumbers.set))
    this.#entries = null
  }

  sync(): void {
    this.#run(fd => this.#calls.fsync(fd))
  }

  close(): void {
    this.#run(fd => this.#calls.close(fd))
    this.#isOpen = false
  }

  /** The number of a closed descriptor may be another file's by now. */
  #run<T>(call: (fd: number) => T): T {
    if (!this.#isOpen) throw new FsError('EBADF', 'fcntl')
    return this.#visit.run(this.#caller, () => call(this.#fd))
  }
}

/** Every entry from the position of an open directory on. */
export function readAllEntries(calls: KernelCalls, fd: number): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (;;) {
    const next = calls.getdents(fd)
    if (next.length === 0) return entries
    entries.push(...next)
  }
}
