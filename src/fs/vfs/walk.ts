// From a path to an object: link_path_walk(), walk_component(), handle_dots(), pick_link() and path_lookupat() of
// fs/namei.c. ".." goes up the way the walk came down and stops at the root; a relative path starts at the root.
import { FsError, type Errno } from '../../errors/index.ts'
import { nameByteLength } from '../../path/index.ts'
import type { Inode } from '../super-block.ts'
import { searchRefusal } from './permission.ts'
import { check, type View } from './view.ts'

/** Longest path, in bytes with the final NUL: PATH_MAX. */
export const pathLimitBytes = 4096
/** How many symlinks one walk follows: MAXSYMLINKS. */
const symlinkLimit = 40

/** The last component: a name, or something that names no entry. */
export type LastComponent = 'name' | 'dot' | 'dotdot' | 'root'

/** A walk and where it stands: struct nameidata. */
export type Walk = {
  readonly view: View
  readonly syscall: string
  readonly path: string
  /** Nobody is told of ENOENT: see `refuse`. */
  readonly isQuiet: boolean
  /** The directories from the root to the one the walk stands in. */
  readonly dirs: Inode[]
  symlinks: number
  /** What is left when `walkToLast` is done. */
  last: LastComponent
  name: string
  /** Slashes behind the last component: it has to be a directory. */
  slash: boolean
}

/** How the last component is looked up: LOOKUP_FOLLOW and LOOKUP_DIRECTORY. */
export type LookupOptions = { readonly follow: boolean; readonly directory?: boolean }

/** A walk at the root. Errors: ENOENT for the empty path, ENAMETOOLONG. Source: getname(). */
export function beginWalk(view: View, syscall: string, path: string, isQuiet = false): Walk {
  checkPath(syscall, path)
  const dirs = [view.superBlock.root]
  return { view, syscall, path, isQuiet, dirs, symlinks: 0, last: 'root', name: '', slash: false }
}

/** What getname() refuses of a path or the target of a symlink. Errors: ENOENT, ENAMETOOLONG, EINVAL for a NUL. */
export function checkPath(syscall: string, path: string): void {
  if (path === '') throw new FsError('ENOENT', syscall, path)
  if (isLongerThan(path, pathLimitBytes - 1)) throw new FsError('ENAMETOOLONG', syscall, path)
  if (path.includes('\0')) throw new FsError('EINVAL', syscall, path)
}

/** Where an error is only caught, one does for all: finding out where it comes from is most of its cost. */
const nothingThere = new FsError('ENOENT', 'stat')

/** The error of a walk. */
export function refuse(walk: Walk, code: Errno): FsError {
  if (walk.isQuiet && code === 'ENOENT') return nothingThere
  return new FsError(code, walk.syscall, walk.path)
}

/** The directory that the walk stands in. */
export function directoryOf(walk: Walk): Inode {
  return walk.dirs[walk.dirs.length - 1] as Inode
}

/** The object of the walk's path. Errors: ENOENT, ENOTDIR, ELOOP, EACCES, ENAMETOOLONG. */
export function lookupPath(walk: Walk, options: LookupOptions): Inode {
  let { follow, directory = false } = options
  let rest = walk.path
  let inode: Inode
  for (;;) {
    walkToLast(walk, rest)
    if (walk.last !== 'name') {
      inode = stepOverDots(walk)
      break
    }
    if (walk.slash) follow = directory = true
    inode = existing(walk)
    if (inode.type !== 'symlink' || !follow) break
    rest = followSymlink(walk, inode)
    if (rest === '') {
      inode = directoryOf(walk)
      break
    }
  }
  if (directory && inode.type !== 'dir') throw refuse(walk, 'ENOTDIR')
  return inode
}

/** The object of a path. */
export function findInode(view: View, syscall: string, path: string, options: LookupOptions): Inode {
  return lookupPath(beginWalk(view, syscall, path), options)
}

/** What the last component stands for, without following it; null where there is nothing. */
export function lookupLast(walk: Walk): Inode | null {
  return lookupName(walk, walk.name)
}

/** The end of a path that is ".", ".." or "/". */
export function stepOverDots(walk: Walk): Inode {
  if (walk.last === 'dotdot') goUp(walk)
  return directoryOf(walk)
}

/**
 * Walks up to the last component of `path`, which is not looked up: `last`, `name` and `slash` tell about it. Symlinks
 * before it are followed; where such a target ends, the walk goes on with what stood behind the link.
 */
export function walkToLast(walk: Walk, path: string): void {
  let rest = path
  let at = skipSlashes(rest, 0)
  walk.last = 'root'
  if (at === rest.length) return
  const pending: { readonly rest: string; readonly at: number }[] = []
  for (;;) {
    check(searchRefusal(walk.view, directoryOf(walk)), walk.syscall, walk.path)
    const slashAt = rest.indexOf('/', at)
    const end = slashAt < 0 ? rest.length : slashAt
    const name = rest.slice(at, end)
    at = slashAt < 0 ? end : skipSlashes(rest, slashAt)
    if (at === rest.length) {
      const outer = pending.pop()
      if (outer === undefined) return stopAt(walk, name, slashAt >= 0)
      ;({ rest, at } = outer)
    }
    const target = stepInto(walk, name)
    if (target === '') continue
    pending.push({ rest, at })
    rest = target
    at = 0
  }
}

function stopAt(walk: Walk, name: string, slash: boolean): void {
  walk.last = name === '.' ? 'dot' : name === '..' ? 'dotdot' : 'name'
  walk.name = name
  walk.slash = slash
}

/** Goes into a component that is not the last one; what is left to walk of a symlink's target. */
function stepInto(walk: Walk, name: string): string {
  if (name === '.') return ''
  if (name === '..') {
    goUp(walk)
    return ''
  }
  const inode = lookupName(walk, name)
  if (inode === null) throw refuse(walk, 'ENOENT')
  if (inode.type === 'symlink') return followSymlink(walk, inode)
  if (inode.type !== 'dir') throw refuse(walk, 'ENOTDIR')
  walk.dirs.push(inode)
  return ''
}

/**
 * The target of a symlink as it is to be walked from where the walk stands now; '' when that is the whole way (a link
 * to "/"). Errors: ELOOP.
 */
export function followSymlink(walk: Walk, symlink: Inode): string {
  if (walk.symlinks >= symlinkLimit) throw refuse(walk, 'ELOOP')
  walk.symlinks++
  const target = walk.view.superBlock.readlink(symlink)
  if (target.charCodeAt(0) !== 0x2f) return target
  walk.dirs.length = 1
  return target.slice(skipSlashes(target, 0))
}

function existing(walk: Walk): Inode {
  const inode = lookupName(walk, walk.name)
  if (inode === null) throw refuse(walk, 'ENOENT')
  return inode
}

function lookupName(walk: Walk, name: string): Inode | null {
  const { superBlock } = walk.view
  if (isLongerThan(name, superBlock.nameMax)) throw refuse(walk, 'ENAMETOOLONG')
  return superBlock.lookup(directoryOf(walk), name)
}

/** Whether a name has more bytes; a character has three at most (a pair of surrogates four), so most need no count. */
function isLongerThan(name: string, bytes: number): boolean {
  return name.length * 3 > bytes && nameByteLength(name) > bytes
}

function goUp(walk: Walk): void {
  if (walk.dirs.length > 1) walk.dirs.pop()
}

function skipSlashes(path: string, from: number): number {
  let at = from
  while (path.charCodeAt(at) === 0x2f) at++
  return at
}
