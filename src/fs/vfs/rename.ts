// rename(2) and renameat2(2): do_renameat2() and vfs_rename() of fs/namei.c, in their order of refusals. What only a
// file system can know comes last and from it: ENOTEMPTY, EXDEV of an overlay, flags it does not have.
import { FsError } from '../../errors/index.ts'
import { MAY_WRITE, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../flags.ts'
import type { Inode } from '../super-block.ts'
import { createRefusal, deleteRefusal, permissionRefusal } from './permission.ts'
import { check, markRemoved, type View } from './view.ts'
import { beginWalk, directoryOf, lookupLast, refuse, type Walk, walkToLast } from './walk.ts'

/** rename(2), `flags` of RENAME_ bits. Errors: EBUSY for dots and the root, EINVAL into itself, ENOTEMPTY, EISDIR, … */
export function renamePath(view: View, paths: { readonly from: string; readonly to: string }, flags: number): void {
  checkFlags(flags, paths.from)
  const from = beginWalk(view, 'rename', paths.from)
  walkToLast(from, paths.from)
  const to = beginWalk(view, 'rename', paths.to)
  walkToLast(to, paths.to)
  if (from.last !== 'name') throw refuse(from, 'EBUSY')
  if (to.last !== 'name') throw refuse(to, (flags & RENAME_NOREPLACE) !== 0 ? 'EEXIST' : 'EBUSY')
  if (view.superBlock.readOnly) throw refuse(from, 'EROFS')
  const source = lookupLast(from)
  if (source === null) throw refuse(from, 'ENOENT')
  const target = lookupLast(to)
  checkOnlyName(view, { from, to }, { source, target, flags })
  checkTarget(to, target, flags)
  checkSlashes({ from, to }, { source, flags })
  checkAncestors(view, { from, to }, { source, target, flags })
  if (target !== null && view.superBlock.isSame(source, target)) return
  checkPermissions(view, { from, to }, { source, target, flags })
  view.superBlock.rename(
    { dir: directoryOf(from), name: from.name, inode: source },
    { dir: directoryOf(to), name: to.name, inode: target },
    flags,
    view.caller,
  )
  if (target?.type === 'dir' && (flags & RENAME_EXCHANGE) === 0) markRemoved(view, target)
}

type Walks = { readonly from: Walk; readonly to: Walk }
type Objects = { readonly source: Inode; readonly target: Inode | null; readonly flags: number }

function checkFlags(flags: number, path: string): void {
  const known = RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT
  const exclusive = (flags & RENAME_EXCHANGE) !== 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0
  if ((flags & ~known) !== 0 || exclusive) throw new FsError('EINVAL', 'rename', path)
}

/**
 * A directory has one name. Found under another one (by redirects of an overlay) it would move there, but nothing moves
 * while a rename between two directories is under way: d_splice_alias(), __d_unalias().
 */
function checkOnlyName(view: View, { from, to }: Walks, { source, target }: Objects): void {
  if (source.type !== 'dir' || target === null || !view.superBlock.isSame(source, target)) return
  if (!view.superBlock.isSame(directoryOf(from), directoryOf(to))) throw refuse(to, 'ESTALE')
}

function checkTarget(to: Walk, target: Inode | null, flags: number): void {
  if ((flags & RENAME_NOREPLACE) !== 0 && target !== null) throw refuse(to, 'EEXIST')
  if ((flags & RENAME_EXCHANGE) === 0) return
  if (target === null) throw refuse(to, 'ENOENT')
  if (target.type !== 'dir' && to.slash) throw refuse(to, 'ENOTDIR')
}

/** Slashes behind a name ask for a directory. */
function checkSlashes({ from, to }: Walks, { source, flags }: Pick<Objects, 'source' | 'flags'>): void {
  if (source.type === 'dir') return
  if (from.slash) throw refuse(from, 'ENOTDIR')
  if (to.slash && (flags & RENAME_EXCHANGE) === 0) throw refuse(to, 'ENOTDIR')
}

/** A directory cannot go into itself, and nothing can take the place of a directory that it is in. */
function checkAncestors(view: View, { from, to }: Walks, { source, target, flags }: Objects): void {
  if (source.type === 'dir' && isAbove(view, source, to)) throw refuse(to, 'EINVAL')
  if (target?.type === 'dir' && isAbove(view, target, from)) {
    throw refuse(to, (flags & RENAME_EXCHANGE) !== 0 ? 'EINVAL' : 'ENOTEMPTY')
  }
}

function isAbove(view: View, dir: Inode, walk: Walk): boolean {
  return walk.dirs.some(ancestor => ancestor === dir || view.superBlock.isSame(ancestor, dir))
}

function checkPermissions(view: View, { from, to }: Walks, { source, target, flags }: Objects): void {
  const fromDir = directoryOf(from)
  const toDir = directoryOf(to)
  const isDir = source.type === 'dir'
  const exchange = (flags & RENAME_EXCHANGE) !== 0
  check(deleteRefusal(view, fromDir, source, isDir), 'rename', from.path)
  if (target === null) check(createRefusal(view, toDir), 'rename', to.path)
  else check(deleteRefusal(view, toDir, target, exchange ? target.type === 'dir' : isDir), 'rename', to.path)
  if (view.superBlock.isSame(fromDir, toDir)) return
  // The entry ".." of a moved directory is written.
  if (isDir) check(permissionRefusal(view, source, MAY_WRITE), 'rename', from.path)
  if (exchange && target?.type === 'dir') check(permissionRefusal(view, target, MAY_WRITE), 'rename', to.path)
}
