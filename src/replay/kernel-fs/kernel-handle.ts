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

/** What all callers of one descriptor share. */
type DescriptorState = {
  isOpen: boolean
  type: FileType | null
  /** What was listed since opening or the last `rewind`. */
  entries: readonly DirectoryEntry[] | null
}

/** A descriptor, and who makes the calls on it. */
type Descriptor = {
  readonly fd: number
  readonly flags: number
  readonly caller: Credentials
  readonly state?: DescriptorState
}

/** An open file of the kernel. */
export class KernelHandle implements FileHandle {
  readonly flags: number
  readonly #fd: number
  readonly #visit: Visit
  readonly #calls: KernelCalls
  readonly #caller: Credentials
  readonly #state: DescriptorState

  constructor(visit: Visit, { fd, flags, caller, state = { isOpen: true, type: null, entries: null } }: Descriptor) {
    this.flags = flags
    this.#fd = fd
    this.#visit = visit
    this.#calls = visit.calls
    this.#caller = caller
    this.#state = state
  }

  /** Only its type is known. */
  get inode(): Inode {
    this.#state.type ??= fileTypeOf(this.stat().mode)
    return { type: this.#state.type }
  }

  as(caller: Credentials): FileHandle {
    return new KernelHandle(this.#visit, { fd: this.#fd, flags: this.flags, caller, state: this.#state })
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
    this.#state.entries ??= this.#run(fd => readAllEntries(this.#calls, fd))
    return this.#state.entries
  }

  rewind(): void {
    this.#run(fd => this.#calls.lseek(fd, 0, whenceNumbers.set))
    this.#state.entries = null
  }

  sync(): void {
    this.#run(fd => this.#calls.fsync(fd))
  }

  close(): void {
    this.#run(fd => this.#calls.close(fd))
    this.#state.isOpen = false
  }

  /** The number of a closed descriptor may be another file's by now. */
  #run<T>(call: (fd: number) => T): T {
    if (!this.#state.isOpen) throw new FsError('EBADF', 'fcntl')
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
