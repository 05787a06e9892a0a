// A directory as the kernel shows it, through one system call for each operation, made inside of it (chroot) and as the
// caller asked for. The oracle of the emulator: nothing is decided here.
import type { Errno } from '../../errors/index.ts'
import { FsError, isErrno } from '../../errors/index.ts'
import {
  type Credentials,
  type DirectoryEntry,
  type FileHandle,
  type FileSystem,
  type FileSystemStat,
  O_CREAT,
  O_DIRECTORY,
  O_TRUNC,
  O_WRONLY,
  type RenameOptions,
  root,
  type Stat,
  type SuperBlock,
  type TimeChange,
} from '../../fs/index.ts'
import { type KernelCalls, loadKernelCalls } from '../../host/index.ts'
import { encodeName } from '../../path/index.ts'
import { KernelHandle, readAllEntries } from './kernel-handle.ts'
import { Visit } from './visit.ts'

/**
 * A directory of this machine as a `FileSystem`. Only for root; all calls are synchronous, and between them the process
 * is where it was and who it was. `close` it in the end. It has no super block: an overlay of ovl cannot stack on it.
 */
export class KernelFs implements FileSystem {
  readonly caller: Credentials
  readonly #visit: Visit
  readonly #calls: KernelCalls

  constructor(visit: Visit, caller: Credentials = root) {
    this.#visit = visit
    this.#calls = visit.calls
    this.caller = caller
  }

  get superBlock(): SuperBlock {
    throw new Error('Cannot stack on a KernelFs: it is the kernel itself')
  }

  as(caller: Credentials): KernelFs {
    return new KernelFs(this.#visit, caller)
  }

  /** For every caller. Open handles stay open. */
  close(): void {
    this.#visit.close()
  }

  lstat(path: string): Stat {
    return this.#run(() => this.#calls.stat(path, { follow: false }))
  }

  stat(path: string): Stat {
    return this.#run(() => this.#calls.stat(path, { follow: true }))
  }

  find(path: string, { follow }: { readonly follow: boolean }): Stat | null {
    try {
      return follow ? this.stat(path) : this.lstat(path)
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return null
      throw error
    }
  }

  readlink(path: string): string {
    return this.#run(() => this.#calls.readlink(path))
  }

  readdir(path: string): readonly DirectoryEntry[] {
    return this.#run(() => {
      const fd = this.#calls.open(path, O_DIRECTORY, 0)
      try {
        return readAllEntries(this.#calls, fd).filter(({ name }) => name !== '.' && name !== '..')
      } finally {
        this.#calls.close(fd)
      }
    })
  }

  access(path: string, mask: number): void {
    this.#run(() => this.#calls.access(path, mask))
  }

  statfs(path: string): FileSystemStat {
    return this.#run(() => this.#calls.statfs(path))
  }

  open(path: string, flags: number, mode = 0o666): FileHandle {
    const fd = this.#run(() => this.#calls.open(path, flags, mode))
    return new KernelHandle(this.#visit, { fd, flags, caller: this.caller })
  }

  mkdir(path: string, mode: number): void {
    this.#run(() => this.#calls.mkdir(path, mode))
  }

  mknod(path: string, mode: number, rdev = 0): void {
    this.#run(() => this.#calls.mknod(path, mode, rdev))
  }

  symlink(target: string, path: string): void {
    this.#run(() => this.#calls.symlink(target, path))
  }

  link(existing: string, path: string): void {
    this.#run(() => this.#calls.link(existing, path))
  }

  unlink(path: string): void {
    this.#run(() => this.#calls.unlink(path))
  }

  rmdir(path: string): void {
    this.#run(() => this.#calls.rmdir(path))
  }

  rename(from: string, to: string, { flags = 0 }: RenameOptions = {}): void {
    this.#run(() => this.#calls.rename(from, to, flags))
  }

  chmod(path: string, mode: number): void {
    this.#run(() => this.#calls.chmod(path, mode))
  }

  chown(path: string, uid: number, gid: number): void {
    this.#run(() => this.#calls.chown(path, { uid, gid }, { follow: true }))
  }

  lchown(path: string, uid: number, gid: number): void {
    this.#run(() => this.#calls.chown(path, { uid, gid }, { follow: false }))
  }

  utimens(
    path: string,
    times: { readonly atime: TimeChange; readonly mtime: TimeChange; readonly follow?: boolean },
  ): void {
    this.#run(() => this.#calls.utimens(path, times, { follow: times.follow ?? true }))
  }

  truncate(path: string, sizeBytes: number): void {
    this.#run(() => this.#calls.truncate(path, sizeBytes))
  }

  getxattr(path: string, name: string): Uint8Array {
    return this.#run(() => this.#calls.getxattr(path, name))
  }

  setxattr(path: string, name: string, value: Uint8Array, flags = 0): void {
    this.#run(() => this.#calls.setxattr(path, name, { value, flags }))
  }

  removexattr(path: string, name: string): void {
    this.#run(() => this.#calls.removexattr(path, name))
  }

  listxattr(path: string): readonly string[] {
    return this.#run(() => this.#calls.listxattr(path))
  }

  readFile(path: string): Uint8Array {
    return this.#run(() => {
      const fd = this.#calls.open(path, 0, 0)
      try {
        return readAll(this.#calls, fd)
      } finally {
        this.#calls.close(fd)
      }
    })
  }

  writeFile(path: string, content: Uint8Array | string, mode = 0o666): void {
    const bytes = typeof content === 'string' ? encodeName(content) : content
    this.#run(() => {
      const fd = this.#calls.open(path, O_WRONLY | O_CREAT | O_TRUNC, mode)
      try {
        for (let at = 0; at < bytes.length; ) at += this.#calls.write(fd, bytes.subarray(at))
      } finally {
        this.#calls.close(fd)
      }
    })
  }

  sync(): void {
    this.#run(() => {
      const fd = this.#calls.open('/', O_DIRECTORY, 0)
      try {
        this.#calls.syncfs(fd)
      } finally {
        this.#calls.close(fd)
      }
    })
  }

  #run<T>(call: () => T): T {
    return this.#visit.run(this.caller, call)
  }
}

/**
 * Opens a directory of this machine. Errors: ENOSYS without koffi, EPERM for anybody but root, those of open(2).
 */
export function openKernelFs(directory: string, caller: Credentials = root): KernelFs {
  const calls = loadKernelCalls()
  if (calls === null) throw refused('ENOSYS', directory)
  if (process.geteuid?.() !== 0) throw refused('EPERM', directory)
  return new KernelFs(new Visit(calls, directory), caller)
}

function refused(code: Errno, directory: string): FsError {
  return new FsError(code, 'chroot', directory)
}

/** Read into one after the other; what was read is copied out. */
const space = new Uint8Array(1 << 16)

function readAll(calls: KernelCalls, fd: number): Uint8Array {
  const pieces: Uint8Array[] = []
  for (;;) {
    const length = calls.read(fd, space)
    if (length === 0) return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    pieces.push(space.slice(0, length))
  }
}
