// All or nothing: a bundle is built in a workspace beside its destination and appears there by one rename. Whatever
// happens before that, the destination is untouched and the workspace is removed.

import * as fs from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { isCode, OvlError, quote, type Warn } from '../errors/index.ts'
import {
  AT_FDCWD,
  clearLeftovers,
  diagnoseWriteError,
  isInside,
  loadSystem,
  readMounts,
  RENAME_EXCHANGE,
  removeTree,
  removeWorkspace,
  workspaceMark,
  workspaceName,
} from '../host/index.ts'

/** How an existing destination is treated: refused, replaced if it is a bundle of ovl's, or replaced whatever it is. */
export type Force = 'no' | 'bundle' | 'any'

/** Where a bundle is to be. */
export type Destination = {
  /** As the user gave it, for messages. */
  readonly shownAs: string
  /** Absolute; a symlink in the last place is followed. */
  readonly path: string
  readonly exists: boolean
  /** Something is there that would be replaced. */
  readonly hasContent: boolean
  /** The destination is a mount point: it cannot be renamed, so the workspace is inside it. */
  readonly isMountPoint: boolean
}

/** The directory in which a bundle is built. */
export type Workspace = { readonly path: string; readonly destination: Destination }

const stateFile = 'ovl.json'

/**
 * Looks at the destination before anything is written.
 *
 * Errors: DEST_EXISTS when it is there and not empty and `force` does not cover it; INPUT_NOT_FOUND when its parent
 * directory does not exist.
 */
export function checkDestination(shownAs: string, force: Force): Destination {
  const path = followLink(resolve(shownAs))
  const parent = dirname(path)
  const parentStat = fs.statSync(parent, { throwIfNoEntry: false })
  if (parentStat === undefined || !parentStat.isDirectory()) {
    throw new OvlError('INPUT_NOT_FOUND', `Cannot write bundle ${shownAs}: the directory ${parent} does not exist`, {
      data: { path: parent },
    })
  }
  const stat = fs.lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return { shownAs, path, exists: false, hasContent: false, isMountPoint: false }
  if (!stat.isDirectory()) {
    if (force !== 'any') throw inTheWay(shownAs, 'it exists and is no directory')
    return { shownAs, path, exists: true, hasContent: true, isMountPoint: false }
  }
  const isMountPoint = stat.dev !== parentStat.dev
  // Into a mount point a run builds inside: what a killed one left is not the user's content.
  const names = fs.readdirSync(path).filter(name => !isMountPoint || !name.startsWith(workspaceMark))
  const isBundle = names.includes(stateFile)
  const mayReplace = names.length === 0 || force === 'any' || (force === 'bundle' && isBundle)
  if (!mayReplace) throw inTheWay(shownAs, `it exists and is not empty (${summarise(names)})`, { isBundle, force })
  refuseMounts(shownAs, path)
  return { shownAs, path, exists: true, hasContent: names.length > 0, isMountPoint }
}

/** What is mounted inside would stay mounted, out of sight. */
function refuseMounts(shownAs: string, path: string): void {
  const inside = readMounts().find(({ mountPoint }) => mountPoint !== path && isInside(mountPoint, path))
  if (inside === undefined) return
  throw new OvlError('DEST_EXISTS', `Cannot replace bundle ${shownAs}: ${quote(inside.mountPoint)} is mounted`, {
    hint: `ovl umount ${shownAs}`,
    data: { path: shownAs, mountPoint: inside.mountPoint },
  })
}

/** Makes the workspace, mode 0700 and without anything inherited; names what killed runs have left beside it. */
export async function createWorkspace(
  destination: Destination,
  { force, warn }: { readonly force: Force; readonly warn: Warn },
): Promise<Workspace> {
  const { path, isMountPoint } = destination
  const [directory, start] = isMountPoint ? [path, ''] : [dirname(path), basename(path)]
  const workspace = join(directory, workspaceName(start))
  try {
    await clearLeftovers({ directory, start }, { remove: force !== 'no', warn })
    fs.mkdirSync(workspace, { mode: 0o700 })
    dropInherited(workspace)
  } catch (error) {
    throw cannotWrite(destination, error)
  }
  return { path: workspace, destination }
}

