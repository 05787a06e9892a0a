import type { Binding } from './binding.ts'
import { AT_FDCWD } from './files.ts'

/** A point in time: whole seconds since 1970 (negative before) and 0 ≤ nanoseconds < 10⁹ after them. */
export type Timestamp = { readonly seconds: number; readonly nanoseconds: number }

/**
 * Times with nanoseconds; node:fs keeps microseconds only. What a file system cannot hold the kernel clamps without
 * an error. The first two are called once a file, hence their plain arguments. Errors: SystemError.
 */
export type TimeCalls = {
  /** Access and modification time of an open file. */
  futimens(fd: number, seconds: number, nanoseconds: number): void
  /** Access and modification time of a path, of the symlink itself if it is one. */
  lutimens(path: string, seconds: number, nanoseconds: number): void
  /** utimensat(2), not following a symlink; a time that is null stays as it is. */
  utimensat(
    directory: number,
    path: string,
    times: { readonly accessed: Timestamp | null; readonly modified: Timestamp | null },
  ): void
}

const AT_SYMLINK_NOFOLLOW = 0x100
const UTIME_OMIT = (1 << 30) - 2

/** Binds the calls that set times. */
export function timeCalls({ bind, path: put, pointerTo, check }: Binding): TimeCalls {
  const futimens = bind('futimens', 'int', ['int', 'pointer'])
  const utimensat = bind('utimensat', 'int', ['int', 'pointer', 'pointer', 'int'])
  // Two struct timespec of 64-bit fields, written in 32-bit halves: no BigInt is made per call.
  const times = new Int32Array(8)
  const timesPointer = pointerTo(new Uint8Array(times.buffer))
  const set = (at: 0 | 4, seconds: number, nanoseconds: number): void => {
    times[at] = seconds // stored modulo 2^32
    times[at + 1] = Math.floor(seconds / 2 ** 32)
    times[at + 2] = nanoseconds
  }
  const setEither = (at: 0 | 4, time: Timestamp | null): void =>
    time === null ? set(at, 0, UTIME_OMIT) : set(at, time.seconds, time.nanoseconds)
  return {
    futimens(fd, seconds, nanoseconds) {
      set(0, seconds, nanoseconds)
      set(4, seconds, nanoseconds)
      check(futimens(fd, timesPointer), 'futimens')
    },
    lutimens(path, seconds, nanoseconds) {
      set(0, seconds, nanoseconds)
      set(4, seconds, nanoseconds)
      check(utimensat(AT_FDCWD, put('utimensat', path), timesPointer, AT_SYMLINK_NOFOLLOW), 'utimensat', path)
    },
    utimensat(directory, path, { accessed, modified }) {
      setEither(0, accessed)
      setEither(4, modified)
      check(utimensat(directory, put('utimensat', path), timesPointer, AT_SYMLINK_NOFOLLOW), 'utimensat', path)
    },
  }
}
