import { FsError } from '../../errors/index.ts'
import type { DirectoryEntry, Stat, TimeChange } from '../../fs/index.ts'
import { kernelBufferBytes, type KernelMemory, splitNames } from './kernel-memory.ts'
import { readDirents, readStatx, writeTimes } from './kernel-structs.ts'

/** Calls on open files. Errors: FsError. */
export type DescriptorCalls = {
  fstat(fd: number): Stat
  /** read(2), or pread(2) with a position. */
  read(fd: number, target: Uint8Array, position?: number): number
  write(fd: number, source: Uint8Array, position?: number): number
  lseek(fd: number, offset: number, whence: number): number
  ftruncate(fd: number, sizeBytes: number): void
  fallocate(fd: number, mode: number, range: { readonly position: number; readonly lengthBytes: number }): void
  fchmod(fd: number, mode: number): void
  fchown(fd: number, uid: number, gid: number): void
  futimens(fd: number, times: { readonly atime: TimeChange; readonly mtime: TimeChange }): void
  fgetxattr(fd: number, name: string): Uint8Array
  fsetxattr(fd: number, name: string, how: { readonly value: Uint8Array; readonly flags: number }): void
  fremovexattr(fd: number, name: string): void
  flistxattr(fd: number): string[]
  /** FS_IOC_GETFLAGS */
  getFlags(fd: number): number
  setFlags(fd: number, flags: number): void
  /** linkat(2) of the open file itself: AT_EMPTY_PATH. */
  flink(fd: number, path: string): void
  /** The next entries of an open directory, none at its end. */
  getdents(fd: number): DirectoryEntry[]
  fsync(fd: number): void
  syncfs(fd: number): void
  close(fd: number): void
}

const here = -100
const AT_EMPTY_PATH = 0x1000
const STATX_BASIC_STATS = 0x7ff
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602

/** Binds the calls. */
export function descriptorCalls(memory: KernelMemory): DescriptorCalls {
  return { ...contents(memory), ...changing(memory), ...attributes(memory), ...others(memory) }
}

function contents(
  memory: KernelMemory,
): Pick<DescriptorCalls, 'read' | 'write' | 'lseek' | 'ftruncate' | 'fallocate' | 'getdents'> {
  const { bind, bindOptional, check, pointerTo, buffer, address } = memory
  const read = bind('read', 'long', ['int', 'pointer', 'size'])
  const pread = bind('pread', 'long', ['int', 'pointer', 'size', 'offset'])
  const write = bind('write', 'long', ['int', 'pointer', 'size'])
  const pwrite = bind('pwrite', 'long', ['int', 'pointer', 'size', 'offset'])
  const truncate = bind('ftruncate', 'int', ['int', 'offset'])
  const allocate = bind('fallocate', 'int', ['int', 'int', 'offset', 'offset'])
  const getdents = bindOptional('getdents64', 'long', ['int', 'pointer', 'size'])
  return {
    read(fd, target, position) {
      const to = pointerTo(target)
      const length = position === undefined ? read(fd, to, target.length) : pread(fd, to, target.length, position)
      return check(length, 'read')
    },
    write(fd, source, position) {
      const from = pointerTo(source)
      const length = position === undefined ? write(fd, from, source.length) : pwrite(fd, from, source.length, position)
      return check(length, 'write')
    },
    lseek: lseekCall(memory),
    ftruncate: (fd, sizeBytes) => void check(truncate(fd, sizeBytes), 'ftruncate'),
    fallocate(fd, mode, { position, lengthBytes }) {
      check(allocate(fd, mode, position, lengthBytes), 'fallocate')
    },
    getdents: fd => readDirents(buffer, check(getdents(fd, address, kernelBufferBytes), 'getdents64')),
  }
}

/** Binds lseek(2). */
export function lseekCall({ bind, check }: KernelMemory): DescriptorCalls['lseek'] {
  const lseek = bind('lseek', 'offset', ['int', 'offset', 'int'])
  return (fd, offset, whence) => check(lseek(fd, offset, whence), 'lseek')
}

