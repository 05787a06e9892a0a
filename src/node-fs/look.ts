// Calls of node:fs that change nothing.
import { type FileSystem, fileTypeOf, O_DIRECTORY, O_RDONLY, type Stat } from '../fs/index.ts'
import { comparePaths } from '../path/index.ts'
import { encodingOf, nameIn, option, type Options, toPath } from './arguments.ts'
import { NodeDir, NodeDirent } from './directory.ts'
import { calling } from './node-error.ts'
import { realPath } from './real-path.ts'
import { toStatFs, toStats } from './stats.ts'
import { withoutStacks } from './without-stacks.ts'

/** Calls with a path, as node:fs names them, synchronous. */
export function lookCalls(fs: FileSystem) {
  return {
    access: (path: unknown, mode = 0) => {
      const at = toPath(path)
      calling({ syscall: 'access', path: at }, () => fs.access(at, mode))
    },
    exists: (path: unknown) => exists(fs, path),
    stat: (path: unknown, options?: Options) => statOf(fs, path, { options, follow: true }),
    lstat: (path: unknown, options?: Options) => statOf(fs, path, { options, follow: false }),
    statfs: (path: unknown, options?: Options) => {
      const at = toPath(path)
      const stat = calling({ syscall: 'statfs', path: at }, () => fs.statfs(at))
      return toStatFs(stat, option(options, 'bigint') === true)
    },
    readlink: (path: unknown, options?: Options) => {
      const at = toPath(path)
      const target = calling({ syscall: 'readlink', path: at }, () => fs.readlink(at))
      return nameIn(encodingOf(options), target)
    },
    readdir: (path: unknown, options?: Options) => readDirectory(fs, toPath(path), options),
    opendir: (path: unknown) => {
      const at = toPath(path)
      return new NodeDir(
        at,
        calling({ syscall: 'opendir', path: at }, () => listing(fs, at)),
      )
    },
    realpath: (path: unknown, options?: Options) =>
      nameIn(encodingOf(options), realPath(fs, toPath(path), { lexical: true })),
  }
}

/** The entries of a directory without "." and "..". */
export function listing(fs: FileSystem, at: string): ReturnType<FileSystem['readdir']> {
  const directory = fs.open(at, O_RDONLY | O_DIRECTORY)
  try {
    return directory.readdir().filter(({ name }) => name !== '.' && name !== '..')
  } finally {
    directory.close()
  }
}

function exists(fs: FileSystem, path: unknown): boolean {
  try {
    const at = toPath(path)
    return withoutStacks(() => fs.find(at, { follow: true })) !== null
  } catch {
    return false // whatever the reason: this is what `exists` says
  }
}

type StatRequest = { readonly options: Options; readonly follow: boolean }

function statOf(
  fs: FileSystem,
  path: unknown,
  { options, follow }: StatRequest,
): ReturnType<typeof toStats> | undefined {
  const at = toPath(path)
  const wantsError = option(options, 'throwIfNoEntry') !== false
  const found = calling({ syscall: follow ? 'stat' : 'lstat', path: at }, () => {
    if (!wantsError) return fs.find(at, { follow })
    return follow ? fs.stat(at) : fs.lstat(at)
  })
  return found === null ? undefined : toStats(found, option(options, 'bigint') === true)
}

/** Sorted, as libuv does it. With `recursive`, names below are given by their path from the first directory. */
function readDirectory(fs: FileSystem, first: string, options: Options): (string | Buffer | NodeDirent)[] {
  const encoding = encodingOf(options)
  const found: (string | Buffer | NodeDirent)[] = []
  const pending: Below[] = [{ at: first, prefix: '' }]
  for (let directory = pending.shift(); directory !== undefined; directory = pending.shift()) {
    const { at, prefix } = directory
    const entries = calling({ syscall: 'scandir', path: at }, () => listing(fs, at))
    const typed = option(options, 'withFileTypes') === true
    for (const { name, type } of entries.toSorted((a, b) => comparePaths(a.name, b.name))) {
      found.push(typed ? new NodeDirent(nameIn(encoding, name), at, type) : nameIn(encoding, prefix + name))
      if (option(options, 'recursive') !== true) continue
      const next = below(at, prefix, name)
      // Like node: names alone are listed through symlinks, entries with their types are not.
      if (type === 'dir' || (type === 'symlink' && !typed && leadsToDirectory(fs, next.at))) pending.push(next)
    }
  }
  return found
}

type Below = { readonly at: string; readonly prefix: string }

function below(at: string, prefix: string, name: string): Below {
  return { at: at.endsWith('/') ? at + name : `${at}/${name}`, prefix: `${prefix}${name}/` }
}

function leadsToDirectory(fs: FileSystem, at: string): boolean {
  try {
    return isDirectory(fs.stat(at))
  } catch {
    return false // it leads nowhere
  }
}

/** True for a directory itself, not for a symlink to one. */
export function isDirectory(stat: Stat): boolean {
  return fileTypeOf(stat.mode) === 'dir'
}
