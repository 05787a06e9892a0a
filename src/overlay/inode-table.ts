// Which object a name stands for: names that lead to one object of a layer share one object of the overlay
// (fs/overlayfs/inode.c: ovl_get_inode(), ovl_hash_bylower(), ovl_verify_inode(), ovl_lookup_trap_inode()). Rules 33,
// 74, 103.
//
// Directories are always in the table, since a redirect can lead to one that is in use elsewhere. Files are there when
// several names can lead to them; the rest would be found by nobody.
import { FsError } from '../errors/index.ts'
import type { Inode, SuperBlock } from '../fs/index.ts'
import { unionNlink } from './index-entries.ts'
import { getMark, isYes } from './marks.ts'
import { type InodeKey, type LowerObject, OverlayDentry, OverlayInode, type OverlayMount } from './model.ts'
import { hasOriginMark } from './origin.ts'
import { keepOwnership } from './ownership.ts'
import { mapIno } from './stat.ts'

/** What lookup found for a name. One of `upper` and `lower` holds something. */
export type InodeParts = {
  readonly upper: Inode | null
  readonly lower: readonly LowerObject[]
  /** `upper` is in the index. */
  readonly isIndexed: boolean
  readonly redirect: string | null
  readonly lazyDataRedirect: string | null
}

/** The object for what lookup found: the one in use if there is one. Errors: ESTALE (rule 74). */
export function getInode(mount: OverlayMount, parts: InodeParts): OverlayInode {
  const { upper, lower } = parts
  const real = upper ?? lower[0]?.inode
  if (real === undefined) throw new FsError('ESTALE', 'lookup')
  const place = placeOf(mount, parts)
  if (place?.isHashed === true) {
    const known = mount.inodes.get(place.superBlock)?.get(place.ino)
    if (known !== undefined) {
      if (!matches(mount, known, parts)) throw new FsError('ESTALE', 'lookup')
      // This name is there; the one that it was known by may not be.
      if (known.upper !== null && upper !== null) known.upper = upper
      return known
    }
  }
  const inode = new OverlayInode(real.type, upper, lower)
  inode.redirect = parts.redirect
  inode.lazyDataRedirect = parts.lazyDataRedirect
  inode.isIndexed = parts.isIndexed
  if (place !== null) {
    inode.keepsLowerIno = place.isByLower
    if (place.isHashed) insert(mount, inode, place)
  }
  if (real.type === 'dir') fillDirectory(mount, inode, place)
  else if (place?.isHashed === true) {
    const nlink = realNlink(mount, inode)
    inode.nlink = unionNlink(mount, inode, nlink)
    if (upper !== null && nlink > 1) keepOwnership(mount, inode)
  }
  return inode
}

/** Lets a file be found by names that are made of it later. */
export function makeFindable(mount: OverlayMount, inode: OverlayInode): void {
  if (inode.key !== null) return
  const [origin] = inode.lower
  if (inode.keepsLowerIno && origin !== undefined) {
    const { superBlock } = origin.layer
    insert(mount, inode, { superBlock, ino: superBlock.stat(origin.inode).ino })
  } else if (inode.upper !== null && mount.upper !== null) {
    const { superBlock } = mount.upper
    insert(mount, inode, { superBlock, ino: superBlock.stat(inode.upper).ino })
  }
}

/**
 * A redirect in a lower layer leads to what another path may have shown before: from now on files are looked for in
 * the table, and those that are known have to be there.
 */
export function noteLowerRedirect(mount: OverlayMount, root: OverlayDentry): void {
  if (mount.hasLowerRedirects) return
  mount.hasLowerRedirects = true
  const directories = [root]
  for (let at = directories.pop(); at !== undefined; at = directories.pop()) {
    for (const child of at.children?.values() ?? []) {
      if (typeof child === 'string') continue
      if (child.type === 'dir') directories.push(child)
      else findLowerFile(mount, child.inode)
    }
  }
}

