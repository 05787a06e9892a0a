// What stat, lstat and fstat give: fs.Stats with numbers, or with bigints.
import {
  type FileSystemStat,
  majorOf,
  minorOf,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  type Stat,
} from '../fs/index.ts'

const blockSizeBytes = 4096

/** `N` is number, or bigint with the option `bigint`, which has the times in nanoseconds too. */
export class NodeStats<N extends number | bigint = number> {
  readonly dev: N
  readonly mode: N
  readonly nlink: N
  readonly uid: N
  readonly gid: N
  readonly rdev: N
  readonly blksize: N
  readonly ino: N
  readonly size: N
  readonly blocks: N
  readonly atimeMs: N
  readonly mtimeMs: N
  readonly ctimeMs: N
  readonly birthtimeMs: N
  readonly atime: Date
  readonly mtime: Date
  readonly ctime: Date
  readonly birthtime: Date

  constructor(stat: Stat, convert: { readonly count: (value: number | bigint) => N; readonly ms: (ns: bigint) => N }) {
    const { count, ms } = convert
    this.dev = count(stat.dev)
    this.mode = count(stat.mode)
    this.nlink = count(stat.nlink)
    this.uid = count(stat.uid)
    this.gid = count(stat.gid)
    this.rdev = count(deviceNumber(stat.rdev))
    this.blksize = count(blockSizeBytes)
    this.ino = count(stat.ino)
    this.size = count(stat.sizeBytes)
    this.blocks = count(stat.blocks)
    this.atimeMs = ms(stat.atimeNs)
    this.mtimeMs = ms(stat.mtimeNs)
    this.ctimeMs = ms(stat.ctimeNs)
    // No file system here keeps the time of birth; like node:fs without statx, the earliest that is known.
    this.birthtimeMs = ms(stat.ctimeNs)
    this.atime = dateOf(stat.atimeNs)
    this.mtime = dateOf(stat.mtimeNs)
    this.ctime = dateOf(stat.ctimeNs)
    this.birthtime = this.ctime
  }

  isFile(): boolean {
    return this.#is(S_IFREG)
  }

  isDirectory(): boolean {
    return this.#is(S_IFDIR)
  }

  isSymbolicLink(): boolean {
    return this.#is(S_IFLNK)
  }

  isBlockDevice(): boolean {
    return this.#is(S_IFBLK)
  }

  isCharacterDevice(): boolean {
    return this.#is(S_IFCHR)
  }

  isFIFO(): boolean {
    return this.#is(S_IFIFO)
  }

  isSocket(): boolean {
    return this.#is(S_IFSOCK)
  }

  #is(type: number): boolean {
    return (Number(this.mode) & S_IFMT) === type
  }
}

/** As node:fs gives them. */
export function toStats(stat: Stat, bigint: boolean): NodeStats | NodeStats<bigint> {
  if (!bigint) return new NodeStats<number>(stat, { count: Number, ms: millisecondsOf })
  const { atimeNs, mtimeNs, ctimeNs } = stat
  const stats = new NodeStats<bigint>(stat, { count: BigInt, ms: ns => ns / 1_000_000n })
  return Object.assign(stats, { atimeNs, mtimeNs, ctimeNs, birthtimeNs: ctimeNs })
}

/** fs.StatFs */
export function toStatFs(stat: FileSystemStat, bigint: boolean): object {
  const fields = {
    type: stat.type,
    bsize: stat.blockSizeBytes,
    blocks: stat.blocks,
    bfree: stat.blocksFree,
    bavail: stat.blocksFree,
    files: stat.files,
    ffree: stat.filesFree,
  }
  if (!bigint) return fields
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, BigInt(value)]))
}

/** In two steps: a bigint of 61 bits would lose its end in a double. */
function millisecondsOf(ns: bigint): number {
  const seconds = ns / 1_000_000_000n
  return Number(seconds) * 1000 + Number(ns - seconds * 1_000_000_000n) / 1e6
}

function dateOf(ns: bigint): Date {
  return new Date(Math.round(millisecondsOf(ns)))
}

/** The C library's dev_t: the low byte of the minor number below the major one. */
function deviceNumber(rdev: number): number {
  const minor = minorOf(rdev)
  return (majorOf(rdev) << 8) + (minor & 0xff) + (minor >>> 8) * 2 ** 20
}
