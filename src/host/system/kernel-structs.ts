// Structures of Linux's uapi on 64-bit little-endian machines, and their numbers in the words of room `fs`.
import {
  type DirectoryEntry,
  type FileSystemStat,
  type FileType,
  makeDevice,
  type Stat,
  type TimeChange,
} from '../../fs/index.ts'
import { decodeName } from '../../path/index.ts'

const billion = 1_000_000_000n

/** struct statx */
export function readStatx(view: DataView): Stat {
  const u32 = (at: number): number => view.getUint32(at, true)
  const time = (at: number): bigint => view.getBigInt64(at, true) * billion + BigInt(u32(at + 8))
  return {
    dev: makeDevice(u32(136), u32(140)),
    ino: view.getBigUint64(32, true),
    mode: view.getUint16(28, true),
    nlink: u32(16),
    uid: u32(20),
    gid: u32(24),
    rdev: makeDevice(u32(128), u32(132)),
    sizeBytes: Number(view.getBigUint64(40, true)),
    blocks: Number(view.getBigUint64(48, true)),
    atimeNs: time(64),
    mtimeNs: time(112),
    ctimeNs: time(96),
  }
}

const ST_RDONLY = 1

/** struct statfs */
export function readStatfs(view: DataView): FileSystemStat {
  const word = (at: number): number => Number(view.getBigUint64(at * 8, true))
  return {
    type: word(0),
    blockSizeBytes: word(1),
    blocks: word(2),
    blocksFree: word(3),
    files: word(5),
    filesFree: word(6),
    fsid: view.getBigUint64(7 * 8, true),
    nameMax: word(8),
    readOnly: (word(10) & ST_RDONLY) !== 0,
  }
}

const typeOfDirent = new Map<number, FileType>([
  [1, 'fifo'],
  [2, 'char'],
  [4, 'dir'],
  [6, 'block'],
  [8, 'file'],
  [10, 'symlink'],
  [12, 'socket'],
])

/**
 * Entries of struct linux_dirent64, as many as `lengthBytes` holds. What the file system does not tell the type of
 * (DT_UNKNOWN) is a "file", and its name is added to `untyped`.
 */
export function readDirents(buffer: Buffer, lengthBytes: number, untyped?: Set<string>): DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (let at = 0; at < lengthBytes; at += buffer.readUInt16LE(at + 16)) {
    const start = at + 19
    const name = decodeName(buffer, start, buffer.indexOf(0, start))
    const type = typeOfDirent.get(buffer[at + 18] ?? 0)
    if (type === undefined) untyped?.add(name)
    entries.push({
      name,
      type: type ?? 'file',
      ino: buffer.readBigUInt64LE(at),
      offset: Number(buffer.readBigInt64LE(at + 8)),
    })
  }
  return entries
}

const UTIME_NOW = (1n << 30n) - 1n
const UTIME_OMIT = (1n << 30n) - 2n

/** Two of struct timespec, as utimensat(2) takes them. */
export function writeTimes(
  view: DataView,
  { atime, mtime }: { readonly atime: TimeChange; readonly mtime: TimeChange },
): void {
  writeTime(view, 0, atime)
  writeTime(view, 16, mtime)
}

function writeTime(view: DataView, at: number, time: TimeChange): void {
  const isWord = typeof time === 'string'
  const nanoseconds = isWord ? (time === 'now' ? UTIME_NOW : UTIME_OMIT) : ((time % billion) + billion) % billion
  view.setBigInt64(at, isWord ? 0n : (time - nanoseconds) / billion, true)
  view.setBigInt64(at + 8, nanoseconds, true)
}

/** A device number as the calls take it: makedev(3) of glibc for major and minor as `makeDevice` joined them. */
export function systemDevice(device: number): number {
  const [major, minor] = [device >>> 20, device & 0xfffff]
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0
}
