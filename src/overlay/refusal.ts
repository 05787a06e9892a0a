// How an overlay that the kernel would not mount is refused: with the errno and the sentence of the kernel beside
// our own, so that a reader can look either up.
import { type ErrorCode, type ErrorDetails, type Json, OvlError, quote } from '../errors/index.ts'

/** The errno that Linux gives for a refused mount. */
export type MountErrno =
  | 'EACCES'
  | 'EBUSY'
  | 'EIO'
  | 'EINVAL'
  | 'ELOOP'
  | 'ENAMETOOLONG'
  | 'ENODATA'
  | 'ENODEV'
  | 'ENOENT'
  | 'ENOTDIR'
  | 'EPERM'
  | 'EROFS'
  | 'ESTALE'

/** Why an overlay is refused. `target` is where it should be mounted; null when nobody said. */
export type Refusal = Omit<ErrorDetails, 'data'> & {
  readonly errno: MountErrno
  /** What the kernel writes to its log. */
  readonly kernel?: string
  readonly target?: string | null
  readonly data?: { readonly [key: string]: Json }
}

/** Makes the error `Cannot mount overlay on TARGET: fact`. */
export function refusal(code: ErrorCode, fact: string, { errno, kernel, target, data, ...details }: Refusal): OvlError {
  const where = target === undefined || target === null ? '' : ` on ${shown(target)}`
  return new OvlError(code, `Cannot mount overlay${where}: ${fact}`, {
    ...details,
    data: {
      errno,
      ...(kernel === undefined ? {} : { kernel }),
      ...(target === undefined || target === null ? {} : { target }),
      ...data,
    },
  })
}

/** A path as it stands in a sentence: in quotes only when it needs them. */
export function shown(path: string): string {
  return /^[\w./+@%:~-]+$/.test(path) ? path : quote(path)
}
