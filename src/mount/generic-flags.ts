// Words for every file system as the two mount interfaces want them (mount(2), fsmount(2)).
import type { GenericFlag } from '../overlay/index.ts'

/** How the words of an option string reach the kernel. */
export type GenericFlags = {
  /** MS_… of mount(2). */
  readonly mountFlags: number
  /** MOUNT_ATTR_… of fsmount(2): properties of this mount. */
  readonly attributes: number
  /** Words for fsconfig(2): properties of the overlay itself. */
  readonly words: readonly string[]
}

/** `ro` is both: the mount, and the file system under it. */
export function genericFlagsOf(flags: readonly GenericFlag[]): GenericFlags {
  const sum = (table: Readonly<Partial<Record<GenericFlag, number>>>): number =>
    flags.reduce((bits, flag) => bits | (table[flag] ?? 0), 0)
  return {
    mountFlags: sum(mountBits),
    attributes: sum(attributeBits),
    words: flags.filter(flag => superblockWords.has(flag)),
  }
}

const mountBits = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 0x10,
  dirsync: 0x80,
  nosymfollow: 0x100,
  noatime: 0x400,
  nodiratime: 0x800,
  silent: 0x8000,
  relatime: 0x200000,
  strictatime: 0x1000000,
  lazytime: 0x2000000,
} as const

const attributeBits = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  noatime: 0x10,
  strictatime: 0x20,
  nodiratime: 0x80,
  nosymfollow: 0x200000,
} as const

const superblockWords: ReadonlySet<string> = new Set(['ro', 'sync', 'dirsync', 'lazytime'])
