// Makes the workdir ready and finds out what the upper file system can do (fs/overlayfs/super.c: ovl_make_workdir();
// rules 48-50, 52).
import { FsError, isErrno } from '../../errors/index.ts'
import {
  type Inode,
  isPermitted,
  isPrivileged,
  MAY_EXEC,
  MAY_WRITE,
  RENAME_WHITEOUT,
  type SuperBlock,
} from '../../fs/index.ts'
import { markNames } from '../marks.ts'
import type { WorkPlace } from '../model.ts'
import { handleKind, type LayerContext } from './layers.ts'
import type { Place } from './places.ts'
import { describeByPath, volatileLeftover } from './refusals.ts'
import { IncompatibleLeftover, makeWorkDirectory, markVolatile } from './workdir.ts'

/** What the upper file system offers. */
export type UpperAbilities = {
  readonly usesTemporaryFiles: boolean
  readonly hasNoXattrs: boolean
}

/** The workdir, ready; null: the overlay is read-only. */
export type PreparedUpper = UpperAbilities & { readonly work: WorkPlace | null }

/**
 * Changes `config` where the upper file system does not allow what it says.
 *
 * Errors: OVL_VOLATILE_LEFTOVER; those of the file system.
 */
export function prepareUpper(work: Place, context: LayerContext): PreparedUpper {
  const { superBlock, root: base } = work
  const { mounter } = context
  const directory = mayWrite(work, context) ? emptyWorkDirectory(work, context) : null
  if (directory === null) {
    const message = `${work.path}/work cannot be made anew: the overlay is read-only`
    context.notes.push({ about: 'workdir', message })
    return { work: null, usesTemporaryFiles: false, hasNoXattrs: false }
  }
  const place: WorkPlace = { base, directory, temporaryNames: 0, whiteout: null, sharesWhiteouts: true }
  const usesTemporaryFiles = superBlock.features.temporaryFiles
  tryRenameWhiteout(superBlock, place, context)
  const hasNoXattrs = !tryXattrs(superBlock, directory, context)
  if (hasNoXattrs) fallBackWithoutXattrs(context)
  if (context.config.fsync === 'volatile') markVolatile({ superBlock, base, mounter }, directory)
  fallBackWithoutHandles(superBlock, context)
  return { work: place, usesTemporaryFiles, hasNoXattrs }
}

function mayWrite({ superBlock, root }: Place, { mounter }: LayerContext): boolean {
  return isPermitted(superBlock, root, { mask: MAY_WRITE | MAY_EXEC, caller: mounter })
}

function emptyWorkDirectory(work: Place, { mounter }: LayerContext): Inode | null {
  try {
    return makeWorkDirectory({ superBlock: work.superBlock, base: work.root, mounter })
  } catch (error) {
    if (error instanceof IncompatibleLeftover)
      throw volatileLeftover(work, error.feature, { target: null, ...describeByPath([work]) })
    throw error
  }
}

/** Uses up two temporary names, as the kernel's trial does. */
function tryRenameWhiteout(superBlock: SuperBlock, place: WorkPlace, { notes, mounter }: LayerContext): void {
  const dir = place.directory
  const [from, to] = ['#1', '#2']
  place.temporaryNames = 2
  const inode = superBlock.create(dir, from, { type: 'file', mode: 0, umask: 0, uid: mounter.uid, gid: mounter.gid })
  try {
    superBlock.rename({ dir, name: from, inode }, { dir, name: to, inode: null }, RENAME_WHITEOUT)
  } catch (error) {
    superBlock.unlink(dir, from, inode)
    if (!isErrno(error, 'EINVAL', 'EOPNOTSUPP')) throw error
    const message = 'the upper file system cannot leave whiteouts when it renames: lower files cannot be renamed'
    return void notes.push({ about: 'upperdir', message })
  }
  for (const name of [from, to]) {
    const left = superBlock.lookup(dir, name)
    if (left !== null) superBlock.unlink(dir, name, left)
  }
}

function tryXattrs(superBlock: SuperBlock, directory: Inode, { config, mounter, notes }: LayerContext): boolean {
  const name = markNames(config.userxattr).opaque
  try {
    // Drivers do not ask who the caller is.
    if (!config.userxattr && !isPrivileged(mounter)) throw new FsError('EPERM', 'setxattr')
    superBlock.setXattr(directory, name, Uint8Array.of(0x30), 0)
    superBlock.removeXattr(directory, name)
    return true
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    const hint = error.code === 'EPERM' && !config.userxattr ? ': try userxattr' : ''
    notes.push({ about: 'upperdir', message: `the upper file system stores no attributes of overlayfs${hint}` })
    return false
  }
}

function fallBackWithoutXattrs({ config, notes }: LayerContext): void {
  const fallBack = (about: string, became: string): void =>
    void notes.push({ about, message: `without attributes on the upper file system: ${about}=${became}` })
  if (config.redirectDir !== 'nofollow') fallBack('redirect_dir', (config.redirectDir = 'nofollow'))
  if (config.metacopy) fallBack('metacopy', 'off')
  config.metacopy = false
  if (config.index) fallBack('index', 'off')
  config.index = false
  if (config.uuid === 'on' || config.uuid === 'auto') fallBack('uuid', (config.uuid = 'null'))
  if (config.xino === 'auto') fallBack('xino', (config.xino = 'off'))
}

function fallBackWithoutHandles(superBlock: SuperBlock, { config, mounter, notes }: LayerContext): void {
  if (config.index && handleKind(superBlock, mounter) === 'none') {
    config.index = false
    notes.push({ about: 'index', message: 'the upper file system has no file handles: index=off' })
  }
  if (!config.nfsExport || config.index) return
  config.nfsExport = false
  notes.push({ about: 'nfs_export', message: 'nfs_export needs index=on: nfs_export=off' })
}
