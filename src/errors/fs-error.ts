// What a file system answers when it refuses. Unlike OvlError, which speaks to a person, this is data: the emulator
// must give the same errno as the kernel, and tests compare it.
import { escapeControls } from './quote.ts'

/** Numbers of the errnos a file system answers with (include/uapi/asm-generic/errno*.h; the same on x86 and arm). */
export const errnoNumbers = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EOVERFLOW: 75,
  EOPNOTSUPP: 95,
  EDQUOT: 122,
  ESTALE: 116,
} as const

/** The name of an errno, in Linux's spelling (EOPNOTSUPP, not ENOTSUP). */
export type Errno = keyof typeof errnoNumbers

/** A refused operation of a file system, shaped like the errors of node:fs so that programs can treat both alike. */
export class FsError extends Error {
  override readonly name = 'FsError'
  /** As in node:fs: the name of the errno. */
  readonly code: Errno
  /** The system call, or the operation of a file system, that was refused: "rename". */
  readonly syscall: string
  /** As the caller wrote it; absent where the operation is on an open file. */
  readonly path: string | undefined

  constructor(code: Errno, syscall: string, path?: string) {
    super(`${code}: ${syscall}${path === undefined ? '' : ` '${escapeControls(path)}'`}`)
    this.code = code
    this.syscall = syscall
    this.path = path
  }

  /** Negative, as in node:fs. */
  get errno(): number {
    return -errnoNumbers[this.code]
  }
}

/** True for a refusal with one of these errnos, by whichever file system. */
export function isErrno(error: unknown, ...codes: readonly Errno[]): error is FsError {
  return error instanceof FsError && codes.includes(error.code)
}
