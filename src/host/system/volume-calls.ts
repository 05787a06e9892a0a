import type { KernelMemory } from './kernel-memory.ts'
import { errnoOf } from './system-error.ts'

/** A range of two open files. */
export type CopyRange = { readonly position: number; readonly lengthBytes: number }

/** What a whole file system answers, and copying inside it. Errors: FsError. */
export type VolumeCalls = {
  /** s_uuid by FS_IOC_GETFSUUID of Linux 6.9: 16 bytes; null where kernel or file system has none. Not for O_PATH. */
  fsUuid(fd: number): Uint8Array | null
  /** FICLONE: all blocks shared. False where it cannot be done. */
  clone(from: number, to: number): boolean
  /** copy_file_range(2) at the same position of both; bytes copied, null where the kernel does not do it. */
  copyRange(from: number, to: number, range: CopyRange): number | null
  /** CLOCK_REALTIME_COARSE, what the kernel stamps files with, in nanoseconds. */
  coarseTimeNs(): bigint
}

/** _IOR(0x15, 0, struct fsuuid2): length, then 16 bytes. */
const FS_IOC_GETFSUUID = 0x80111500
/** _IOR(0x94, 31, 1024 bytes): largest device id and number of devices, 8 bytes each, then 16 bytes of fsid. */
const BTRFS_IOC_FS_INFO = 0x8400941f
const FICLONE = 0x40049409
const CLOCK_REALTIME_COARSE = 5

/** Binds the calls. */
export function volumeCalls({ bind, bindOptional, check, errno, buffer, view, address }: KernelMemory): VolumeCalls {
  const ioctl = bind('ioctl', 'int', ['int', 'size', 'pointer'])
  const copy = bindOptional('copy_file_range', 'long', ['int', 'pointer', 'int', 'pointer', 'size', 'uint'])
  const gettime = bind('clock_gettime', 'int', ['int', 'pointer'])
  const notHere = new Set([errnoOf.EOPNOTSUPP, errnoOf.EXDEV, errnoOf.EINVAL, errnoOf.ENOTTY, errnoOf.ENOSYS])
  return {
    fsUuid(fd) {
      if (ioctl(fd, FS_IOC_GETFSUUID, address) >= 0) return new Uint8Array(buffer.subarray(1, 17))
      // btrfs has a uuid and does not say so there (6.18).
      return ioctl(fd, BTRFS_IOC_FS_INFO, address) < 0 ? null : new Uint8Array(buffer.subarray(16, 32))
    },
    clone(from, to) {
      const result = ioctl(to, FICLONE, from)
      if (result < 0 && notHere.has(errno())) return false
      check(result, 'ioctl')
      return true
    },
    copyRange(from, to, { position, lengthBytes }) {
      view.setBigInt64(0, BigInt(position), true)
      view.setBigInt64(8, BigInt(position), true)
      const result = copy(from, address, to, address + 8, lengthBytes, 0)
      if (result < 0 && notHere.has(errno())) return null
      return check(result, 'copy_file_range')
    },
    coarseTimeNs() {
      check(gettime(CLOCK_REALTIME_COARSE, address), 'clock_gettime')
      return view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true)
    },
  }
}