function findLowerFile(mount: OverlayMount, inode: OverlayInode): void {
  const [first] = inode.lower
  if (inode.upper !== null || first === undefined) return makeFindable(mount, inode)
  const { nlink } = first.layer.superBlock.stat(first.inode)
  if (nlink > 1 && mount.upper !== null) return
  inode.keepsLowerIno = true
  makeFindable(mount, inode)
}

/** True for a directory that is the root of a layer or of the workdir: nothing may lead there (rule 33). */
export function isTrap(mount: OverlayMount, superBlock: SuperBlock, directory: Inode): boolean {
  const traps = mount.traps.get(superBlock)
  return traps !== undefined && traps.size > 0 && traps.has(superBlock.stat(directory).ino)
}

/** A name no longer leads to its object: d_drop(). Open files may. */
export function dropDentry(mount: OverlayMount, dentry: OverlayDentry): void {
  if (dentry.isDropped) return
  dentry.isDropped = true
  const { children } = dentry.parent
  if (children?.get(dentry.name) === dentry) children.delete(dentry.name)
  forgetName(dentry)
  forgetUnused(mount, dentry.inode)
}

/**
 * A name of the upper layer was removed. The object stands for one of its names (see `Inode`): if it was this one, for
 * another from now on.
 */
export function keepUpper(mount: OverlayMount, inode: OverlayInode): void {
  const { name, upper, isIndexed } = inode
  // The entry in the index stays as long as any name.
  if (name === null || upper === null || mount.upper === null || isIndexed || inode.type === 'dir') return
  const directory = name.parent.inode.upper
  if (directory === null || !name.hasUpperAlias) return
  const other = mount.upper.superBlock.lookup(directory, name.name)
  if (other !== null && mount.upper.superBlock.isSame(other, upper)) inode.upper = other
}

function forgetName(dentry: OverlayDentry): void {
  const { inode } = dentry
  inode.names--
  if (inode.name !== dentry) return void inode.moreNames?.delete(dentry)
  inode.name = null
  for (const other of inode.moreNames ?? []) {
    inode.name = other
    inode.moreNames?.delete(other)
    break
  }
}

/**
 * The upper object is about to lose a name, maybe its last: what is open goes on using it, and so does a name of the
 * lower object that shares it (a redirect of a metacopy leads there): in the kernel's cache it stands for what was removed.
 */
export function holdUpper(mount: OverlayMount, inode: OverlayInode): void {
  if (inode.upper === null || inode.releaseUpper !== null || !isUsed(inode)) return
  inode.releaseUpper = mount.upper?.superBlock.hold?.(inode.upper) ?? null
}

/** An open file or directory is closed. */
export function closeInode(mount: OverlayMount, inode: OverlayInode): void {
  inode.opened--
  if (!isUsed(inode)) releaseUpper(inode)
  forgetUnused(mount, inode)
}

/** Open, or known by a name that the upper layer does not have. */
function isUsed({ opened, name, moreNames }: OverlayInode): boolean {
  if (opened > 0 || name?.hasUpperAlias === false) return true
  for (const other of moreNames ?? []) if (!other.hasUpperAlias) return true
  return false
}

/** The overlay is unmounted: only what is open still is to be used. */
export function releaseNames(mount: OverlayMount): void {
  for (const table of mount.inodes.values()) {
    for (const inode of table.values()) if (inode.opened === 0) releaseUpper(inode)
  }
}

function releaseUpper(inode: OverlayInode): void {
  inode.releaseUpper?.()
  inode.releaseUpper = null
}

function forgetUnused(mount: OverlayMount, inode: OverlayInode): void {
  const { key } = inode
  if (inode.names === 0 && inode.opened === 0) releaseUpper(inode)
  if (inode.names > 0 || inode.opened > 0 || key === null) return
  mount.inodes.get(key.superBlock)?.delete(key.ino)
  inode.key = null
}

