// Calls of node:fs that change names and attributes.
import type { FileSystem } from '../fs/index.ts'
import { encodingOf, nameIn, option, type Options, toMode, toNanoseconds, toPath } from './arguments.ts'
import { makeDirectories } from './make-directories.ts'
import { calling, type NodeError } from './node-error.ts'
import { removeTree } from './remove.ts'

const randomLetters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** Calls with paths, as node:fs names them, synchronous. */
export function changeCalls(fs: FileSystem) {
  return {
    mkdir: (path: unknown, options?: Options | number) => {
      const at = toPath(path)
      const given = typeof options === 'object' && options !== null ? options : { mode: options }
      const mode = toMode(given['mode'], 0o777)
      if (given['recursive'] === true) return makeDirectories(fs, at, mode)
      calling({ syscall: 'mkdir', path: at }, () => fs.mkdir(at, mode))
      return undefined
    },
    mkdtemp: (prefix: unknown, options?: Options) =>
      nameIn(encodingOf(options), makeTemporary(fs, toPath(prefix, 'prefix'))),
    symlink: (target: unknown, path: unknown) => {
      const [to, at] = [toPath(target, 'target'), toPath(path)]
      calling({ syscall: 'symlink', path: to, dest: at }, () => fs.symlink(to, at))
    },
    link: (existing: unknown, path: unknown) => {
      const [from, at] = [toPath(existing, 'existingPath'), toPath(path, 'newPath')]
      calling({ syscall: 'link', path: from, dest: at }, () => fs.link(from, at))
    },
    rename: (from: unknown, to: unknown) => {
      const [path, dest] = [toPath(from, 'oldPath'), toPath(to, 'newPath')]
      calling({ syscall: 'rename', path, dest }, () => fs.rename(path, dest))
    },
    unlink: (path: unknown) => {
      const at = toPath(path)
      calling({ syscall: 'unlink', path: at }, () => fs.unlink(at))
    },
    rmdir: (path: unknown, options?: Options) => {
      const at = toPath(path)
      if (option(options, 'recursive') === true) removeTree(fs, at, { recursive: true, force: false })
      else calling({ syscall: 'rmdir', path: at }, () => fs.rmdir(at))
    },
    rm: (path: unknown, options?: Options) => {
      const [recursive, force] = [option(options, 'recursive') === true, option(options, 'force') === true]
      removeTree(fs, toPath(path), { recursive, force })
    },
    ...attributeCalls(fs),
  }
}

function attributeCalls(fs: FileSystem) {
  return {
    chmod: (path: unknown, mode: unknown) => {
      const [at, bits] = [toPath(path), toMode(mode)]
      calling({ syscall: 'chmod', path: at }, () => fs.chmod(at, bits))
    },
    chown: (path: unknown, uid: number, gid: number) => {
      const at = toPath(path)
      calling({ syscall: 'chown', path: at }, () => fs.chown(at, uid, gid))
    },
    lchown: (path: unknown, uid: number, gid: number) => {
      const at = toPath(path)
      calling({ syscall: 'lchown', path: at }, () => fs.lchown(at, uid, gid))
    },
    utimes: (path: unknown, atime: unknown, mtime: unknown) => {
      setTimes(fs, { syscall: 'utime', path: toPath(path) }, { atime, mtime, follow: true })
    },
    lutimes: (path: unknown, atime: unknown, mtime: unknown) => {
      setTimes(fs, { syscall: 'lutime', path: toPath(path) }, { atime, mtime, follow: false })
    },
  }
}

function setTimes(
  fs: FileSystem,
  call: { readonly syscall: string; readonly path: string },
  times: { readonly atime: unknown; readonly mtime: unknown; readonly follow: boolean },
): void {
  const [atime, mtime] = [toNanoseconds(times.atime), toNanoseconds(times.mtime)]
  calling(call, () => fs.utimens(call.path, { atime, mtime, follow: times.follow }))
}

function makeTemporary(fs: FileSystem, prefix: string): string {
  for (let attempt = 0; ; attempt++) {
    const random = crypto.getRandomValues(new Uint8Array(6))
    const path = prefix + Array.from(random, byte => randomLetters[byte % randomLetters.length]).join('')
    try {
      calling({ syscall: 'mkdtemp', path: `${prefix}XXXXXX` }, () => fs.mkdir(path, 0o700))
      return path
    } catch (error) {
      if ((error as NodeError).code !== 'EEXIST' || attempt > 100) throw error
    }
  }
}
