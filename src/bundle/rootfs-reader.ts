// Reads single files of an unpacked image without ever leaving it: symlinks are resolved here, component by
// component, with the rootfs as "/"; the reader behind it is only asked about paths without links.

import { isCode } from '../errors/index.ts'

/** What lstat(2) says, as far as it is needed here; ids are those on disk. */
export type RootfsStat = {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
}

/**
 * A rootfs, asked by path. Paths are relative ('' is the root), clean, and every component but the last is a
 * directory, so an implementation never has to follow a link.
 */
export interface RootfsReader {
  /** Null when nothing has that name. */
  lstat(path: string): RootfsStat | null
  readlink(path: string): string
  /** The whole file; only asked for regular files. */
  readFile(path: string): Uint8Array
  /** True when a directory has no entries. */
  isEmpty(path: string): boolean
}

/** What a path leads to inside the rootfs, or why that cannot be said. */
export type Resolved =
  | { readonly found: true; readonly path: string; readonly stat: RootfsStat }
  | { readonly found: false; readonly reason: 'missing' | 'loop' | 'forbidden' }

/** As many links as Linux follows in one path (fs/namei.c, MAXSYMLINKS). */
const maxLinks = 40

/** Follows a path, absolute or relative to the root; `..` stops at the root, as in a chroot. */
export function resolveInRootfs(rootfs: RootfsReader, path: string): Resolved {
  try {
    return walk(rootfs, path)
  } catch (error) {
    if (isCode(error, 'EACCES') || isCode(error, 'EPERM')) return { found: false, reason: 'forbidden' }
    throw error
  }
}

function walk(rootfs: RootfsReader, path: string): Resolved {
  const todo = components(path).toReversed()
  const done: string[] = []
  let links = 0
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    if (next === '..') {
      done.pop()
      continue
    }
    const at = [...done, next].join('/')
    const stat = rootfs.lstat(at)
    if (stat === null) return { found: false, reason: 'missing' }
    if (stat.kind === 'symlink') {
      if (++links > maxLinks) return { found: false, reason: 'loop' }
      const target = rootfs.readlink(at)
      if (target.startsWith('/')) done.length = 0
      todo.push(...components(target).toReversed())
      continue
    }
    if (stat.kind !== 'directory' && todo.length > 0) return { found: false, reason: 'missing' }
    done.push(next)
  }
  const stat = rootfs.lstat(done.join('/'))
  return stat === null ? { found: false, reason: 'missing' } : { found: true, path: done.join('/'), stat }
}

function components(path: string): string[] {
  return path.split('/').filter(part => part !== '' && part !== '.')
}
