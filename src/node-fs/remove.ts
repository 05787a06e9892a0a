import { isErrno } from '../errors/index.ts'
import type { FileSystem } from '../fs/index.ts'
import { isDirectory, listing } from './look.ts'
import { calling, ownError } from './node-error.ts'

/** rm: symlinks are removed, never followed. Errors: ERR_FS_EISDIR of a directory that is not removed recursively. */
export function removeTree(
  fs: FileSystem,
  path: string,
  { recursive, force }: { readonly recursive: boolean; readonly force: boolean },
): void {
  const call = { syscall: 'rm', path }
  const stat = calling({ syscall: 'lstat', path }, () => present(fs, path, force))
  if (stat === null) return
  if (!isDirectory(stat)) {
    calling(call, () => fs.unlink(path))
    return
  }
  if (!recursive) {
    const text = `Path is a directory: rm returned EISDIR (is a directory) ${path}`
    throw ownError('ERR_FS_EISDIR', text, call, 'EISDIR')
  }
  calling(call, () => removeDirectories(fs, path))
}

function present(fs: FileSystem, path: string, force: boolean): ReturnType<FileSystem['lstat']> | null {
  try {
    return fs.lstat(path)
  } catch (error) {
    if (force && isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** Without recursion: the depth of a tree is no limit. */
function removeDirectories(fs: FileSystem, path: string): void {
  const directories = [path]
  for (let index = 0; index < directories.length; index++) {
    const at = directories[index] as string
    for (const { name, type } of listing(fs, at)) {
      if (type === 'dir') directories.push(`${at}/${name}`)
      else fs.unlink(`${at}/${name}`)
    }
  }
  for (const at of directories.toReversed()) fs.rmdir(at)
}
