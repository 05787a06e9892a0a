// Making files, directories, devices and symlinks (rules 117-122). fs/overlayfs/dir.c: ovl_create_object(),
// ovl_create_upper(), ovl_create_over_whiteout(), ovl_instantiate(), ovl_tmpfile().
import { FsError } from '../errors/index.ts'
import { type Inode, type NewInode, RENAME_EXCHANGE } from '../fs/index.ts'
import { copyUp, copyUpCauses } from './copy-up.ts'
import { dropDentry } from './inode-table.ts'
import { inherit, setAcls } from './inherit.ts'
import { isUpperWhiteout, lookupName, remember } from './lookup.ts'
import { upperOf } from './marks.ts'
import { isMerge, isSameFileSystem, OverlayDentry, OverlayInode, type OverlayMount, pathBelow } from './model.ts'
import { allowsOfflineChanges, setOpaque } from './opaque.ts'
import { directoryChanged } from './readdir.ts'
import { mapIno } from './stat.ts'
import { cleanUp, temporaryName, workOf } from './work-place.ts'

/** A name that is to be made. The Vfs knows that it is free. */
export type NewName = { readonly directory: OverlayDentry; readonly name: string }

/** Makes an object. Errors: EPERM for a whiteout (rule 121), EIO where opaque cannot be stored, those of the upper layer. */
export function createObject(mount: OverlayMount, at: NewName, make: NewInode): OverlayDentry {
  const { directory, name } = at
  if (make.type === 'char' && (make.rdev ?? 0) === 0) throw new FsError('EPERM', 'mknod', name)
  copyUp(mount, directory, copyUpCauses.newName)
  lookupName(mount, directory, name)
  const overWhiteout = isUpperWhiteout(directory, name)
  if (mount.trace !== null) {
    const { type } = make
    const path = pathBelow(directory, name)
    mount.trace({ kind: 'create', path, type, overWhiteout, rule: overWhiteout ? 118 : 119 })
  }
  const made = overWhiteout ? createOverWhiteout(mount, at, make) : createUpper(mount, at, make)
  directoryChanged(directory, false)
  const dentry = instantiate(mount, { directory, name }, made.inode)
  dentry.isOpaque = made.isOpaque
  remember(directory, name, dentry)
  return dentry
}

/** An object without a name (rule 111). */
export function createNameless(mount: OverlayMount, directory: OverlayDentry, make: NewInode): OverlayDentry {
  if (!mount.usesTemporaryFiles) throw new FsError('EOPNOTSUPP', 'open')
  copyUp(mount, directory, copyUpCauses.newName)
  const upper = upperOf(mount).superBlock.createTemporary(upperDirectory(directory), make)
  const dentry = instantiate(mount, { directory, name: '' }, upper)
  dropDentry(mount, dentry)
  return dentry
}

/** The upper directory of one that was copied up. Errors: EROFS. */
export function upperDirectory({ inode }: OverlayDentry): Inode {
  if (inode.upper === null) throw new FsError('EROFS', 'write')
  return inode.upper
}

type Made = { readonly inode: Inode; readonly isOpaque: boolean }

function createUpper(mount: OverlayMount, { directory, name }: NewName, make: NewInode): Made {
  const inode = upperOf(mount).superBlock.create(upperDirectory(directory), name, make)
  const isOpaque = make.type === 'dir' && isMerge(directory) && !allowsOfflineChanges(mount.config)
  return { inode, isOpaque: isOpaque && tryOpaque(mount, { directory, name }, inode) }
}

/** Only saves lookups: nothing is beneath. */
function tryOpaque(mount: OverlayMount, { directory, name }: NewName, inode: Inode): boolean {
  try {
    setOpaque(mount, inode, 'EIO')
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    return false
  }
  const reason = 'new in a merged directory'
  mount.trace?.({ kind: 'opaque', path: pathBelow(directory, name), reason, rule: 120 })
  return true
}

/** Out of sight, then in the whiteout's place: what it hides never shows. */
function createOverWhiteout(mount: OverlayMount, { directory, name }: NewName, make: NewInode): Made {
  const { superBlock } = upperOf(mount)
  const work = workOf(mount)
  const target = upperDirectory(directory)
  const inherited = inherit(superBlock, target, make)
  const whiteout = superBlock.lookup(target, name)
  if (whiteout === null) throw new FsError('ESTALE', 'create', name)
  const dir = work.directory
  const temporary = temporaryName(work)
  const inode = superBlock.create(dir, temporary, inherited.make)
  const isDirectory = make.type === 'dir'
  try {
    setAcls(superBlock, inode, inherited)
    if (isDirectory) {
      setOpaque(mount, inode, 'EIO')
      mount.trace?.({ kind: 'opaque', path: pathBelow(directory, name), reason: 'over a whiteout', rule: 118 })
    }
    const flags = isDirectory ? RENAME_EXCHANGE : 0
    superBlock.rename({ dir, name: temporary, inode }, { dir: target, name, inode: whiteout }, flags)
  } catch (error) {
    cleanUp(mount, { dir, name: temporary, inode })
    throw error
  }
  if (isDirectory) cleanUp(mount, { dir, name: temporary, inode: whiteout })
  return { inode, isOpaque: isDirectory }
}

function instantiate(mount: OverlayMount, { directory, name }: NewName, upper: Inode): OverlayDentry {
  const inode = new OverlayInode(upper.type, upper, [])
  inode.hasUpperData = true
  // Elsewhere the upper number is the one that shows.
  if (upper.type === 'dir' && !isSameFileSystem(mount))
    mapIno(mount, inode, { ino: upperOf(mount).superBlock.stat(upper).ino, fsid: 0 })
  const dentry = new OverlayDentry(directory, name, inode)
  dentry.hasUpperAlias = true
  return dentry
}
