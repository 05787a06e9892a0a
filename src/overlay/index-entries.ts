// The index of index=on: one entry for each lower hard link that was copied up, and with nfs_export for every object,
// named by the handle of the lower object (rules 51, 63, 64, 90, 103). fs/overlayfs/namei.c: ovl_get_index_name(),
// ovl_lookup_index(); util.c: ovl_need_index(), ovl_cleanup_index(); inode.c: ovl_set_nlink_common(), ovl_get_nlink();
// copy_up.c: ovl_create_index().
import { FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { formatNlink, parseNlink } from './format/nlink.ts'
import { indexName } from './format/stored-handle.ts'
import { getMark, setMark, upperOf } from './marks.ts'
import {
  indexesAll,
  type LowerObject,
  type OverlayDentry,
  type OverlayInode,
  type OverlayMount,
  pathOf,
} from './model.ts'
import { originHandle, upperHandle, verifyHandle } from './origin.ts'
import { cleanUp, isDeviceWhiteout, replaceByWhiteout, temporaryName, workOf } from './work-place.ts'

/** Whether copying an object up makes an entry: lower hard links, and with nfs_export everything. */
export function needsIndex(mount: OverlayMount, { type, lower: [lower] }: OverlayInode): boolean {
  if (lower === undefined || !mount.config.index) return false
  if (indexesAll(mount)) return true
  return type !== 'dir' && lower.layer.superBlock.stat(lower.inode).nlink > 1
}

/** The name of the entry for a lower object. */
export function indexNameOf(mount: OverlayMount, origin: LowerObject): string {
  const handle = originHandle(mount, origin)
  if (handle === null) throw new FsError('EIO', 'name_to_handle_at')
  return indexName(handle)
}

/**
 * The entry for a lower object: what it was copied up to, as another name sees it. Null: it was not copied up, or
 * `upper`, which was found by its name, is something else. Errors: EIO for an entry that cannot be right.
 */
export function lookupIndex(mount: OverlayMount, upper: Inode | null, origin: LowerObject): Inode | null {
  const layer = upperOf(mount)
  const { superBlock } = layer
  const index = superBlock.lookup(workOf(mount).directory, indexNameOf(mount, origin))
  if (index === null) return null
  if (isDeviceWhiteout(superBlock, index) || index.type !== origin.inode.type) throw badIndex()
  if (index.type !== 'dir') return upper !== null && !superBlock.isSame(upper, index) ? null : index
  // A lower directory that is in the index, and shows uncovered, is under two names at once.
  if (upper === null) throw badIndex()
  const handle = upperHandle(mount, layer, upper)
  const verdict = verifyHandle(mount, layer, { inode: index, mark: 'upper' }, handle)
  if (verdict !== 'same') throw badIndex()
  return index
}

/** Makes the entry for a directory that is being copied up; `handle` is its origin. */
export function createIndex(mount: OverlayMount, handle: Uint8Array | null, upperDirectory: Inode): void {
  if (handle === null) throw new FsError('EIO', 'name_to_handle_at')
  const layer = upperOf(mount)
  const { superBlock } = layer
  const work = workOf(mount)
  const dir = work.directory
  const { uid, gid } = mount.mounter
  const name = temporaryName(work)
  const inode = superBlock.create(dir, name, { type: 'dir', mode: 0, umask: 0, uid, gid })
  try {
    setMark(mount, { inode, mark: 'upper' }, upperHandle(mount, layer, upperDirectory))
    const entry = indexName(handle)
    superBlock.rename({ dir, name, inode }, { dir, name: entry, inode: superBlock.lookup(dir, entry) }, 0)
  } catch (error) {
    cleanUp(mount, { dir, name, inode })
    throw error
  }
}

/** The link count of an indexed file: names in the upper layer and lower ones that are not covered (rule 90). */
export function unionNlink(mount: OverlayMount, inode: OverlayInode, fallback: number): number {
  const { upper, lower } = inode
  const [origin] = lower
  if (upper === null || origin === undefined) return fallback
  return storedNlink(mount, { upper, lower: origin, fallback })
}

/** The parts of an indexed file. */
export type IndexedFile = {
  readonly upper: Inode
  readonly lower: LowerObject
  readonly fallback: number
}

/** ovl_get_nlink() */
export function storedNlink(mount: OverlayMount, { upper, lower, fallback }: IndexedFile): number {
  const layer = upperOf(mount)
  const below = lower.layer.superBlock.stat(lower.inode).nlink
  // With nfs_export such files are in the index too, and after a mount the link there counts.
  if (below === 1) return fallback
  const value = getMark(mount, layer, { inode: upper, mark: 'nlink' })
  if (value === null) return fallback
  return parseNlink(value, { upper: layer.superBlock.stat(upper).nlink, lower: below }) ?? fallback
}

/** Notes the link count, before the lower side of a file changes: relative to the upper inode. */
export function setNlinkUpper(mount: OverlayMount, inode: OverlayInode): void {
  if (inode.upper === null) throw new FsError('EIO', 'setxattr')
  const { nlink } = upperOf(mount).superBlock.stat(inode.upper)
  setMark(mount, { inode: inode.upper, mark: 'nlink' }, formatNlink('upper', inode.nlink - nlink))
}

/** Notes the link count, before the upper side of a file changes: relative to the lower inode. */
export function setNlinkLower(mount: OverlayMount, inode: OverlayInode): void {
  const [lower] = inode.lower
  if (inode.upper === null || lower === undefined) throw new FsError('EIO', 'setxattr')
  const { nlink } = lower.layer.superBlock.stat(lower.inode)
  setMark(mount, { inode: inode.upper, mark: 'nlink' }, formatNlink('lower', inode.nlink - nlink))
}

/**
 * After the last name of an indexed object is gone: removes its entry, or, with nfs_export, leaves a whiteout that says
 * so to whoever comes with a handle. Failures are logged by the kernel, no more.
 */
export function cleanupIndex(mount: OverlayMount, dentry: OverlayDentry): void {
  const { inode } = dentry
  const [origin] = inode.lower
  if (inode.upper === null || origin === undefined) return
  try {
    removeEntry(mount, dentry, { upper: inode.upper, origin })
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}

type Indexed = { readonly upper: Inode; readonly origin: LowerObject }

function removeEntry(mount: OverlayMount, dentry: OverlayDentry, { upper, origin }: Indexed): void {
  const { inode } = dentry
  const { superBlock } = upperOf(mount)
  const name = indexNameOf(mount, origin)
  const { nlink } = superBlock.stat(upper)
  if (inode.type !== 'dir' && nlink !== 1) {
    // A name was made below meanwhile: the entry is needed as long as upper names are there.
    inode.nlink = nlink - 1
    return setNlinkUpper(mount, inode)
  }
  const dir = workOf(mount).directory
  const index = superBlock.lookup(dir, name)
  const action = indexesAll(mount) ? 'whiteout' : 'remove'
  mount.trace?.({ kind: 'index', path: pathOf(dentry), entry: name, action, rule: 64 })
  if (indexesAll(mount)) replaceByWhiteout(mount, { dir, name, inode: index })
  else cleanUp(mount, { dir, name, inode: index })
}

function badIndex(): FsError {
  return new FsError('EIO', 'lookup')
}
