// Copying a lower object to the upper layer before it changes (rules 93-108): which objects, in what order. How one is
// copied is copy-up-object.ts and copy-up-data.ts. fs/overlayfs/copy_up.c: ovl_copy_up_flags(), ovl_copy_up_one(),
// ovl_do_copy_up(), ovl_link_up().
import { FsError } from '../errors/index.ts'
import { type Inode, O_ACCMODE, O_RDONLY, O_TRUNC, O_WRONLY, type Stat } from '../fs/index.ts'
import { copyUpDataInPlace } from './copy-up-data.ts'
import { copyUpObject, type CopyUpSource } from './copy-up-object.ts'
import { indexNameOf, needsIndex, setNlinkLower, setNlinkUpper } from './index-entries.ts'
import { settleData } from './lazy-data.ts'
import { upperOf } from './marks.ts'
import { hasUpperData, type OverlayDentry, type OverlayMount, pathOf } from './model.ts'
import { setImpure } from './opaque.ts'
import { originHandle } from './origin.ts'
import { workOf } from './work-place.ts'

/** Why something is copied up, for traces, and the flags that it is about to be opened with: 0 for metadata alone. */
export type CopyUpCause = { readonly reason: string; readonly flags: number }

/** Some causes that every operation knows. */
export const copyUpCauses = {
  newName: { reason: 'a name in it changes', flags: 0 },
  metadata: { reason: 'its metadata changes', flags: 0 },
  size: { reason: 'its size changes', flags: O_WRONLY },
  attribute: { reason: 'an attribute changes', flags: 0 },
  flags: { reason: 'its flags change', flags: 0 },
  link: { reason: 'it gets another name', flags: 0 },
  rename: { reason: 'it is renamed', flags: 0 },
  index: { reason: 'the index has to count its names', flags: 0 },
} as const satisfies { readonly [name: string]: CopyUpCause }

/**
 * Copies what is not in the upper layer yet: missing parents from the top, then the object.
 * Errors: EROFS, ENOSPC, EEXIST (rule 130), EIO.
 */
export function copyUp(mount: OverlayMount, dentry: OverlayDentry, cause: CopyUpCause): void {
  settleData(mount, dentry)
  while (!isCopiedUp(dentry, cause.flags)) {
    let next = dentry
    while (next.parent.inode.upper === null && next.parent !== next) next = next.parent
    copyUpOne(mount, next, cause)
  }
}

/** True when nothing is left to copy for an open with `flags` (ovl_already_copied_up()). */
export function isCopiedUp({ inode, hasUpperAlias }: OverlayDentry, flags: number): boolean {
  return inode.upper !== null && hasUpperAlias && (!needsUpper(flags) || hasUpperData(inode))
}

/** Whether an open changes a file (ovl_open_flags_need_copy_up()). */
export function needsUpper(flags: number): boolean {
  return (flags & O_ACCMODE) !== O_RDONLY || (flags & O_TRUNC) !== 0
}

function copyUpOne(mount: OverlayMount, dentry: OverlayDentry, cause: CopyUpCause): void {
  const { flags } = cause
  const { inode, parent } = dentry
  workOf(mount)
  const upper = upperOf(mount)
  const parentUpper = parent.inode.upper
  const [lower] = inode.lower
  if (parentUpper === null) throw new FsError('EROFS', 'copy-up')
  if (inode.upper === null) {
    if (lower === undefined) throw new FsError('ESTALE', 'copy-up')
    const stat = lower.layer.superBlock.stat(lower.inode)
    const isMetacopy = needsNoData(mount, dentry, flags)
    doCopyUp(mount, {
      cause,
      dentry,
      lower,
      stat,
      sizeBytes: (flags & O_TRUNC) === 0 ? stat.sizeBytes : 0,
      isMetacopy,
      parentUpper,
      parentStat: upper.superBlock.stat(parentUpper),
    })
  }
  if (!dentry.hasUpperAlias && parent !== dentry) linkUp(mount, dentry, upper.superBlock.stat(parentUpper))
  if (needsUpper(flags) && !inode.hasUpperData) copyUpDataInPlace(mount, dentry, flags)
}

/** metacopy=on: a change of metadata leaves the data below (rule 106). */
function needsNoData({ config }: OverlayMount, { inode }: OverlayDentry, flags: number): boolean {
  if (!config.metacopy || inode.type !== 'file' || needsUpper(flags)) return false
  // No file has the digest that is required.
  return config.verity !== 'require'
}

type PlannedCopyUp = CopyUpSource & {
  readonly cause: CopyUpCause
  readonly parentUpper: Inode
  readonly parentStat: Stat
}

function doCopyUp(mount: OverlayMount, plan: PlannedCopyUp): void {
  const { dentry, lower, stat, parentUpper } = plan
  const { inode } = dentry
  const isDirectory = inode.type === 'dir'
  const isIndexed = needsIndex(mount, inode)
  const goesToIndex = isIndexed && !isDirectory
  const work = workOf(mount)
  const keepsOrigin = isDirectory || stat.nlink === 1 || goesToIndex
  const origin = keepsOrigin ? { handle: originHandle(mount, lower) } : null
  if (inode.key === null) inode.keepsLowerIno = isDirectory || stat.nlink === 1 || mount.config.index
  if (!goesToIndex) setImpure(mount, dentry.parent)
  const target = goesToIndex
    ? { dir: work.directory, name: indexNameOf(mount, lower) }
    : { dir: parentUpper, name: dentry.name }
  tell(mount, plan)
  copyUpObject(mount, { source: plan, target, work, origin, isIndexed })
  if (isIndexed) inode.isIndexed = true
  if (goesToIndex) setNlinkUpper(mount, inode)
  else {
    restoreTimes(mount, parentUpper, plan.parentStat)
    dentry.hasUpperAlias = true
  }
}

/** One more name, in the upper layer, of a file that the index has (rule 103). */
function linkUp(mount: OverlayMount, dentry: OverlayDentry, parentStat: Stat): void {
  const { inode, parent, name } = dentry
  const { superBlock } = upperOf(mount)
  const directory = parent.inode.upper
  if (inode.upper === null || directory === null) throw new FsError('EROFS', 'copy-up')
  setImpure(mount, parent)
  setNlinkLower(mount, inode)
  if (superBlock.lookup(directory, name) !== null) throw new FsError('EEXIST', 'link')
  // The index has the name that stays.
  superBlock.link(inode.upper, directory, name)
  restoreTimes(mount, directory, parentStat)
  dentry.hasUpperAlias = true
  setNlinkUpper(mount, inode)
}

/** The directory does not look changed: it got what it had (rule 98). Best effort, as in the kernel. */
function restoreTimes(mount: OverlayMount, directory: Inode, { atimeNs, mtimeNs }: Stat): void {
  try {
    upperOf(mount).superBlock.change(directory, { atimeNs, mtimeNs })
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}

function tell(mount: OverlayMount, { cause, dentry, lower, sizeBytes, isMetacopy }: PlannedCopyUp): void {
  if (mount.trace === null) return
  const { type } = dentry.inode
  mount.trace({
    kind: 'copy-up',
    path: pathOf(dentry),
    type,
    layer: lower.layer.index,
    reason: cause.reason,
    dataBytes: type === 'file' && !isMetacopy ? sizeBytes : 0,
    metacopy: isMetacopy,
    rule: isMetacopy ? 106 : type === 'dir' ? 97 : 98,
  })
}
