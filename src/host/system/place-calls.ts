// The calls of a file system on names in open directories: nothing is reached by a path that somebody else could lead
// elsewhere. Errors are FsErrors without a path.
import { FsError } from '../../errors/index.ts'
import type { DirectoryEntry, FileSystemStat, Stat, TimeChange } from '../../fs/index.ts'
import { decodeName } from '../../path/index.ts'
import { openBinding } from './binding.ts'
import { type DescriptorCalls, descriptorCalls } from './descriptor-calls.ts'
import { type KernelMemory, kernelBufferBytes, kernelMemory } from './kernel-memory.ts'
import { readDirents, readStatfs, readStatx, systemDevice, writeTimes } from './kernel-structs.ts'
import { type PlaceAttributeCalls, placeAttributeCalls } from './place-attributes.ts'
import { type HandleCalls, handleCalls } from './handle-calls.ts'
import { type VolumeCalls, volumeCalls } from './volume-calls.ts'
import { errnoOf } from './system-error.ts'

/**
 * Where a call finds an object: one name in the directory of an open descriptor, "." for the directory itself, or ''
 * for the object that the descriptor stands for. A symlink at the name is never followed.
 */
export type Place = { readonly fd: number; readonly name: string }

/** What tells objects of one machine apart, and what a lookup wants to know. */
export type Identity = {
  readonly mode: number
  readonly dev: number
  readonly ino: bigint
  readonly nlink: number
  /** FS_IMMUTABLE_FL and FS_APPEND_FL. */
  readonly flags: number
}

/** Opening and asking. Errors: FsError. */
type AskingCalls = {
  /** One component. Never a symlink's target: ELOOP. */
  openat(place: Place, flags: number, mode?: number): number
  /**
   * openat2(2) of several components: none of them a symlink (ELOOP), none outside (EXDEV). Null on kernels without
   * the call, and where a sandbox forbids it.
   */
  openBeneath(place: Place, flags: number): number | null
  /** A descriptor of the same object with other flags. */
  reopen(fd: number, flags: number): number
  /** Null: no such name. */
  identify(place: Place): Identity | null
  /** Null: no such name. */
  stat(place: Place): Stat | null
  readlink(place: Place): string
  statfs(fd: number): FileSystemStat
  /** The next entries of an open directory, none at its end. Names whose type is not told are added to `untyped`. */
  getdents(fd: number, untyped: Set<string>): DirectoryEntry[]
}

/** Making, removing, moving, changing. Errors: FsError. */
type ChangingCalls = {
  /** The mode less the umask of the process, unless a default ACL decides. */
  mkdirat(place: Place, mode: number): void
  mknodat(place: Place, mode: number, rdev: number): void
  symlinkat(target: string, place: Place): void
  linkat(from: Place, to: Place): void
  unlinkat(place: Place): void
  rmdirat(place: Place): void
  renameat(from: Place, to: Place, flags: number): void
  chmodat(place: Place, mode: number): void
  /** -1: as it is. */
  chownat(place: Place, uid: number, gid: number): void
  /** truncate(2) of an open file: times change only with the size. */
  truncate(fd: number, sizeBytes: number): void
  utimensat(place: Place, times: { readonly atime: TimeChange; readonly mtime: TimeChange }): void
  /** Of the process: returns the one before. */
  umask(mask: number): number
}

/** All that a file system on a host directory asks of the kernel. */
export type PlaceCalls = AskingCalls &
  ChangingCalls &
  PlaceAttributeCalls &
  HandleCalls &
  VolumeCalls &
  Pick<DescriptorCalls, 'ftruncate' | 'fallocate' | 'getFlags' | 'setFlags' | 'lseek' | 'fsync' | 'syncfs'>

let loaded: PlaceCalls | null | undefined

/** The calls, or null where there is no koffi (see `loadSystem`). Cached, once for each thread. */
export function loadPlaceCalls(): PlaceCalls | null {
  if (loaded === undefined) {
    const binding = openBinding()
    loaded = binding === null ? null : placeCalls(kernelMemory(binding, { strange: 'EIO' }))
  }
  return loaded
}

function placeCalls(memory: KernelMemory): PlaceCalls {
  return {
    ...descriptorCalls(memory),
    ...asking(memory),
    ...making(memory),
    ...changing(memory),
    ...placeAttributeCalls(memory),
    ...handleCalls(memory),
    ...volumeCalls(memory),
  }
}