function changing({
  bind,
  check,
  view,
  address,
}: KernelMemory): Pick<DescriptorCalls, 'fchmod' | 'fchown' | 'futimens'> {
  const chmod = bind('fchmod', 'int', ['int', 'uint'])
  const chown = bind('fchown', 'int', ['int', 'uint', 'uint'])
  const utimens = bind('futimens', 'int', ['int', 'pointer'])
  return {
    fchmod: (fd, mode) => void check(chmod(fd, mode), 'fchmod'),
    fchown: (fd, uid, gid) => void check(chown(fd, uid >>> 0, gid >>> 0), 'fchown'),
    futimens(fd, times) {
      writeTimes(view, times)
      check(utimens(fd, address), 'futimens')
    },
  }
}

function attributes(
  memory: KernelMemory,
): Pick<DescriptorCalls, 'fgetxattr' | 'fsetxattr' | 'fremovexattr' | 'flistxattr' | 'getFlags' | 'setFlags'> {
  const { bind, path: put, ask, check, buffer, view, address } = memory
  const get = bind('fgetxattr', 'long', ['int', 'pointer', 'pointer', 'size'])
  const set = bind('fsetxattr', 'int', ['int', 'pointer', 'pointer', 'size', 'int'])
  const remove = bind('fremovexattr', 'int', ['int', 'pointer'])
  const list = bind('flistxattr', 'long', ['int', 'pointer', 'size'])
  const ioctl = bind('ioctl', 'int', ['int', 'size', 'pointer'])
  return {
    fgetxattr(fd, name) {
      const length = ask(sizeBytes => get(fd, put('fgetxattr', name), address, sizeBytes))
      return new Uint8Array(buffer.subarray(0, check(length, 'fgetxattr')))
    },
    fsetxattr(fd, name, { value, flags }) {
      if (value.length > kernelBufferBytes) throw new FsError('E2BIG', 'fsetxattr')
      buffer.set(value)
      check(set(fd, put('fsetxattr', name), address, value.length, flags), 'fsetxattr')
    },
    fremovexattr: (fd, name) => void check(remove(fd, put('fremovexattr', name)), 'fremovexattr'),
    flistxattr(fd) {
      const length = ask(sizeBytes => list(fd, address, sizeBytes))
      return splitNames(buffer.subarray(0, check(length, 'flistxattr')))
    },
    getFlags(fd) {
      view.setUint32(0, 0, true)
      check(ioctl(fd, FS_IOC_GETFLAGS, address), 'ioctl')
      return view.getUint32(0, true)
    },
    setFlags(fd, flags) {
      view.setUint32(0, flags, true)
      check(ioctl(fd, FS_IOC_SETFLAGS, address), 'ioctl')
    },
  }
}

function others(memory: KernelMemory): Pick<DescriptorCalls, 'fstat' | 'flink' | 'fsync' | 'syncfs' | 'close'> {
  const { bind, bindOptional, path: put, check, view, address } = memory
  const statx = bindOptional('statx', 'int', ['int', 'pointer', 'int', 'uint', 'pointer'])
  const link = bind('linkat', 'int', ['int', 'pointer', 'int', 'pointer', 'int'])
  const fsync = bind('fsync', 'int', ['int'])
  const syncfs = bind('syncfs', 'int', ['int'])
  const close = bind('close', 'int', ['int'])
  return {
    fstat(fd) {
      check(statx(fd, put('fstat', ''), AT_EMPTY_PATH, STATX_BASIC_STATS, address), 'fstat')
      return readStatx(view)
    },
    flink(fd, path) {
      check(link(fd, put('link', ''), here, put('link', path, 1), AT_EMPTY_PATH), 'link', path)
    },
    fsync: fd => void check(fsync(fd), 'fsync'),
    syncfs: fd => void check(syncfs(fd), 'syncfs'),
    close: fd => void check(close(fd), 'close'),
  }
}