/** Moves the finished workspace to its destination; what was there is removed afterwards. */
export async function publish({ path, destination }: Workspace): Promise<void> {
  try {
    if (destination.isMountPoint) return await publishInside(path, destination.path)
    const isReplaced = destination.exists && !isEmptyDirectory(destination.path)
    if (!isReplaced) return fs.renameSync(path, destination.path) // rename(2) replaces an empty directory
    exchange(path, destination.path)
    await removeTree(path)
  } catch (error) {
    const isTaken = ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].some(code => isCode(error, code))
    const isBundle = fs.existsSync(join(destination.path, stateFile))
    if (isTaken) throw inTheWay(destination.shownAs, 'something else was made there in the meantime', { isBundle })
    throw cannotWrite(destination, error)
  }
}

/** Removes the workspace and everything in it; warns about what this user cannot remove. */
export async function discard({ path }: Workspace, warn: Warn): Promise<void> {
  await removeWorkspace(path, warn)
}

function cannotWrite({ shownAs, path, isMountPoint }: Destination, error: unknown): unknown {
  return diagnoseWriteError(error, { object: `bundle ${shownAs}`, path: isMountPoint ? path : dirname(path) })
}

function followLink(path: string): string {
  if (fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path
  try {
    return fs.realpathSync(path)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return resolve(dirname(path), fs.readlinkSync(path)) // dangling: made where it points
    throw error
  }
}

function inTheWay(
  shownAs: string,
  fact: string,
  { isBundle, force }: { readonly isBundle?: boolean; readonly force?: Force } = {},
): OvlError {
  const other = 'choose another directory'
  const hint =
    isBundle === true
      ? `${other}, or add --force to replace it`
      : force === 'bundle'
        ? `${other}; it carries no ${stateFile}, so only --force=any replaces it`
        : `${other}; it was not made by ovl, so only --force=any replaces it`
  return new OvlError('DEST_EXISTS', `Cannot write bundle ${shownAs}: ${fact}`, { hint, data: { path: shownAs } })
}

function summarise(names: readonly string[]): string {
  const shown = names.slice(0, 3).map(name => quote(name).slice(1, -1))
  return names.length > shown.length ? `${shown.join(', ')} …` : shown.join(', ')
}

/** A setgid bit or a default ACL of the parent directory would be passed on to every file of the tree. */
function dropInherited(workspace: string): void {
  fs.chmodSync(workspace, 0o700)
  const system = loadSystem()
  if (system === null) return
  try {
    system.lremovexattr(workspace, 'system.posix_acl_default')
  } catch (error) {
    if (!isCode(error, 'ENODATA') && !isCode(error, 'ENOTSUP') && !isCode(error, 'EOPNOTSUPP')) throw error
  }
}

function isEmptyDirectory(path: string): boolean {
  return fs.lstatSync(path).isDirectory() && fs.readdirSync(path).length === 0
}

/** Swaps two names: atomically where the kernel can, so that the destination is never missing. */
function exchange(path: string, other: string): void {
  const system = loadSystem()
  try {
    if (system !== null) return system.renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE)
  } catch (error) {
    if (!isCode(error, 'EINVAL') && !isCode(error, 'ENOSYS')) throw error // this file system cannot exchange
  }
  const aside = `${path}-old`
  fs.renameSync(other, aside)
  fs.renameSync(path, other)
  fs.renameSync(aside, path)
}

/** Into a mount point the parts are moved one by one, the state file last: its presence says that all is there. */
async function publishInside(workspace: string, destination: string): Promise<void> {
  for (const name of fs.readdirSync(destination))
    if (!name.startsWith(workspaceMark)) await removeTree(join(destination, name))
  const names = fs.readdirSync(workspace).toSorted((a, b) => Number(a === stateFile) - Number(b === stateFile))
  fs.chmodSync(destination, 0o700) // as private as a bundle that was made by rename
  for (const name of names) fs.renameSync(join(workspace, name), join(destination, name))
  fs.rmdirSync(workspace)
}
