// Types, modes and device numbers as Linux encodes them (include/uapi/linux/stat.h, kdev_t.h).

/** Bits of `Stat.mode` that say what kind of object it is. */
export const S_IFMT = 0o170000
/** A socket. */
export const S_IFSOCK = 0o140000
/** A symlink. */
export const S_IFLNK = 0o120000
/** A regular file. */
export const S_IFREG = 0o100000
/** A block device. */
export const S_IFBLK = 0o060000
/** A directory. */
export const S_IFDIR = 0o040000
/** A character device. */
export const S_IFCHR = 0o020000
/** A FIFO. */
export const S_IFIFO = 0o010000
/** Set-user-ID. */
export const S_ISUID = 0o4000
/** Set-group-ID; of a directory: new entries inherit its group. */
export const S_ISGID = 0o2000
/** Sticky: entries of others cannot be removed or renamed. */
export const S_ISVTX = 0o1000

/** What kind of object a mode stands for. */
export type FileType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket'

const typeBits = {
  file: S_IFREG,
  dir: S_IFDIR,
  symlink: S_IFLNK,
  char: S_IFCHR,
  block: S_IFBLK,
  fifo: S_IFIFO,
  socket: S_IFSOCK,
} as const

const typeNames = new Map<number, FileType>(
  Object.entries(typeBits).map(([name, bits]) => [bits, name as FileType] as const),
)

/** The kind of object, from the type bits of a mode. */
export function fileTypeOf(mode: number): FileType {
  return typeNames.get(mode & S_IFMT) ?? 'file'
}

/** The type bits of a kind of object. */
export function typeBitsOf(type: FileType): number {
  return typeBits[type]
}

/** A device number: 12 bits of major, 20 of minor, as the kernel keeps it (MKDEV). */
export function makeDevice(major: number, minor: number): number {
  return ((major << 20) | (minor & 0xfffff)) >>> 0
}

/** The major number of a device number. */
export function majorOf(device: number): number {
  return device >>> 20
}

/** The minor number of a device number. */
export function minorOf(device: number): number {
  return device & 0xfffff
}
