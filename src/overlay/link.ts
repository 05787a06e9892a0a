// One more name of a file (rules 107, 123). fs/overlayfs/dir.c: ovl_link(), ovl_create_or_link().
import { FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { copyUp, copyUpCauses } from './copy-up.ts'
import { type NewName, upperDirectory } from './create.ts'
import { dropDentry, makeFindable } from './inode-table.ts'
import { forget, isUpperWhiteout, lookupName } from './lookup.ts'
import { upperOf } from './marks.ts'
import { hasOrigin, isMetacopy, OverlayDentry, type OverlayMount } from './model.ts'
import { endNlink, startNlink } from './nlink.ts'
import { setImpure } from './opaque.ts'
import { keepOwnership } from './ownership.ts'
import { directoryChanged } from './readdir.ts'
import { setRedirect } from './redirect.ts'
import { cleanUp, temporaryName, workOf } from './work-place.ts'

/** Links a file; the name that stands for the link. Errors: EXDEV for a metacopy in too deep a place, EMLINK. */
export function linkObject(mount: OverlayMount, existing: OverlayDentry, at: NewName): OverlayDentry {
  const { directory, name } = at
  copyUp(mount, existing, copyUpCauses.link)
  copyUp(mount, directory, copyUpCauses.newName)
  startNlink(mount, existing)
  try {
    if (isMetacopy(existing)) setRedirect(mount, existing, false)
    if (hasOrigin(existing)) setImpure(mount, directory)
    lookupName(mount, directory, name)
    linkUpper(mount, existing.inode.upper, at)
    keepOwnership(mount, existing.inode)
    existing.inode.nlink++
    makeFindable(mount, existing.inode)
    directoryChanged(directory, false)
    // It is not kept: looked up anew, the link finds what is beneath it.
    forget(directory, name)
    const dentry = new OverlayDentry(directory, name, existing.inode)
    dentry.hasUpperAlias = true
    dropDentry(mount, dentry)
    return dentry
  } finally {
    endNlink(mount, existing)
  }
}

function linkUpper(mount: OverlayMount, upper: Inode | null, { directory, name }: NewName): void {
  if (upper === null) throw new FsError('EROFS', 'link')
  const { superBlock } = upperOf(mount)
  const target = upperDirectory(directory)
  if (!isUpperWhiteout(directory, name)) {
    superBlock.link(upper, target, name)
    return
  }
  const work = workOf(mount)
  const dir = work.directory
  const whiteout = superBlock.lookup(target, name)
  if (whiteout === null) throw new FsError('ESTALE', 'link', name)
  const temporary = temporaryName(work)
  const inode = superBlock.link(upper, dir, temporary)
  try {
    superBlock.rename({ dir, name: temporary, inode }, { dir: target, name, inode: whiteout }, 0)
  } catch (error) {
    cleanUp(mount, { dir, name: temporary, inode })
    throw error
  }
}
