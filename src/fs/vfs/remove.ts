// unlink(2) and rmdir(2): do_unlinkat() and do_rmdir() of fs/namei.c. On a read-only file system a missing name is
// EROFS too (Y09, Y10).
import type { Errno } from '../../errors/index.ts'
import { deleteRefusal } from './permission.ts'
import { check, markRemoved, type View } from './view.ts'
import { beginWalk, directoryOf, type LastComponent, lookupLast, refuse, walkToLast } from './walk.ts'

const rmdirOfDots: Readonly<Record<Exclude<LastComponent, 'name'>, Errno>> = {
  dot: 'EINVAL',
  dotdot: 'ENOTEMPTY',
  root: 'EBUSY',
}

/** unlink(2). Errors: EISDIR, ENOTDIR for slashes behind a file. */
export function unlinkPath(view: View, path: string): void {
  const walk = beginWalk(view, 'unlink', path)
  walkToLast(walk, path)
  if (walk.last !== 'name') throw refuse(walk, 'EISDIR')
  if (view.superBlock.readOnly) throw refuse(walk, 'EROFS')
  const victim = lookupLast(walk)
  if (victim === null) throw refuse(walk, 'ENOENT')
  if (walk.slash) throw refuse(walk, victim.type === 'dir' ? 'EISDIR' : 'ENOTDIR')
  const dir = directoryOf(walk)
  check(deleteRefusal(view, dir, victim, false), walk.syscall, path)
  view.superBlock.unlink(dir, walk.name, victim)
}

/** rmdir(2). Errors: ENOTDIR, ENOTEMPTY, EINVAL for ".", EBUSY for the root. */
export function removeDirectory(view: View, path: string): void {
  const walk = beginWalk(view, 'rmdir', path)
  walkToLast(walk, path)
  if (walk.last !== 'name') throw refuse(walk, rmdirOfDots[walk.last])
  if (view.superBlock.readOnly) throw refuse(walk, 'EROFS')
  const victim = lookupLast(walk)
  if (victim === null) throw refuse(walk, 'ENOENT')
  const dir = directoryOf(walk)
  check(deleteRefusal(view, dir, victim, true), walk.syscall, path)
  view.superBlock.rmdir(dir, walk.name, victim)
  markRemoved(view, victim)
}
