import type { FileSystemStat, Stat, TimeChange } from '../../fs/index.ts'
import { decodeName } from '../../path/index.ts'
import { kernelBufferBytes, type KernelMemory, splitNames } from './kernel-memory.ts'
import { readStatfs, readStatx, systemDevice, writeTimes } from './kernel-structs.ts'
import { FsError } from '../../errors/index.ts'

/** A symlink at the end of the path: followed, or itself meant. */
export type Follow = { readonly follow: boolean }

/** Calls that take paths. Errors: FsError. */
export type KernelPathCalls = {
  stat(path: string, options: Follow): Stat
  readlink(path: string): string
  access(path: string, mask: number): void
  statfs(path: string): FileSystemStat
  /** The descriptor, closed when a program is started. */
  open(path: string, flags: number, mode: number): number
  mkdir(path: string, mode: number): void
  mknod(path: string, mode: number, rdev: number): void
  symlink(target: string, path: string): void
  link(existing: string, path: string): void
  unlink(path: string): void
  rmdir(path: string): void
  /** renameat2(2) */
  rename(from: string, to: string, flags: number): void
  chmod(path: string, mode: number): void
  chown(path: string, owner: { readonly uid: number; readonly gid: number }, options: Follow): void
  utimens(path: string, times: { readonly atime: TimeChange; readonly mtime: TimeChange }, options: Follow): void
  truncate(path: string, sizeBytes: number): void
  getxattr(path: string, name: string): Uint8Array
  setxattr(path: string, name: string, how: { readonly value: Uint8Array; readonly flags: number }): void
  removexattr(path: string, name: string): void
  listxattr(path: string): string[]
}

const here = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
/** By the effective ids and capabilities, as every other call. */
const AT_EACCESS = 0x200
/** On every architecture. */
const faccessat2Number = 439
const STATX_BASIC_STATS = 0x7ff
const O_CLOEXEC = 0o2000000
/** Never waits for the other end of a FIFO; means nothing to files and directories. */
const O_NONBLOCK = 0o4000

/** Binds the calls. */
export function kernelPathCalls(memory: KernelMemory): KernelPathCalls {
  return { ...asking(memory), ...making(memory), ...removing(memory), ...changing(memory), ...attributes(memory) }
}

function nofollow({ follow }: Follow): number {
  return follow ? 0 : AT_SYMLINK_NOFOLLOW
}

function asking(memory: KernelMemory): Pick<KernelPathCalls, 'stat' | 'readlink' | 'access' | 'statfs'> {
  const { bind, bindOptional, path: put, check, buffer, view, address } = memory
  const statx = bindOptional('statx', 'int', ['int', 'pointer', 'int', 'uint', 'pointer'])
  const readlink = bind('readlink', 'long', ['pointer', 'pointer', 'size'])
  const access = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'int'])
  const statfs = bind('statfs', 'int', ['pointer', 'pointer'])
  return {
    stat(path, options) {
      const name = options.follow ? 'stat' : 'lstat'
      check(statx(here, put(name, path), nofollow(options), STATX_BASIC_STATS, address), name, path)
      return readStatx(view)
    },
    readlink(path) {
      const length = check(readlink(put('readlink', path), address, kernelBufferBytes), 'readlink', path)
      return decodeName(buffer, 0, length)
    },
    access(path, mask) {
      check(access(faccessat2Number, here, put('access', path), mask, AT_EACCESS), 'access', path)
    },
    statfs(path) {
      check(statfs(put('statfs', path), address), 'statfs', path)
      return readStatfs(view)
    },
  }
}