type Place = InodeKey & { readonly isByLower: boolean; readonly isHashed: boolean; readonly fsid: number }

/** Null: a lower file, which only an index or a metacopy would have several names lead to. */
function placeOf(mount: OverlayMount, parts: InodeParts): Place | null {
  const { upper, lower } = parts
  const [first] = lower
  const isDirectory = (upper ?? first?.inode)?.type === 'dir'
  const mayBeShared = isDirectory || mount.config.index || mount.config.metacopy || mount.hasLowerRedirects
  if (upper === null && !mayBeShared) return null
  const below = first === undefined ? null : first.layer.superBlock.stat(first.inode)
  const isByLower = below !== null && isFoundByLower(mount, parts, isDirectory ? 1 : below.nlink)
  if (isByLower && first !== undefined && below !== null) {
    const { superBlock, fileSystem } = first.layer
    const isHashed = mayBeShared || upperNlink(mount, upper) > 1
    return { superBlock, ino: below.ino, isByLower, isHashed, fsid: fileSystem.fsid }
  }
  if (upper === null || mount.upper === null) return null
  const { superBlock } = mount.upper
  const above = superBlock.stat(upper)
  return { superBlock, ino: above.ino, isByLower, isHashed: mayBeShared || above.nlink > 1, fsid: 0 }
}

function isFoundByLower(mount: OverlayMount, { upper, isIndexed }: InodeParts, lowerNlink: number): boolean {
  if (isIndexed || mount.upper === null) return true
  // The copy of one name of a lower hard link is a file of its own, unless the index joins them.
  if ((upper !== null || !mount.config.index) && lowerNlink > 1) return false
  return !(mount.config.nfsExport && upper !== null)
}

function realNlink(mount: OverlayMount, { upper, lower }: OverlayInode): number {
  if (upper !== null) return upperNlink(mount, upper)
  const [first] = lower
  return first === undefined ? 1 : first.layer.superBlock.stat(first.inode).nlink
}

function upperNlink(mount: OverlayMount, upper: Inode | null): number {
  return upper === null || mount.upper === null ? 0 : mount.upper.superBlock.stat(upper).nlink
}

function matches(mount: OverlayMount, inode: OverlayInode, { upper, lower }: InodeParts): boolean {
  const [first] = lower
  if (inode.type === 'dir') {
    if (first === undefined && inode.lower.length > 0) return false
    if (upper === null && inode.upper !== null) return false
  }
  if (first !== undefined && !isSameLower(inode.lower[0], first)) return false
  return upper === null || (inode.upper !== null && mount.upper?.superBlock.isSame(inode.upper, upper) === true)
}

function isSameLower(a: LowerObject | undefined, b: LowerObject): boolean {
  if (a === undefined) return false
  return a.layer.superBlock === b.layer.superBlock && a.layer.superBlock.isSame(a.inode, b.inode)
}

function insert(mount: OverlayMount, inode: OverlayInode, { superBlock, ino }: InodeKey): void {
  let table = mount.inodes.get(superBlock)
  if (table === undefined) {
    table = new Map()
    mount.inodes.set(superBlock, table)
  }
  table.set(ino, inode)
  inode.key = { superBlock, ino }
}

function fillDirectory(mount: OverlayMount, inode: OverlayInode, place: Place | null): void {
  const { upper, lower } = inode
  if (place !== null) mapIno(mount, inode, place)
  if (upper !== null && mount.upper !== null) {
    inode.isImpure = isYes(getMark(mount, mount.upper, { inode: upper, mark: 'impure' }))
    inode.mayHaveWhiteouts = lower.length > 0 || hasOriginMark(mount, mount.upper, upper)
    return
  }
  const [first] = lower
  inode.mayHaveWhiteouts = lower.length > 1 || (first !== undefined && hasOriginMark(mount, first.layer, first.inode))
}