const here = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
const AT_SYMLINK_FOLLOW = 0x400
const AT_NO_AUTOMOUNT = 0x800
const AT_EMPTY_PATH = 0x1000
const O_NOFOLLOW = 0o400000
const O_CLOEXEC = 0o2000000
const O_PATH = 0o10000000
const STATX_BASIC_STATS = 0x7ff
const beneath = 0x08 | 0x04 | 0x02 // RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS
/** The same on every architecture. */
const [openat2Number, fchmodat2Number] = [437, 452]
/** Numbers of calls that not every libc has a function for, by process.arch. */
const callNumbers: { readonly [arch: string]: { statx: number; renameat2: number; getdents64: number } } = {
  x64: { statx: 332, renameat2: 316, getdents64: 217 },
  arm64: { statx: 291, renameat2: 276, getdents64: 61 },
  riscv64: { statx: 291, renameat2: 276, getdents64: 61 },
  loong64: { statx: 291, renameat2: 276, getdents64: 61 },
  ppc64: { statx: 383, renameat2: 357, getdents64: 202 },
}
/** Numbers of calls on this machine; on others than those above the kernel answers with ENOSYS. */
export const numbersHere = callNumbers[process.arch] ?? { statx: -1, renameat2: -1, getdents64: -1 }
/** STATX_ATTR_IMMUTABLE and STATX_ATTR_APPEND have the values of FS_IMMUTABLE_FL and FS_APPEND_FL. */
const flagBits = 0x30

/** How an open descriptor is named where a call wants a path; the link is followed to the very object. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`
}

function asking(memory: KernelMemory): AskingCalls {
  const { bind, path: put, check, errno, buffer, view, address } = memory
  const open = bind('openat', 'int', ['int', 'pointer', 'int', 'uint'])
  const getdents = bind('syscall', 'long', ['long', 'int', 'pointer', 'size'])
  const fstatfs = bind('fstatfs', 'int', ['int', 'pointer'])
  const statx = statxCall(memory)
  return {
    openat({ fd, name }, flags, mode = 0) {
      return check(open(fd, put('open', name), flags | O_NOFOLLOW | O_CLOEXEC, mode), 'open')
    },
    openBeneath: beneathOpener(memory),
    reopen(fd, flags) {
      const result = open(here, put('open', descriptorPath(fd)), flags | O_CLOEXEC, 0)
      if (result < 0 && errno() === errnoOf.ENOENT) throw new FsError('EOPNOTSUPP', 'open') // no /proc
      return check(result, 'open')
    },
    identify(place) {
      if (!statx(place)) return null
      return {
        mode: view.getUint16(28, true),
        dev: ((view.getUint32(136, true) << 20) | view.getUint32(140, true)) >>> 0,
        ino: view.getBigUint64(32, true),
        nlink: view.getUint32(16, true),
        flags: view.getUint32(8, true) & flagBits,
      }
    },
    stat: place => (statx(place) ? readStatx(view) : null),
    readlink: readlinkCall(memory),
    statfs(fd) {
      check(fstatfs(fd, address), 'statfs')
      return readStatfs(view)
    },
    getdents(fd, untyped) {
      const length = getdents(numbersHere.getdents64, fd, address, kernelBufferBytes)
      return readDirents(buffer, check(length, 'getdents64'), untyped)
    },
  }
}

/** False: no such name. Else the answer is in the memory. */
function statxCall({ bind, path: put, check, errno, address }: KernelMemory): (place: Place) => boolean {
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'uint', 'pointer'])
  const { statx } = numbersHere
  return ({ fd, name }) => {
    const flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name === '' ? AT_EMPTY_PATH : 0)
    const result = syscall(statx, fd, put('stat', name), flags, STATX_BASIC_STATS, address)
    if (result < 0 && errno() === errnoOf.ENOENT) return false
    check(result, 'stat')
    return true
  }
}

/** Binds readlinkat(2). */
export function readlinkCall({ bind, path: put, check, buffer, address }: KernelMemory): AskingCalls['readlink'] {
  const readlink = bind('readlinkat', 'long', ['int', 'pointer', 'pointer', 'size'])
  return ({ fd, name }) =>
    decodeName(buffer, 0, check(readlink(fd, put('readlink', name), address, kernelBufferBytes), 'readlink'))
}

/** Binds openat2(2). */
export function beneathOpener({ bind, path: put, pointerTo, check, errno }: KernelMemory): AskingCalls['openBeneath'] {
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'pointer', 'size'])
  // struct open_how: flags, mode, resolve
  const how = new BigUint64Array(3)
  const howPointer = pointerTo(new Uint8Array(how.buffer))
  let isMissing = false
  return ({ fd, name }, flags) => {
    if (isMissing) return null
    how[0] = BigInt(flags | O_CLOEXEC)
    how[2] = BigInt(beneath)
    const result = syscall(openat2Number, fd, put('open', name), howPointer, how.byteLength)
    if (result < 0 && (errno() === errnoOf.ENOSYS || errno() === errnoOf.EPERM)) {
      isMissing = true
      return null
    }
    return check(result, 'open')
  }
}

