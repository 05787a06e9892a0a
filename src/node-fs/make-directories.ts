import { isErrno } from '../errors/index.ts'
import { type FileSystem, fileTypeOf } from '../fs/index.ts'
import { calling, nodeError } from './node-error.ts'

/** mkdir with `recursive`: the first directory that was made, undefined when all are there. Errors: EEXIST, ENOTDIR. */
export function makeDirectories(fs: FileSystem, path: string, mode: number): string | undefined {
  const call = { syscall: 'mkdir', path }
  const missing: string[] = []
  for (let at = path; ; at = parentOf(at)) {
    const type = calling(call, () => typeAt(fs, at))
    if (type === 'dir') break
    if (type !== null) throw nodeError(at === path ? 'EEXIST' : 'ENOTDIR', call)
    missing.push(at)
  }
  for (const at of missing.toReversed()) calling(call, () => makeOne(fs, at, mode))
  return missing.at(-1)
}

function typeAt(fs: FileSystem, at: string): string | null {
  try {
    return fileTypeOf(fs.stat(at === '' ? '/' : at).mode)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

/** "a/../b" names "b" a second time. */
function makeOne(fs: FileSystem, at: string, mode: number): void {
  try {
    fs.mkdir(at, mode)
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error
  }
}

function parentOf(path: string): string {
  const clean = path.replace(/\/+$/, '')
  return clean.slice(0, Math.max(0, clean.lastIndexOf('/'))).replace(/\/+$/, '')
}
