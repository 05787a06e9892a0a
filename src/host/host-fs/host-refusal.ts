import { type Errno, errnoNumbers, FsError } from '../../errors/index.ts'

/**
 * An error of node:fs or of a system call as a file system gives it, under Linux's own name and without a path. What no
 * file system should answer with becomes EIO; an error of another kind is returned as it is.
 */
export function hostRefusal(error: unknown, syscall: string): unknown {
  if (error instanceof FsError) return error
  const { code } = error as { readonly code?: unknown }
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error
  const name = code === 'ENOTSUP' ? 'EOPNOTSUPP' : code
  return new FsError(name in errnoNumbers ? (name as Errno) : 'EIO', syscall)
}
