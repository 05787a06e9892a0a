// Renaming (rules 131-141). fs/overlayfs/dir.c: ovl_rename(). What the table of rule 131 says is decided before
// anything is written: a refused rename copies nothing up (rule 139).
import { FsError } from '../errors/index.ts'
import { type Inode, RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../fs/index.ts'
import { copyUp, copyUpCauses } from './copy-up.ts'
import { type NewName, upperDirectory } from './create.ts'
import type { RenameStrategy } from './events.ts'
import { dropDentry, holdUpper, keepUpper } from './inode-table.ts'
import { checkEmpty } from './listing.ts'
import { forget, isUpperWhiteout, lookupName, remember } from './lookup.ts'
import { upperOf } from './marks.ts'
import { hasOrigin, isMerge, type OverlayDentry, type OverlayMount, pathBelow, pathOf } from './model.ts'
import { dropNlink, endNlink, startNlink } from './nlink.ts'
import { setImpure, setOpaque } from './opaque.ts'
import { refreshOwnership } from './ownership.ts'
import { directoryChanged } from './readdir.ts'
import { setRedirect } from './redirect.ts'
import { clearEmpty, currentUpper, isPureUpper } from './remove.ts'
import { isLowerPositive, isUpperWhiteoutNow } from './whiteout.ts'
import { cleanUp } from './work-place.ts'

/**
 * Renames. `target`: what stands at the new name. Errors: EXDEV for a directory that is below, with redirect_dir other
 * than "on" (rule 131), or whose redirect is too long (rule 134); ENOTEMPTY; EINVAL for other flags.
 */
export function renameObject(mount: OverlayMount, source: OverlayDentry, to: RenameTarget): void {
  const rename = plan(mount, source, to)
  copyUp(mount, source, copyUpCauses.rename)
  copyUp(mount, to.directory, copyUpCauses.newName)
  const { target } = to
  if (rename.isExchange && target !== null) copyUp(mount, target, copyUpCauses.rename)
  const replaced = rename.isExchange ? null : target
  if (replaced !== null) startNlink(mount, replaced)
  try {
    carryOut(mount, rename)
  } finally {
    if (replaced !== null) endNlink(mount, replaced)
  }
}

/** Where something is renamed to. */
export type RenameTarget = NewName & { readonly target: OverlayDentry | null; readonly flags: number }

type Rename = {
  readonly source: OverlayDentry
  readonly to: RenameTarget
  readonly isSameDirectory: boolean
  /** RENAME_EXCHANGE was asked for. */
  readonly isExchange: boolean
  /** The upper layer has a whiteout at the new name. */
  readonly overWhiteout: boolean
  readonly strategy: RenameStrategy
  /** Whiteouts of the upper layer in the directory that is replaced. */
  readonly whiteouts: readonly string[]
}

const upperFlags: { readonly [strategy in RenameStrategy]: number } = {
  plain: 0,
  'leave-whiteout': RENAME_WHITEOUT,
  'exchange-whiteout': RENAME_EXCHANGE,
  exchange: RENAME_EXCHANGE,
  'exchange-and-clean': RENAME_EXCHANGE,
}

function plan(mount: OverlayMount, source: OverlayDentry, to: RenameTarget): Rename {
  const { flags, target, directory, name } = to
  if ((flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE)) !== 0) throw new FsError('EINVAL', 'rename')
  const isExchange = (flags & RENAME_EXCHANGE) !== 0
  checkMovable(mount, source)
  if (isExchange && target !== null) checkMovable(mount, target)
  const replacesDirectory = !isExchange && target !== null && target.type === 'dir' && !isPureUpper(target)
  const whiteouts = replacesDirectory ? checkEmpty(mount, target) : []
  lookupName(mount, directory, name)
  const overWhiteout = isUpperWhiteout(directory, name)
  const strategy = isExchange ? 'exchange' : strategyFor(mount, source, overWhiteout)
  return { source, to, isSameDirectory: source.parent === directory, isExchange, overWhiteout, strategy, whiteouts }
}

/** A directory that is below cannot move, unless a redirect leads there from its new place. */
function checkMovable(mount: OverlayMount, dentry: OverlayDentry): void {
  if (mount.config.redirectDir === 'on' || dentry.type !== 'dir' || !isMergeOrLower(dentry)) return
  const rule = 131
  mount.trace?.({ kind: 'refused', path: pathOf(dentry), operation: 'rename', errno: 'EXDEV', rule })
  throw new FsError('EXDEV', 'rename')
}

function isMergeOrLower(dentry: OverlayDentry): boolean {
  return dentry.inode.upper === null || isMerge(dentry)
}

function strategyFor(mount: OverlayMount, source: OverlayDentry, overWhiteout: boolean): RenameStrategy {
  if (isLowerPositive(mount, source)) return overWhiteout ? 'exchange-whiteout' : 'leave-whiteout'
  return source.type === 'dir' && overWhiteout ? 'exchange-and-clean' : 'plain'
}

