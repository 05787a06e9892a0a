// The directory in which overlayfs makes things before it shows them, and the whiteouts that come from there
// (rules 49, 55, 125). fs/overlayfs/dir.c: ovl_lookup_temp(), ovl_whiteout(), ovl_cleanup_and_whiteout(), ovl_cleanup().
import { FsError } from '../errors/index.ts'
import { type Inode, type NameOf, RENAME_EXCHANGE, type SuperBlock } from '../fs/index.ts'
import { upperOf } from './marks.ts'
import type { OverlayMount, WorkPlace } from './model.ts'

/** A character device 0:0 (rule 54). */
export function isDeviceWhiteout(superBlock: SuperBlock, inode: Inode): boolean {
  return inode.type === 'char' && superBlock.stat(inode).rdev === 0
}

/** The place for what is being made. Errors: EROFS without one. */
export function workOf(mount: OverlayMount): WorkPlace {
  if (mount.work === null) throw new FsError('EROFS', 'write')
  return mount.work
}

/** A name for something that is being made (rule 49). */
export function temporaryName(work: WorkPlace): string {
  return `#${(++work.temporaryNames).toString(16)}`
}

/** Removes what was made in vain. The kernel logs a failure and goes on. */
export function cleanUp(mount: OverlayMount, { dir, name, inode }: NameOf<Inode>): void {
  if (inode === null) return
  const { superBlock } = upperOf(mount)
  try {
    if (inode.type === 'dir') superBlock.rmdir(dir, name, inode)
    else superBlock.unlink(dir, name, inode)
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}

/** Puts a whiteout in the place of an object of the upper layer, or where there is none (rule 125). */
export function replaceByWhiteout(mount: OverlayMount, at: NameOf<Inode>): void {
  const work = workOf(mount)
  const { superBlock } = upperOf(mount)
  const whiteout = makeWhiteout(mount, work)
  const isDirectory = at.inode?.type === 'dir'
  try {
    superBlock.rename(whiteout, at, isDirectory ? RENAME_EXCHANGE : 0)
  } catch (error) {
    cleanUp(mount, whiteout)
    throw error
  }
  if (isDirectory) cleanUp(mount, { ...whiteout, inode: at.inode })
}

/** One more link of the shared whiteout, in the work directory. */
function makeWhiteout(mount: OverlayMount, work: WorkPlace): NameOf<Inode> {
  const { superBlock } = upperOf(mount)
  const dir = work.directory
  if (work.whiteout === null) {
    const name = temporaryName(work)
    const inode = superBlock.create(dir, name, { type: 'char', mode: 0, umask: 0, rdev: 0, ...owner(mount) })
    work.whiteout = { name, inode }
  }
  const shared = work.whiteout
  if (work.sharesWhiteouts) {
    const name = temporaryName(work)
    try {
      return { dir, name, inode: superBlock.link(shared.inode, dir, name) }
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      if (error.code !== 'EMLINK') work.sharesWhiteouts = false
    }
  }
  work.whiteout = null
  return { dir, name: shared.name, inode: shared.inode }
}

/** New objects in the work directory belong to the mounter (rule 151). */
function owner({ mounter }: OverlayMount): { readonly uid: number; readonly gid: number } {
  return { uid: mounter.uid, gid: mounter.gid }
}
