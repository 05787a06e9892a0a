// fallocate(2): vfs_fallocate() of fs/open.c, for the two modes that file systems commonly have.
import { FsError } from '../../errors/index.ts'
import { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE } from '../flags.ts'
import type { Inode, InodeFile } from '../super-block.ts'
import { fileSizeLimitBytes, removePrivileges } from './attributes.ts'
import { isAppendOnly, isImmutable } from './permission.ts'
import type { View } from './view.ts'

/** Allocates the range, or frees it. Errors: EINVAL, EOPNOTSUPP, EBADF, EPERM, ESPIPE, EISDIR, ENODEV, EFBIG. */
export function allocateRange(
  view: View,
  { inode, file, isWritable }: { readonly inode: Inode; readonly file: InodeFile | null; readonly isWritable: boolean },
  range: { readonly mode: number; readonly position: number; readonly lengthBytes: number },
): void {
  const { mode, position, lengthBytes } = range
  if (position < 0 || lengthBytes <= 0) throw new FsError('EINVAL', 'fallocate')
  const punchesOnly = (mode & FALLOC_FL_PUNCH_HOLE) !== 0 && (mode & FALLOC_FL_KEEP_SIZE) === 0
  if ((mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE)) !== 0 || punchesOnly) {
    throw new FsError('EOPNOTSUPP', 'fallocate')
  }
  if (!isWritable) throw new FsError('EBADF', 'fallocate')
  if ((mode & FALLOC_FL_PUNCH_HOLE) !== 0 && isAppendOnly(view, inode)) throw new FsError('EPERM', 'fallocate')
  if (isImmutable(view, inode)) throw new FsError('EPERM', 'fallocate')
  if (inode.type === 'fifo') throw new FsError('ESPIPE', 'fallocate')
  if (file === null) throw new FsError('ENODEV', 'fallocate')
  if (position + lengthBytes > fileSizeLimitBytes) throw new FsError('EFBIG', 'fallocate')
  removePrivileges(view, { inode, syscall: 'fallocate' })
  file.allocate(mode, position, lengthBytes)
}
