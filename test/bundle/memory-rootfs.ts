// A rootfs for tests, as a literal: path → text, bytes, a link target, or another kind of file.

import type { RootfsReader, RootfsStat } from '../../src/bundle/index.ts'

export type MemoryFile =
  | string
  | Uint8Array
  | { readonly link: string }
  | { readonly kind: 'directory' | 'other'; readonly uid?: number; readonly gid?: number }
  | { readonly kind: 'file'; readonly sizeBytes: number }

/** Directories that a path needs are there by themselves, owned by root. */
export function memoryRootfs(files: { readonly [path: string]: MemoryFile }): RootfsReader {
  const paths = Object.keys(files)
  const isParent = (path: string) => path === '' || paths.some(each => each.startsWith(`${path}/`))
  return {
    lstat: path => {
      const file = files[path]
      if (file !== undefined) return statOf(file)
      return isParent(path) ? { kind: 'directory', uid: 0, gid: 0, sizeBytes: 0 } : null
    },
    readlink: path => {
      const file = files[path]
      if (typeof file === 'object' && 'link' in file) return file.link
      throw new Error(`not a link: ${path}`)
    },
    readFile: path => {
      const file = files[path]
      if (typeof file === 'string') return new TextEncoder().encode(file)
      if (file instanceof Uint8Array) return file
      throw new Error(`not a regular file: ${path}`)
    },
    isEmpty: path => !isParent(path),
  }
}

function statOf(file: MemoryFile): RootfsStat {
  const root = { uid: 0, gid: 0, sizeBytes: 0 }
  if (typeof file === 'string' || file instanceof Uint8Array) return { ...root, kind: 'file', sizeBytes: file.length }
  if ('link' in file) return { ...root, kind: 'symlink' }
  return { ...root, ...file }
}