function making({
  bind,
  path: put,
  check,
}: KernelMemory): Pick<ChangingCalls, 'mkdirat' | 'mknodat' | 'symlinkat' | 'linkat' | 'umask'> {
  const mkdir = bind('mkdirat', 'int', ['int', 'pointer', 'uint'])
  const mknod = bind('mknodat', 'int', ['int', 'pointer', 'uint', 'uint64'])
  const symlink = bind('symlinkat', 'int', ['pointer', 'int', 'pointer'])
  const link = bind('linkat', 'int', ['int', 'pointer', 'int', 'pointer', 'int'])
  const umask = bind('umask', 'int', ['uint'])
  return {
    mkdirat: ({ fd, name }, mode) => void check(mkdir(fd, put('mkdir', name), mode), 'mkdir'),
    mknodat({ fd, name }, mode, rdev) {
      check(mknod(fd, put('mknod', name), mode, systemDevice(rdev)), 'mknod')
    },
    symlinkat(target, { fd, name }) {
      check(symlink(put('symlink', target, 1), fd, put('symlink', name)), 'symlink')
    },
    linkat(from, to) {
      // AT_EMPTY_PATH wants a capability; the way through /proc does not.
      const [fd, name] = from.name === '' ? [here, descriptorPath(from.fd)] : [from.fd, from.name]
      const flags = from.name === '' ? AT_SYMLINK_FOLLOW : 0
      check(link(fd, put('link', name), to.fd, put('link', to.name, 1), flags), 'link')
    },
    umask: mask => umask(mask),
  }
}

type Changes = Omit<ChangingCalls, 'mkdirat' | 'mknodat' | 'symlinkat' | 'linkat' | 'umask'>

function changing(memory: KernelMemory): Changes {
  const { bind, path: put, check, errno, view, address } = memory
  const unlink = bind('unlinkat', 'int', ['int', 'pointer', 'int'])
  const rename = bind('syscall', 'long', ['long', 'int', 'pointer', 'int', 'pointer', 'uint'])
  const chown = bind('fchownat', 'int', ['int', 'pointer', 'uint', 'uint', 'int'])
  const utimens = bind('utimensat', 'int', ['int', 'pointer', 'pointer', 'int'])
  const truncate = bind('truncate', 'int', ['pointer', 'offset'])
  const ftruncate = bind('ftruncate', 'int', ['int', 'offset'])
  return {
    unlinkat: ({ fd, name }) => void check(unlink(fd, put('unlink', name), 0), 'unlink'),
    rmdirat: ({ fd, name }) => void check(unlink(fd, put('rmdir', name), AT_REMOVEDIR), 'rmdir'),
    renameat(from, to, flags) {
      const [source, target] = [put('rename', from.name), put('rename', to.name, 1)]
      check(rename(numbersHere.renameat2, from.fd, source, to.fd, target, flags), 'rename')
    },
    chmodat: modeChanger(memory),
    chownat({ fd, name }, uid, gid) {
      const flags = AT_SYMLINK_NOFOLLOW | (name === '' ? AT_EMPTY_PATH : 0)
      check(chown(fd, put('chown', name), uid >>> 0, gid >>> 0, flags), 'chown')
    },
    truncate(fd, sizeBytes) {
      const result = truncate(put('truncate', descriptorPath(fd)), sizeBytes)
      if (result < 0 && errno() === errnoOf.ENOENT)
        check(ftruncate(fd, sizeBytes), 'truncate') // no /proc
      else check(result, 'truncate')
    },
    utimensat(place, times) {
      writeTimes(view, times)
      const result =
        place.name === ''
          ? utimens(here, put('utimensat', descriptorPath(place.fd)), address, 0)
          : utimens(place.fd, put('utimensat', place.name), address, AT_SYMLINK_NOFOLLOW)
      check(result, 'utimensat')
    },
  }
}

/** fchmodat2(2) of Linux 6.6, or the way through a descriptor: fchmodat(2) would follow a symlink. */
function modeChanger({ bind, path: put, check, errno }: KernelMemory): ChangingCalls['chmodat'] {
  const syscall = bind('syscall', 'long', ['long', 'int', 'pointer', 'uint', 'uint'])
  const open = bind('openat', 'int', ['int', 'pointer', 'int', 'uint'])
  const chmod = bind('chmod', 'int', ['pointer', 'uint'])
  const close = bind('close', 'int', ['int'])
  let isMissing = false
  const throughDescriptor = ({ fd, name }: Place, mode: number): void => {
    const opened = name === '' ? fd : check(open(fd, put('chmod', name), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0), 'chmod')
    try {
      const result = chmod(put('chmod', descriptorPath(opened)), mode)
      if (result < 0 && errno() === errnoOf.ENOENT) throw new FsError('EOPNOTSUPP', 'chmod') // no /proc
      check(result, 'chmod')
    } finally {
      if (name !== '') close(opened)
    }
  }
  return (place, mode) => {
    if (!isMissing) {
      const flags = place.name === '' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW
      const result = syscall(fchmodat2Number, place.fd, put('chmod', place.name), mode, flags)
      isMissing = result < 0 && errno() === errnoOf.ENOSYS
      if (!isMissing) {
        check(result, 'chmod')
        return
      }
    }
    throughDescriptor(place, mode)
  }
}
