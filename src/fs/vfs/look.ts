// Calls that change nothing: lstat(2), stat(2), readlink(2), access(2), statfs(2), reading a directory.
import { FsError, isErrno } from '../../errors/index.ts'
import { MAY_READ } from '../flags.ts'
import type { DirectoryEntry, FileSystemStat, Stat } from '../stat.ts'
import { permissionRefusal } from './permission.ts'
import { check, type View } from './view.ts'
import { beginWalk, findInode, lookupPath } from './walk.ts'

/** lstat(2) with `follow: false`. No permission on the object itself is needed. */
export function statPath(view: View, path: string, options: { readonly follow: boolean }): Stat {
  return view.superBlock.stat(findInode(view, options.follow ? 'stat' : 'lstat', path, options))
}

/** The same without an error where nothing is: null. */
export function findPath(view: View, path: string, options: { readonly follow: boolean }): Stat | null {
  try {
    return view.superBlock.stat(lookupPath(beginWalk(view, 'stat', path, true), options))
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** readlink(2). Errors: EINVAL. */
export function readLink(view: View, path: string): string {
  const inode = findInode(view, 'readlink', path, { follow: false })
  if (inode.type !== 'symlink') throw new FsError('EINVAL', 'readlink', path)
  return view.superBlock.readlink(inode)
}

/** The entries without "." and "..". Errors: EACCES without read permission, ENOTDIR. */
export function readDirectory(view: View, path: string): readonly DirectoryEntry[] {
  const dir = findInode(view, 'readdir', path, { follow: true, directory: true })
  check(permissionRefusal(view, dir, MAY_READ), 'readdir', path)
  const open = view.superBlock.openDirectory(dir)
  try {
    return open.entries().filter(({ name }) => name !== '.' && name !== '..')
  } finally {
    open.close()
  }
}

/** access(2). Errors: EROFS for MAY_WRITE on a read-only file system, EINVAL for unknown bits. */
export function checkAccess(view: View, path: string, mask: number): void {
  if ((mask & ~7) !== 0) throw new FsError('EINVAL', 'access', path)
  const inode = findInode(view, 'access', path, { follow: true })
  if (mask !== 0) check(permissionRefusal(view, inode, mask), 'access', path)
}

/** statfs(2). */
export function statFileSystem(view: View, path: string): FileSystemStat {
  findInode(view, 'statfs', path, { follow: true })
  return view.superBlock.statfs()
}
