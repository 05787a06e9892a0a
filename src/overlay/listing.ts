// The names of a directory that several layers make up, and which of them are hidden (rules 79, 82, 126).
// fs/overlayfs/readdir.c: ovl_dir_read_merged(), ovl_fill_lowest(), ovl_check_whiteouts(), ovl_check_empty_dir().
import { FsError } from '../errors/index.ts'
import type { DirectoryEntry, FileType, Inode } from '../fs/index.ts'
import { accessFlags, type Layer, type OverlayDentry, type OverlayMount, xinoBits } from './model.ts'
import { isDeviceWhiteout } from './work-place.ts'

/** A name of a merged directory: struct ovl_cache_entry. */
export type ListedName = {
  readonly name: string
  /** That of the top-most layer that has the name. */
  readonly type: FileType
  readonly realIno: bigint
  /** d_ino; null: to be found when the name is first shown. */
  ino: bigint | null
  readonly isUpper: boolean
  isWhiteout: boolean
  /** Only a lookup tells. */
  readonly mayBeXattrWhiteout: boolean
}

/** All names of a merged directory, hidden ones too, in the order in which they are shown. */
export function readMerged(mount: OverlayMount, dentry: OverlayDentry): readonly ListedName[] {
  const { inode } = dentry
  const upperNames = new Map<string, ListedName>()
  const lastLower = inode.lower.length - 1
  if (inode.upper !== null && mount.upper !== null) {
    const top = { layer: mount.upper, inode: inode.upper }
    if (lastLower < 0) return readLowest(mount, { dentry, member: top, upperNames })
    for (const entry of rawEntries(top)) upperNames.set(entry.name, listed(mount, { dentry, member: top, entry }))
  }
  for (const [at, member] of inode.lower.entries()) {
    if (at === lastLower) return readLowest(mount, { dentry, member, upperNames })
    for (const entry of rawEntries(member)) {
      if (!upperNames.has(entry.name)) upperNames.set(entry.name, listed(mount, { dentry, member, entry }))
    }
  }
  return []
}

/**
 * Refuses a directory that shows anything. Returns the whiteouts of the upper layer in it, which have to go before
 * it can. Errors: ENOTEMPTY.
 */
export function checkEmpty(mount: OverlayMount, dentry: OverlayDentry): readonly string[] {
  const whiteouts: string[] = []
  for (const { name, isWhiteout, isUpper } of readMerged(mount, dentry)) {
    if (isWhiteout && isUpper) whiteouts.push(name)
    else if (!isWhiteout && name !== '.' && name !== '..') throw new FsError('ENOTEMPTY', 'rmdir')
  }
  return whiteouts
}

type Member = { readonly layer: Layer; readonly inode: Inode }

/** The entries of one layer's directory. */
export function rawEntries({ layer, inode }: Member): readonly DirectoryEntry[] {
  const directory = layer.superBlock.openDirectory(inode, accessFlags(layer))
  try {
    return directory.entries()
  } finally {
    directory.close()
  }
}

type Reading = { readonly dentry: OverlayDentry; readonly member: Member; readonly upperNames: Map<string, ListedName> }

/** The lowest layer's order comes first, so that offsets stay much the same whatever is put above. */
function readLowest(mount: OverlayMount, { dentry, member, upperNames }: Reading): readonly ListedName[] {
  const names: ListedName[] = []
  const raw = rawEntries(member)
  for (const entry of raw) {
    const above = upperNames.size === 0 ? undefined : upperNames.get(entry.name)
    if (above === undefined) names.push(listed(mount, { dentry, member, entry }))
    else {
      upperNames.delete(entry.name)
      names.push(above)
    }
  }
  for (const name of upperNames.values()) names.push(name)
  return names
}

type Raw = { readonly dentry: OverlayDentry; readonly member: Member; readonly entry: DirectoryEntry }

function listed(mount: OverlayMount, raw: Raw): ListedName {
  const { dentry, member, entry } = raw
  const { name, type, ino } = entry
  const isUpper = member.layer.role === 'upper'
  return {
    name,
    type,
    realIno: ino,
    ino: hasOwnIno(mount, raw, isUpper) ? null : ino,
    isUpper,
    isWhiteout: type === 'char' && isWhiteoutIn(member, name),
    mayBeXattrWhiteout: type === 'file' && member.layer.hasXattrWhiteouts && dentry.hasXattrWhiteouts,
  }
}

/** The overlay shows another number than the layer (ovl_calc_d_ino()). */
function hasOwnIno(mount: OverlayMount, { dentry, entry }: Raw, isUpper: boolean): boolean {
  if (xinoBits(mount) > 0 || entry.name === '..') return true
  return isUpper && (entry.name === '.' || dentry.inode.isImpure)
}

function isWhiteoutIn({ layer, inode }: Member, name: string): boolean {
  const found = layer.superBlock.lookup(inode, name)
  return found !== null && isDeviceWhiteout(layer.superBlock, found)
}
