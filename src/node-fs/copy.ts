// cp: a file, a symlink or, with `recursive`, a whole directory.
import path from 'node:path'
import { isErrno } from '../errors/index.ts'
import { type FileSystem, fileTypeOf, type Stat } from '../fs/index.ts'
import { option, type Options, toPath } from './arguments.ts'
import { constants } from './constants.ts'
import { copyFile } from './contents.ts'
import { listing } from './look.ts'
import { calling, ownError } from './node-error.ts'
import { removeTree } from './remove.ts'

type Filter = (source: string, target: string) => unknown
type CopyOptions = {
  readonly recursive: boolean
  readonly force: boolean
  readonly errorOnExist: boolean
  readonly dereference: boolean
  readonly preserveTimestamps: boolean
  readonly verbatimSymlinks: boolean
  readonly mode: number
  readonly filter: Filter | undefined
}
type Pair = { readonly path: string; readonly dest: string }

/** Errors: ERR_FS_EISDIR, ERR_FS_CP_EEXIST, ERR_FS_CP_EINVAL, ERR_FS_CP_DIR_TO_NON_DIR, ERR_FS_CP_NON_DIR_TO_DIR. */
export function copy(fs: FileSystem, source: unknown, target: unknown, options: Options): void {
  const how = readOptions(options)
  const pending: Pair[] = [{ path: toPath(source, 'src'), dest: toPath(target, 'dest') }]
  checkInside(pending[0] as Pair)
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    if (how.filter !== undefined && !how.filter(pair.path, pair.dest)) continue
    const { stat, existing } = look(fs, pair, how)
    const type = fileTypeOf(stat.mode)
    if (type === 'dir') pending.push(...copyDirectory(fs, pair, { stat, existing, how }))
    else if (!copyObject(fs, pair, { stat, existing, how })) continue
    if (how.preserveTimestamps && type === 'file') keepTimes(fs, pair, stat)
  }
}

function readOptions(options: Options): CopyOptions {
  const flag = (name: string, usual = false): boolean => (option(options, name) ?? usual) === true
  const mode = option(options, 'mode')
  const filter = option(options, 'filter')
  return {
    recursive: flag('recursive'),
    force: flag('force', true),
    errorOnExist: flag('errorOnExist'),
    dereference: flag('dereference'),
    preserveTimestamps: flag('preserveTimestamps'),
    verbatimSymlinks: flag('verbatimSymlinks'),
    mode: typeof mode === 'number' ? mode : 0,
    filter: typeof filter === 'function' ? (filter as Filter) : undefined,
  }
}

function checkInside({ path: from, dest }: Pair): void {
  const [source, target] = [path.posix.resolve('/', from), path.posix.resolve('/', dest)]
  if (source !== target && !target.startsWith(source === '/' ? '/' : `${source}/`)) return
  throw refuse('ERR_FS_CP_EINVAL', `Invalid src or dest: cannot copy ${from} to itself or a directory of it`, 'EINVAL')
}

type Seen = { readonly stat: Stat; readonly existing: Stat | null }

function look(fs: FileSystem, pair: Pair, { dereference }: CopyOptions): Seen {
  const statOf = (at: string): Stat => (dereference ? fs.stat(at) : fs.lstat(at))
  const stat = calling({ syscall: dereference ? 'stat' : 'lstat', path: pair.path }, () => statOf(pair.path))
  return { stat, existing: calling({ syscall: 'lstat', path: pair.dest }, () => presentAt(fs, pair.dest)) }
}

function presentAt(fs: FileSystem, at: string): Stat | null {
  try {
    return fs.lstat(at)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null
    throw error
  }
}

type Found = Seen & { readonly how: CopyOptions }

/** Makes the directory; what is to be copied into it. */
function copyDirectory(fs: FileSystem, pair: Pair, { stat, existing, how }: Found): readonly Pair[] {
  if (!how.recursive) {
    throw refuse('ERR_FS_EISDIR', `Recursive option not enabled, cannot copy a directory: ${pair.path}`, 'EISDIR')
  }
  if (existing === null) {
    calling({ syscall: 'mkdir', path: pair.dest }, () => {
      fs.mkdir(pair.dest, 0o700)
      fs.chmod(pair.dest, stat.mode & 0o7777)
    })
  } else if (fileTypeOf(existing.mode) !== 'dir') {
    throw refuse('ERR_FS_CP_DIR_TO_NON_DIR', `Cannot overwrite non-directory ${pair.dest} with directory`, 'EISDIR')
  }
  const entries = calling({ syscall: 'opendir', path: pair.path }, () => listing(fs, pair.path))
  return entries.map(({ name }) => ({ path: `${pair.path}/${name}`, dest: `${pair.dest}/${name}` }))
}

/** False: there is something already, and it stays. */
function copyObject(fs: FileSystem, pair: Pair, { stat, existing, how }: Found): boolean {
  const type = fileTypeOf(stat.mode)
  if (existing !== null) {
    if (fileTypeOf(existing.mode) === 'dir') {
      throw refuse('ERR_FS_CP_NON_DIR_TO_DIR', `Cannot overwrite directory ${pair.dest} with non-directory`, 'ENOTDIR')
    }
    if (!how.force && how.errorOnExist)
      throw refuse('ERR_FS_CP_EEXIST', `Target already exists: ${pair.dest}`, 'EEXIST')
    if (!how.force) return false
    removeTree(fs, pair.dest, { recursive: false, force: true })
  }
  makeParent(fs, pair.dest)
  if (type === 'symlink') copySymlink(fs, pair, how)
  else if (type === 'file')
    calling({ syscall: 'copyfile', ...pair }, () => copyFile(fs, pair, how.mode & ~constants.COPYFILE_EXCL))
  else throw refuse('ERR_FS_CP_UNKNOWN', `Cannot copy a ${type}: ${pair.path}`, 'EINVAL')
  return true
}

/** Like node, cp makes the directories above its target. */
function makeParent(fs: FileSystem, dest: string): void {
  const missing: string[] = []
  for (let at = path.posix.dirname(dest); presentAt(fs, at) === null; at = path.posix.dirname(at)) missing.push(at)
  for (const at of missing.toReversed()) calling({ syscall: 'mkdir', path: at }, () => fs.mkdir(at, 0o777))
}

/** A relative target goes on meaning the same object, unless it is to be kept as it is. */
function copySymlink(fs: FileSystem, pair: Pair, { verbatimSymlinks }: CopyOptions): void {
  const target = calling({ syscall: 'readlink', path: pair.path }, () => fs.readlink(pair.path))
  const kept = verbatimSymlinks ? target : path.posix.resolve('/', path.posix.dirname(pair.path), target)
  calling({ syscall: 'symlink', path: kept, dest: pair.dest }, () => fs.symlink(kept, pair.dest))
}

function keepTimes(fs: FileSystem, { dest }: Pair, { atimeNs, mtimeNs }: Stat): void {
  const times = { atime: atimeNs, mtime: mtimeNs, follow: false }
  calling({ syscall: 'utime', path: dest }, () => fs.utimens(dest, times))
}

function refuse(code: string, message: string, errno: 'EINVAL' | 'EISDIR' | 'ENOTDIR' | 'EEXIST'): Error {
  return ownError(code, message, { syscall: 'cp' }, errno)
}