function carryOut(mount: OverlayMount, rename: Rename): void {
  const { source, to, isExchange, isSameDirectory, strategy, whiteouts } = rename
  const { target, directory, name } = to
  const opaque = target !== null && whiteouts.length > 0 ? clearEmpty(mount, target, whiteouts) : null
  const oldDirectory = source.parent
  if (!isSameDirectory) {
    if (hasOrigin(source)) setImpure(mount, directory)
    if (isExchange && target !== null && hasOrigin(target)) setImpure(mount, oldDirectory)
  }
  const from = currentUpper(mount, source, source.inode.upper)
  const there = findTarget(mount, rename, opaque)
  const fromDirectory = upperDirectory(oldDirectory)
  const toDirectory = upperDirectory(directory)
  if (from === null) throw new FsError('ESTALE', 'rename')
  // Two names of one upper file that the overlay could not tell to be one.
  if (there !== null && upperOf(mount).superBlock.isSame(from, there)) throw new FsError('ESTALE', 'rename')
  markMoved(mount, source, rename)
  if (isExchange && target !== null) markMoved(mount, target, { ...rename, to: { ...to, directory: oldDirectory } })
  const oldName = source.name
  if (target !== null && !isExchange) holdUpper(mount, target.inode)
  tell(mount, rename)
  refreshOwnership(mount, source.inode)
  if (target !== null) refreshOwnership(mount, target.inode)
  upperOf(mount).superBlock.rename(
    { dir: fromDirectory, name: oldName, inode: from },
    { dir: toDirectory, name, inode: there },
    upperFlags[strategy],
  )
  if (strategy === 'exchange-and-clean') cleanUp(mount, { dir: fromDirectory, name: oldName, inode: there })
  // What was moved is what stands for them now.
  if (!isHeldByIndex(source)) source.inode.upper = from
  if (isExchange && target !== null && there !== null && !isHeldByIndex(target)) target.inode.upper = there
  const isImpure = hasOrigin(source)
  const isTargetImpure = target !== null && hasOrigin(target)
  if (!isExchange && target !== null) dropNlink(target, target.type === 'dir')
  directoryChanged(oldDirectory, isImpure || (isExchange && isTargetImpure))
  directoryChanged(directory, isImpure || isTargetImpure)
  moveNames(mount, rename)
}

/** A file in the index stands for its entry there, which no rename moves. */
function isHeldByIndex({ inode }: OverlayDentry): boolean {
  return inode.isIndexed && inode.type !== 'dir'
}

/** What the upper layer has at the new name. Errors: ESTALE when it is not what the overlay knows of. */
function findTarget(mount: OverlayMount, { to, overWhiteout, strategy }: Rename, opaque: Inode | null): Inode | null {
  const { superBlock } = upperOf(mount)
  const { target, directory, name } = to
  const there = superBlock.lookup(upperDirectory(directory), name)
  const expected = opaque ?? target?.inode.upper ?? null
  if (expected !== null) {
    if (there === null || !superBlock.isSame(there, expected)) throw new FsError('ESTALE', 'rename')
    return there
  }
  if (there === null ? (upperFlags[strategy] & RENAME_EXCHANGE) !== 0 : !overWhiteout) {
    throw new FsError('ESTALE', 'rename')
  }
  if (there !== null && !isUpperWhiteoutNow(mount, there)) throw new FsError('ESTALE', 'rename')
  return there
}

/** So that the layers beneath the new place show what the object had, and nothing else (rules 132, 133). */
function markMoved(mount: OverlayMount, dentry: OverlayDentry, { to, isSameDirectory }: Rename): void {
  const { upper } = dentry.inode
  if (isMergeOrLower(dentry)) setRedirect(mount, dentry, isSameDirectory)
  else if (dentry.type === 'dir' && !dentry.isOpaque && isMerge(to.directory) && upper !== null) {
    setOpaque(mount, upper, 'EXDEV')
    dentry.isOpaque = true
    mount.trace?.({ kind: 'opaque', path: pathOf(dentry), reason: 'moved into a merged directory', rule: 132 })
  }
}

/** d_move(), d_exchange() */
function moveNames(mount: OverlayMount, { source, to, isExchange }: Rename): void {
  const { target, directory, name } = to
  const oldDirectory = source.parent
  const oldName = source.name
  if (target !== null && !isExchange) {
    dropDentry(mount, target)
    keepUpper(mount, target.inode)
  }
  forget(oldDirectory, oldName)
  source.parent = directory
  source.name = name
  remember(directory, name, source)
  if (!isExchange || target === null) return
  target.parent = oldDirectory
  target.name = oldName
  remember(oldDirectory, oldName, target)
}

function tell(mount: OverlayMount, { source, to, strategy }: Rename): void {
  if (mount.trace === null) return
  const path = pathOf(source)
  mount.trace({ kind: 'rename', path, to: pathBelow(to.directory, to.name), strategy, rule: 131 })
  if (strategy === 'leave-whiteout' || strategy === 'exchange-whiteout') {
    mount.trace({ kind: 'whiteout', path, rule: 131 })
  }
}
