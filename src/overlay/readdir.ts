// Open directories (rules 79-84): merged ones have a list of their own, which stays as it is until the directory is
// rewound; others show what their layer has. fs/overlayfs/readdir.c: ovl_iterate(), ovl_iterate_real(),
// ovl_cache_update(), ovl_cache_get_impure(), ovl_dir_reset().
import { FsError } from '../errors/index.ts'
import type { DirectoryEntry, Inode, InodeDirectory } from '../fs/index.ts'
import { closeInode } from './inode-table.ts'
import { type ListedName, rawEntries, readMerged } from './listing.ts'
import { lookupName } from './lookup.ts'
import { removeMark } from './marks.ts'
import {
  accessFlags,
  type DirectoryListing,
  hasOrigin,
  isMerge,
  isSameDevice,
  isSameFileSystem,
  type Layer,
  type OverlayDentry,
  type OverlayInode,
  type OverlayMount,
  pathBelow,
  pathOf,
  xinoBits,
} from './model.ts'
import { remapLowerIno, statOf } from './stat.ts'

/** Names of the directory changed. `isImpure`: something with an origin came or went (ovl_dir_modified()). */
export function directoryChanged({ inode }: OverlayDentry, isImpure: boolean): void {
  if (inode.mayHaveWhiteouts || isImpure) inode.version++
}

/** Opens a directory. Errors: those of the layer. */
export function openOverlayDirectory(mount: OverlayMount, dentry: OverlayDentry): InodeDirectory {
  return new OverlayDirectory(mount, dentry)
}

/** The list of a merged directory, shared by all who have it open. */
class MergedListing implements DirectoryListing {
  readonly version: number
  readonly names: readonly ListedName[]
  users = 0

  constructor(version: number, names: readonly ListedName[]) {
    this.version = version
    this.names = names
  }
}

/** Numbers that differ from those of the upper layer, in a directory that is not merged. */
class ImpureListing implements DirectoryListing {
  readonly version: number
  readonly inos: ReadonlyMap<string, bigint>

  constructor(version: number, inos: ReadonlyMap<string, bigint>) {
    this.version = version
    this.inos = inos
  }
}

class OverlayDirectory implements InodeDirectory {
  readonly #mount: OverlayMount
  readonly #dentry: OverlayDentry
  /** The layer's own directory, of when this one was opened. */
  readonly #real: InodeDirectory
  readonly #isUpper: boolean
  #isReal: boolean
  #listing: MergedListing | null = null
  #entries: readonly DirectoryEntry[] | null = null

  constructor(mount: OverlayMount, dentry: OverlayDentry) {
    const { inode } = dentry
    this.#mount = mount
    this.#dentry = dentry
    this.#isUpper = inode.upper !== null
    const { layer, inode: real } = topMember(mount, inode)
    this.#real = layer.superBlock.openDirectory(real, accessFlags(layer))
    this.#isReal = !isMerge(dentry) && !inode.mayHaveWhiteouts
    inode.opened++
  }

  entries(): readonly DirectoryEntry[] {
    this.#entries ??= this.#isReal ? this.#readReal() : this.#readMerged()
    return this.#entries
  }

  rewind(): void {
    const { inode } = this.#dentry
    this.#entries = null
    if (this.#listing !== null && this.#listing.version !== inode.version) this.#release()
    if (this.#isReal) this.#real.rewind()
    // A lower directory that was copied up meanwhile is listed as a merged one.
    if (inode.mayHaveWhiteouts) this.#isReal = false
  }

  close(): void {
    this.#release()
    this.#real.close()
    closeInode(this.#mount, this.#dentry.inode)
  }

  #release(): void {
    const listing = this.#listing
    this.#listing = null
    if (listing === null || --listing.users > 0) return
    const { inode } = this.#dentry
    if (inode.listing === listing) inode.listing = null
  }

  #readReal(): readonly DirectoryEntry[] {
    const mount = this.#mount
    const dentry = this.#dentry
    const raw = this.#real.entries()
    const isImpure = this.#isUpper && dentry.inode.isImpure
    const isParentMerged = isMerge(dentry.parent)
    const bits = xinoBits(mount)
    if (bits <= 0 && !(isSameFileSystem(mount) && (isImpure || isParentMerged))) return raw
    const parentIno = isParentMerged ? statOf(mount, dentry.parent).ino : null
    const inos = isImpure ? impureInos(mount, dentry) : null
    const fsid = dentry.inode.lower[0]?.layer.fileSystem.fsid ?? 0
    return raw.map(entry => {
      if (parentIno !== null && entry.name === '..') return { ...entry, ino: parentIno }
      if (inos !== null) return withIno(entry, inos.get(entry.name) ?? entry.ino)
      return bits > 0 ? withIno(entry, remapLowerIno(mount, entry.ino, fsid)) : entry
    })
  }

  #readMerged(): readonly DirectoryEntry[] {
    const names = this.#names()
    const shown: DirectoryEntry[] = []
    let last: { offset: number } | null = null
    let given = 0
    for (let at = 0; at < names.length; at++) {
      const listed = names[at]
      if (listed === undefined || listed.isWhiteout) continue
      const verdict = this.#settle(listed, given)
      // A failure ends a call of getdents64 that has given something; the next one goes on behind it.
      if (verdict === 'failed') {
        if (last !== null) last.offset = at
        last = null
        given = 0
      }
      if (verdict !== 'shown') continue
      given++
      if (last !== null) last.offset = at
      const entry = { name: listed.name, type: listed.type, ino: listed.ino ?? listed.realIno, offset: 0 }
      last = entry
      shown.push(entry)
    }
    if (last !== null) last.offset = names.length
    return shown
  }