function making(
  memory: KernelMemory,
): Pick<KernelPathCalls, 'open' | 'mkdir' | 'mknod' | 'symlink' | 'link' | 'rename'> {
  const { bind, path: put, check } = memory
  const open = bind('openat', 'int', ['int', 'pointer', 'int', 'uint'])
  const mkdir = bind('mkdir', 'int', ['pointer', 'uint'])
  const mknod = bind('mknod', 'int', ['pointer', 'uint', 'uint64'])
  const symlink = bind('symlink', 'int', ['pointer', 'pointer'])
  const link = bind('link', 'int', ['pointer', 'pointer'])
  const rename = bind('renameat2', 'int', ['int', 'pointer', 'int', 'pointer', 'uint'])
  return {
    open: (path, flags, mode) =>
      check(open(here, put('open', path), flags | O_CLOEXEC | O_NONBLOCK, mode), 'open', path),
    mkdir: (path, mode) => void check(mkdir(put('mkdir', path), mode), 'mkdir', path),
    mknod: (path, mode, rdev) => void check(mknod(put('mknod', path), mode, systemDevice(rdev)), 'mknod', path),
    symlink: (target, path) => void check(symlink(put('symlink', target, 1), put('symlink', path)), 'symlink', path),
    link: (existing, path) => void check(link(put('link', existing), put('link', path, 1)), 'link', path),
    rename(from, to, flags) {
      check(rename(here, put('rename', from), here, put('rename', to, 1), flags), 'rename', from)
    },
  }
}

function removing({ bind, path: put, check }: KernelMemory): Pick<KernelPathCalls, 'unlink' | 'rmdir'> {
  const unlink = bind('unlinkat', 'int', ['int', 'pointer', 'int'])
  return {
    unlink: path => void check(unlink(here, put('unlink', path), 0), 'unlink', path),
    rmdir: path => void check(unlink(here, put('rmdir', path), AT_REMOVEDIR), 'rmdir', path),
  }
}

function changing(memory: KernelMemory): Pick<KernelPathCalls, 'chmod' | 'chown' | 'utimens' | 'truncate'> {
  const { bind, path: put, check, view, address } = memory
  const chmod = bind('chmod', 'int', ['pointer', 'uint'])
  const chown = bind('fchownat', 'int', ['int', 'pointer', 'uint', 'uint', 'int'])
  const utimens = bind('utimensat', 'int', ['int', 'pointer', 'pointer', 'int'])
  const truncate = bind('truncate', 'int', ['pointer', 'offset'])
  return {
    chmod: (path, mode) => void check(chmod(put('chmod', path), mode), 'chmod', path),
    chown(path, { uid, gid }, options) {
      check(chown(here, put('chown', path), uid >>> 0, gid >>> 0, nofollow(options)), 'chown', path)
    },
    utimens(path, times, options) {
      writeTimes(view, times)
      check(utimens(here, put('utimensat', path), address, nofollow(options)), 'utimensat', path)
    },
    truncate: (path, sizeBytes) => void check(truncate(put('truncate', path), sizeBytes), 'truncate', path),
  }
}

function attributes(
  memory: KernelMemory,
): Pick<KernelPathCalls, 'getxattr' | 'setxattr' | 'removexattr' | 'listxattr'> {
  const { bind, path: put, ask, check, buffer, address } = memory
  const get = bind('lgetxattr', 'long', ['pointer', 'pointer', 'pointer', 'size'])
  const set = bind('lsetxattr', 'int', ['pointer', 'pointer', 'pointer', 'size', 'int'])
  const remove = bind('lremovexattr', 'int', ['pointer', 'pointer'])
  const list = bind('llistxattr', 'long', ['pointer', 'pointer', 'size'])
  return {
    getxattr(path, name) {
      const length = ask(sizeBytes => get(put('getxattr', path), put('getxattr', name, 1), address, sizeBytes))
      return new Uint8Array(buffer.subarray(0, check(length, 'getxattr', path)))
    },
    setxattr(path, name, { value, flags }) {
      if (value.length > kernelBufferBytes) throw new FsError('E2BIG', 'setxattr', path)
      buffer.set(value)
      check(set(put('setxattr', path), put('setxattr', name, 1), address, value.length, flags), 'setxattr', path)
    },
    removexattr(path, name) {
      check(remove(put('removexattr', path), put('removexattr', name, 1)), 'removexattr', path)
    },
    listxattr(path) {
      const length = ask(sizeBytes => list(put('listxattr', path), address, sizeBytes))
      return splitNames(buffer.subarray(0, check(length, 'listxattr', path)))
    },
  }
}
