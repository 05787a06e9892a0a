import type { Binding } from './binding.ts'
import { errnoOf, SystemError } from './system-error.ts'

/** In place of a directory's descriptor: relative paths start at the current directory of the calling thread. */
export const AT_FDCWD = -100

const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200

/** As node:fs does: no program that ovl starts inherits a descriptor. */
const O_CLOEXEC = 0o2000000

/** renameat2(2): fails with EEXIST when the new name is taken. */
export const RENAME_NOREPLACE = 1
/** Both names stay, with each other's file. */
export const RENAME_EXCHANGE = 2

/** openat2(2), how a path may be walked: into no other mount. */
export const RESOLVE_NO_XDEV = 0x01
/** No link of /proc that leads to an open file. */
export const RESOLVE_NO_MAGICLINKS = 0x02
/** No symlink at all. */
export const RESOLVE_NO_SYMLINKS = 0x04
/** Nothing outside of the directory: else EXDEV. */
export const RESOLVE_BENEATH = 0x08
/** The directory is "/" for the path: ".." and absolute links stay inside. */
export const RESOLVE_IN_ROOT = 0x10

/**
 * Calls that name files, relative to the descriptor of a directory (or `AT_FDCWD`). Paths are ovl names; none longer
 * than PATH_MAX. None follows a symlink at the end of the path, other than openat without O_NOFOLLOW and fchmodat.
 * Errors: SystemError.
 */
export type FileCalls = {
  openat(directory: number, path: string, how: { readonly flags: number; readonly mode?: number }): number
  openat2(
    directory: number,
    path: string,
    how: { readonly flags: number; readonly mode?: number; readonly resolve: number },
  ): number
  mkdirat(directory: number, path: string, mode: number): void
  /** `mode` with the type bits; major below 2^12 and minor below 2^20, else EINVAL. */
  mknodat(
    directory: number,
    path: string,
    node: { readonly mode: number; readonly major: number; readonly minor: number },
  ): void
  symlinkat(target: string, directory: number, path: string): void
  /** A symlink is linked itself. */
  linkat(fromDirectory: number, from: string, toDirectory: number, to: string): void
  unlinkat(directory: number, path: string): void
  /** unlinkat(2) with AT_REMOVEDIR. */
  rmdirat(directory: number, path: string): void
  /** `flags`: RENAME_NOREPLACE, RENAME_EXCHANGE, or 0. */
  renameat2(fromDirectory: number, from: string, toDirectory: number, to: string, flags: number): void
  fchownat(directory: number, path: string, uid: number, gid: number): void
  /** Follows a symlink: Linux has no modes of symlinks. */
  fchmodat(directory: number, path: string, mode: number): void
}

/** Numbers of calls that not every libc has a function for, by process.arch; openat2 is 437 everywhere. */
const renameat2Numbers: { readonly [arch: string]: number } = {
  x64: 316,
  arm64: 276,
  riscv64: 276,
  loong64: 276,
  ppc64: 357,
}
const openat2Number = 437

/** Binds the calls that name files. */
export function fileCalls(binding: Binding): FileCalls {
  return { ...opening(binding), ...making(binding), ...changing(binding) }
}

function opening({ bind, path: put, pointerTo, check }: Binding): Pick<FileCalls, 'openat' | 'openat2'> {
  const open = bind('openat', 'int', ['int', 'pointer', 'int', 'uint'])
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'pointer', 'size'])
  // struct open_how: flags, mode, resolve
  const how = new BigUint64Array(3)
  const howPointer = pointerTo(new Uint8Array(how.buffer))
  return {
    openat(directory, path, { flags, mode = 0 }) {
      return check(open(directory, put('openat', path), flags | O_CLOEXEC, mode), 'openat', path)
    },
    openat2(directory, path, { flags, mode = 0, resolve }) {
      how[0] = BigInt(flags | O_CLOEXEC)
      how[1] = BigInt(mode)
      how[2] = BigInt(resolve)
      const result = syscall(openat2Number, directory, put('openat2', path), howPointer, how.byteLength)
      return check(result, 'openat2', path)
    },
  }
}

function making({ bind, path: put, check }: Binding): Pick<FileCalls, 'mkdirat' | 'mknodat' | 'symlinkat' | 'linkat'> {
  const mkdir = bind('mkdirat', 'int', ['int', 'pointer', 'uint'])
  const mknod = bind('mknodat', 'int', ['int', 'pointer', 'uint', 'uint64'])
  const symlink = bind('symlinkat', 'int', ['pointer', 'int', 'pointer'])
  const link = bind('linkat', 'int', ['int', 'pointer', 'int', 'pointer', 'int'])
  return {
    mkdirat(directory, path, mode) {
      check(mkdir(directory, put('mkdirat', path), mode), 'mkdirat', path)
    },
    mknodat(directory, path, { mode, major, minor }) {
      // The kernel's dev_t is 32 bits wide; libc would cut what is larger, or refuse it.
      if (major > 0xfff || minor > 0xfffff) throw new SystemError('mknodat', errnoOf.EINVAL, path)
      const device = ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0
      check(mknod(directory, put('mknodat', path), mode, device), 'mknodat', path)
    },
    symlinkat(target, directory, path) {
      check(symlink(put('symlinkat', target, 1), directory, put('symlinkat', path)), 'symlinkat', path)
    },
    linkat(fromDirectory, from, toDirectory, to) {
      check(link(fromDirectory, put('linkat', from), toDirectory, put('linkat', to, 1), 0), 'linkat', to)
    },
  }
}

function changing({
  bind,
  path: put,
  check,
}: Binding): Pick<FileCalls, 'unlinkat' | 'rmdirat' | 'renameat2' | 'fchownat' | 'fchmodat'> {
  const unlink = bind('unlinkat', 'int', ['int', 'pointer', 'int'])
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'pointer', 'uint'])
  const chown = bind('fchownat', 'int', ['int', 'pointer', 'uint', 'uint', 'int'])
  const chmod = bind('fchmodat', 'int', ['int', 'pointer', 'uint', 'int'])
  const renameNumber = renameat2Numbers[process.arch]
  return {
    unlinkat(directory, path) {
      check(unlink(directory, put('unlinkat', path), 0), 'unlinkat', path)
    },
    rmdirat(directory, path) {
      check(unlink(directory, put('rmdir', path), AT_REMOVEDIR), 'rmdir', path)
    },
    renameat2(fromDirectory, from, toDirectory, to, flags) {
      if (renameNumber === undefined) throw new SystemError('renameat2', errnoOf.ENOSYS, from)
      const source = put('renameat2', from)
      const target = put('renameat2', to, 1)
      check(syscall(renameNumber, fromDirectory, source, toDirectory, target, flags), 'renameat2', from)
    },
    fchownat(directory, path, uid, gid) {
      check(chown(directory, put('fchownat', path), uid, gid, AT_SYMLINK_NOFOLLOW), 'fchownat', path)
    },
    fchmodat(directory, path, mode) {
      check(chmod(directory, put('fchmodat', path), mode, 0), 'fchmodat', path)
    },
  }
}
