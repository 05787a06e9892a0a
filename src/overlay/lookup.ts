// What a name stands for: the upper layer first, then the lower ones from the top, until something ends the search
// (rules 1, 2, 62, 68-76). fs/overlayfs/namei.c: ovl_lookup(). How one layer is searched is search.ts.
import { FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { readRedirect } from './redirect.ts'
import { lookupIndex } from './index-entries.ts'
import { getInode } from './inode-table.ts'
import {
  followsRedirects,
  indexesAll,
  type LowerObject,
  OverlayDentry,
  type OverlayInode,
  type OverlayMount,
  pathBelow,
  rootOf,
} from './model.ts'
import { setImpure } from './opaque.ts'
import { findOrigin, hasOriginMark, matchesOrigin, originHandle, setOrigin } from './origin.ts'
import { isMetacopyFile, Search } from './search.ts'
import { namesDigest } from './verity.ts'

/** What a name stands for, null for nothing. Errors: EPERM, EIO, EINVAL, EACCES, ELOOP, ESTALE (rules 33, 58, 73-75). */
export function lookupName(mount: OverlayMount, directory: OverlayDentry, name: string): OverlayDentry | null {
  const known = directory.children?.get(name)
  if (known === undefined) return lookupLayers(mount, directory, name)
  return typeof known === 'string' ? null : known
}

/** True for a name that the upper layer hides by a whiteout. The name has been looked up. */
export function isUpperWhiteout(directory: OverlayDentry, name: string): boolean {
  return directory.children?.get(name) === 'whiteout'
}

/** Keeps what a name stands for. */
export function remember(directory: OverlayDentry, name: string, found: OverlayDentry | 'missing' | 'whiteout'): void {
  directory.children ??= new Map()
  directory.children.set(name, found)
}

/** A name is to be looked up anew. */
export function forget(directory: OverlayDentry, name: string): void {
  directory.children?.delete(name)
}

/** What the layers had: the state of ovl_lookup() between its steps. */
type Found = {
  upper: Inode | null
  /** The directory of the upper layer, or the whiteout, hides what is beneath. */
  isUpperOpaque: boolean
  isUpperMetacopy: boolean
  redirect: string | null
  readonly lower: LowerObject[]
  /** What an upper file was copied up from, by its overlay.origin. */
  origin: LowerObject | null
  /** The lower object whose index entry counts. */
  indexed: LowerObject | null
}

function lookupLayers(mount: OverlayMount, directory: OverlayDentry, name: string): OverlayDentry | null {
  const search = new Search(mount, directory, name)
  const found: Found = {
    upper: null,
    isUpperOpaque: false,
    isUpperMetacopy: false,
    redirect: null,
    lower: [],
    origin: null,
    indexed: null,
  }
  searchUpper(search, found)
  if (!search.stop) searchLowers(search, found)
  const lazyDataRedirect = settleData(search, found)
  return instantiate(search, found, lazyDataRedirect)
}

function searchUpper(search: Search, found: Found): void {
  const { mount, directory } = search
  const above = directory.inode.upper
  if (above === null || mount.upper === null) return
  const upper = search.layer(mount.upper, above)
  if (upper !== null && !search.isDirectory) {
    found.origin = findOrigin(mount, upper, upper.type)
    found.isUpperMetacopy = search.metacopy
  }
  found.upper = upper
  found.redirect = search.redirect
  found.isUpperOpaque = search.isOpaque
}

function searchLowers(search: Search, found: Found): void {
  const { mount, directory } = search
  const root = rootOf(directory).inode.lower
  let lowers = search.redirect?.startsWith('/') === true ? root : directory.inode.lower
  for (let at = 0; !search.stop && at < lowers.length; at++) {
    const below = lowers[at]
    if (below === undefined) break
    checkFollowing(search)
    if (!followsRedirects(mount) && mount.dataLayers.length === 0) search.isLast = at === lowers.length - 1
    else if (search.isDirectory || mount.dataLayers.length === 0) search.isLast = below.layer.index === root.length
    const inode = search.layer(below.layer, below.inode)
    if (inode === null) continue
    const lower: LowerObject = { layer: below.layer, inode }
    if (!acceptLower(search, found, lower)) break
    // Of several metacopies only the top one is kept: it has the metadata.
    if (!search.metacopy || found.lower.length === 0) found.lower.push(lower)
    if (search.redirect?.startsWith('/') === true && lowers !== root) {
      lowers = root
      at = below.layer.index - 1
    }
  }
}

/**
 * What was found says to go on, or to go elsewhere, which the mount may not do. Data-only layers are exempt: whoever
 * gives one wants it used (Linux 6.16, ovl_check_follow_redirect()).
 */
function checkFollowing(search: Search): void {
  const { mount } = search
  if (search.metacopy && !mount.config.metacopy) refuse(search, 75)
  if (search.redirect !== null && !followsRedirects(mount)) refuse(search, 73)
}

/** The first lower object beneath an upper one: false ends the search. */
function acceptLower(search: Search, found: Found, lower: LowerObject): boolean {
  const { mount } = search
  const { upper } = found
  if (upper === null || found.lower.length > 0) return true
  if (search.isDirectory && !mount.hasNoXattrs) repairOrigin(search, upper, lower)
  const isVerified = search.isDirectory ? indexesAll(mount) : mount.config.index && found.origin !== null
  if (!isVerified) return true
  if (matchesOrigin(mount, upper, lower)) {
    found.indexed = lower
    return true
  }
  if (search.isDirectory) return false
  throw new FsError('ESTALE', 'lookup')
}

/** A merged directory remembers what it was copied up from, even if it was not (rule 62). */
function repairOrigin({ mount, directory, name }: Search, upper: Inode, lower: LowerObject): void {
  if (mount.upper === null || hasOriginMark(mount, mount.upper, upper)) return
  setOrigin(mount, upper, originHandle(mount, lower))
  mount.trace?.({ kind: 'origin', path: pathBelow(directory, name), reason: 'merged without one', rule: 62 })
  setImpure(mount, directory)
}

/** Whether the data of a metacopy was found. Returns where data-only layers may have it (rule 76). */
function settleData(search: Search, found: Found): string | null {
  const { mount } = search
  let lazyDataRedirect: string | null = null
  const hasLower = found.lower.length > 0
  if (search.metacopy && hasLower && mount.dataLayers.length > 0 && search.isAbsoluteRedirect) {
    search.metacopy = false
    lazyDataRedirect = search.redirect
  } else checkFollowing(search)
  if (search.metacopy || (found.isUpperMetacopy && !hasLower)) {
    search.refused('EIO', 75)
    throw new FsError('EIO', 'lookup')
  }
  if (!search.isDirectory && found.upper !== null && !hasLower && found.origin !== null) {
    found.lower.push(found.origin)
    found.indexed = found.origin
  }
  return lazyDataRedirect
}

function instantiate(search: Search, found: Found, lazyDataRedirect: string | null): OverlayDentry | null {
  const { mount, directory, name } = search
  const [first] = found.lower
  if (found.upper === null && first !== undefined) found.indexed = first
  const index = findIndex(search, found)
  const hasAlias = found.upper !== null
  // Of a file's names the one in the index stays as long as any.
  const upper = index !== null && !search.isDirectory ? index : found.upper
  if (upper === null && first === undefined) {
    remember(directory, name, found.isUpperOpaque ? 'whiteout' : 'missing')
    return null
  }
  if (index !== null && !hasAlias && mount.upper !== null) {
    found.redirect = readRedirect(mount, mount.upper, index)
    found.isUpperMetacopy = isMetacopyFile(mount, mount.upper, index)
    search.metacopy = found.isUpperMetacopy
    search.redirect ??= found.redirect
    checkFollowing(search)
  }
  const inode = getInode(mount, {
    upper,
    lower: found.lower,
    isIndexed: index !== null,
    redirect: found.redirect,
    lazyDataRedirect,
  })
  if (upper !== null && !found.isUpperMetacopy) inode.hasUpperData = true
  if (mount.config.verity !== 'off' && hasDigest(search, found, upper)) inode.hasDigest = true
  const dentry = spliced(inode, directory, name) ?? new OverlayDentry(directory, name, inode)
  dentry.isOpaque = found.isUpperOpaque
  dentry.hasUpperAlias = hasAlias
  dentry.hasXattrWhiteouts = search.hasXattrWhiteouts
  remember(directory, name, dentry)
  return dentry
}

/** Of several metacopies the top one has the metadata, the digest too. */
function hasDigest({ mount, isDirectory }: Search, found: Found, upper: Inode | null): boolean {
  if (isDirectory) return false
  const [first] = found.lower
  if (upper === null) return first !== undefined && namesDigest(mount, first.layer, first.inode)
  return mount.upper !== null && found.isUpperMetacopy && namesDigest(mount, mount.upper, upper)
}

/**
 * A directory has one name at a time: found under another one, by way of a redirect, it moves there (d_splice_alias()).
 * Errors: ELOOP where that would put it into itself.
 */
function spliced(inode: OverlayInode, directory: OverlayDentry, name: string): OverlayDentry | null {
  const known = inode.type === 'dir' ? inode.name : null
  if (known === null) return null
  for (let at = directory; at.parent !== at; at = at.parent) if (at === known) throw new FsError('ELOOP', 'lookup')
  forget(known.parent, known.name)
  known.parent = directory
  known.name = name
  return known
}

function findIndex({ mount, isDirectory }: Search, { upper, indexed }: Found): Inode | null {
  if (indexed === null || !mount.config.index || mount.work === null) return null
  return isDirectory && !indexesAll(mount) ? null : lookupIndex(mount, upper, indexed)
}

function refuse(search: Search, rule: number): never {
  search.refused('EPERM', rule)
  throw new FsError('EPERM', 'lookup')
}
