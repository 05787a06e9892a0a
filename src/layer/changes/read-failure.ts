import { FsError, OvlError, quote } from '../../errors/index.ts'
import type { LayerPath } from '../../path/index.ts'

/**
 * What a refusal while a tree is read means to a user: NEEDS_PRIVILEGE or READ_FAILED, with the path, which refusals of
 * file systems below the Vfs do not know. Other errors come back as they are.
 */
export function readFailure(error: unknown, path: LayerPath): unknown {
  if (!(error instanceof FsError)) return error
  const { code } = error
  const isForbidden = code === 'EACCES' || code === 'EPERM'
  const details = { data: { path, errno: code }, cause: error }
  return isForbidden
    ? new OvlError('NEEDS_PRIVILEGE', `Cannot read ${quote(`/${path}`)}: not permitted for this user`, details)
    : new OvlError('READ_FAILED', `Cannot read ${quote(`/${path}`)}: ${facts[code] ?? code}`, details)
}

/** A file had fewer bytes than its size said. */
export function changedWhileRead(path: LayerPath): OvlError {
  return new OvlError('READ_FAILED', `Cannot read ${quote(path)}: it became shorter while it was read`, {
    data: { path },
  })
}

const facts: { readonly [errno: string]: string } = {
  ENOENT: 'it is not there any more',
  ENOTDIR: 'it is not there any more',
  ELOOP: 'a symlink took its place',
  EIO: 'the file system reports an error',
  ESTALE: 'it is not there any more',
}
