// realpath over a file system that has no such call. node:fs has two: its own takes ".." for the name before it, as in
// text; the native one, realpath(3), for the parent of what the name leads to.
import { posix } from 'node:path'
import { type FileSystem, fileTypeOf } from '../fs/index.ts'
import { calling, nodeError } from './node-error.ts'

const mostLinks = 40

/**
 * The path without symlinks, "." and "..". With `lexical`, ".." is resolved before anything is looked at. Errors name
 * the component: ENOENT, ENOTDIR, EACCES, ELOOP.
 */
export function realPath(fs: FileSystem, path: string, { lexical }: { readonly lexical: boolean }): string {
  let done: string[] = []
  let links = 0
  const pending = [...parts(lexical ? posix.resolve('/', path) : path)]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      done.pop()
      continue
    }
    const at = `/${[...done, name].join('/')}`
    const target = linkTarget(fs, at)
    if (target === null) {
      done.push(name)
      continue
    }
    links++
    if (links > mostLinks) throw nodeError('ELOOP', { syscall: 'stat', path: at })
    if (lexical || target.startsWith('/')) {
      pending.push(...parts(lexical ? posix.resolve(`/${done.join('/')}`, target) : target))
      done = []
    } else pending.push(...parts(target))
  }
  return `/${done.join('/')}`
}

/** The last component first. */
function parts(path: string): readonly string[] {
  return path.split('/').toReversed()
}

/** Null: no symlink. */
function linkTarget(fs: FileSystem, at: string): string | null {
  return calling({ syscall: 'lstat', path: at }, () => {
    if (fileTypeOf(fs.lstat(at).mode) !== 'symlink') return null
    return fs.readlink(at)
  })
}