  /** Finds the number of a name, and whether it is there at all. A failure counts when it comes first (rule 84). */
  #settle(listed: ListedName, given: number): 'shown' | 'hidden' | 'failed' {
    if (listed.ino !== null && !listed.mayBeXattrWhiteout) return 'shown'
    try {
      settle(this.#mount, this.#dentry, listed)
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      const path = pathBelow(this.#dentry, listed.name)
      this.#mount.trace?.({ kind: 'refused', path, operation: 'readdir', errno: error.code, rule: 84 })
      if (given === 0) throw error
      return 'failed'
    }
    return listed.isWhiteout ? 'hidden' : 'shown'
  }

  #names(): readonly ListedName[] {
    if (this.#listing !== null) return this.#listing.names
    const { inode } = this.#dentry
    let { listing } = inode
    if (!(listing instanceof MergedListing) || listing.version !== inode.version) {
      const { version } = inode
      listing = new MergedListing(version, readMerged(this.#mount, this.#dentry))
      inode.listing = listing
    }
    const merged = listing as MergedListing
    merged.users++
    this.#listing = merged
    return merged.names
  }
}

function topMember(mount: OverlayMount, inode: OverlayInode): { readonly layer: Layer; readonly inode: Inode } {
  if (inode.upper !== null && mount.upper !== null) return { layer: mount.upper, inode: inode.upper }
  const [first] = inode.lower
  if (first === undefined) throw new FsError('ESTALE', 'open')
  return first
}

function withIno(entry: DirectoryEntry, ino: bigint): DirectoryEntry {
  return ino === entry.ino ? entry : { ...entry, ino }
}

/** ovl_cache_update(): errors of the lookup; the name counts as hidden then. */
function settle(mount: OverlayMount, directory: OverlayDentry, listed: ListedName): void {
  const { realIno } = listed
  const wantsIno = listed.ino === null
  if (!isSameDevice(mount) && !listed.mayBeXattrWhiteout) {
    listed.ino = realIno
    return
  }
  const child = childOf(mount, directory, listed)
  if (child === null) return
  listed.ino = isSameDevice(mount) && wantsIno ? shownIno(mount, child, realIno) : realIno
}

function childOf(mount: OverlayMount, directory: OverlayDentry, listed: ListedName): OverlayDentry | null {
  if (listed.name === '.') return directory
  if (listed.name === '..') return directory.parent
  listed.ino ??= listed.realIno
  listed.isWhiteout = true
  const child = lookupName(mount, directory, listed.name)
  if (child !== null) listed.isWhiteout = false
  return child
}

function shownIno(mount: OverlayMount, child: OverlayDentry, realIno: bigint): bigint {
  if (hasOrigin(child)) return statOf(mount, child).ino
  const [lower] = child.inode.lower
  if (xinoBits(mount) <= 0 || child.inode.upper !== null || lower === undefined) return realIno
  return remapLowerIno(mount, realIno, lower.layer.fileSystem.fsid)
}

/** Numbers of what was copied up or moved into a pure upper directory; without any the mark goes (rule 61). */
function impureInos(mount: OverlayMount, directory: OverlayDentry): ReadonlyMap<string, bigint> | null {
  const { inode } = directory
  if (inode.listing instanceof ImpureListing && inode.listing.version === inode.version) return inode.listing.inos
  const inos = new Map<string, bigint>()
  for (const { name, ino } of rawEntries(topMember(mount, inode))) {
    if (name === '.' || name === '..') continue
    const child = isSameDevice(mount) ? lookupName(mount, directory, name) : null
    const shown = child === null ? ino : shownIno(mount, child, ino)
    if (shown !== ino) inos.set(name, shown)
  }
  if (inos.size === 0) {
    dropImpure(mount, directory)
    return null
  }
  inode.listing = new ImpureListing(inode.version, inos)
  return inos
}

function dropImpure(mount: OverlayMount, directory: OverlayDentry): void {
  const { inode } = directory
  inode.listing = null
  inode.isImpure = false
  if (inode.upper === null) return
  try {
    removeMark(mount, { inode: inode.upper, mark: 'impure' })
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
  mount.trace?.({ kind: 'impure', path: pathOf(directory), value: false, rule: 61 })
}
