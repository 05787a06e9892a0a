// Opens the index of index=on, makes sure that it belongs to this upperdir and this lower layer, and removes what no
// longer stands for anything (fs/overlayfs/super.c: ovl_get_indexdir(); readdir.c: ovl_indexdir_cleanup(); namei.c:
// ovl_verify_index(), ovl_index_upper(); rules 35, 51, 64).
import { type Errno, FsError } from '../../errors/index.ts'
import type { Inode, SuperBlock } from '../../fs/index.ts'
import { parseIndexName, parseOrigin } from '../format/stored-handle.ts'
import { storedNlink } from '../index-entries.ts'
import { setMark, upperOf } from '../marks.ts'
import { type Layer, type OverlayMount, type WorkPlace } from '../model.ts'
import {
  decodeHandle,
  decodeOrigin,
  type HandleMark,
  hasOriginMark,
  originHandle,
  readHandle,
  upperHandle,
  verifyHandle,
} from '../origin.ts'
import { refusal, shown } from '../refusal.ts'
import { isDeviceWhiteout, replaceByWhiteout } from '../work-place.ts'
import type { MountDraft } from './build-mount.ts'
import type { Place, Places } from './places.ts'
import { describeByPath, staleIndex, staleOrigin } from './refusals.ts'
import { type Leftover, listNames, openIndexDirectory, removeLeftover } from './workdir.ts'

/** Errors: OVL_STALE_ORIGIN, OVL_STALE_INDEX; those of the file system. Without an index the mount is read-only. */
export function setUpIndex(mount: MountDraft, { upper, work, lower: [top] }: Places): void {
  const [lower] = mount.lowers
  const layer = mount.upper
  if (upper === null || work === null || top === undefined || lower === undefined || layer === null) return
  const origin = originHandle(mount, { layer: lower, inode: lower.root })
  if (origin === null) throw new FsError('EIO', 'name_to_handle_at')
  if (!verifyOrSet(mount, { inode: layer.root, mark: 'origin' }, origin))
    throw staleOrigin(upper, top, { target: null, ...describeByPath([upper, top]) })
  const directory = openIndexDirectory({ superBlock: work.superBlock, base: work.root, mounter: mount.mounter })
  if (directory === null || mount.work === null) {
    const message = `${work.path}/index cannot be made: the overlay is read-only`
    mount.notes = [...mount.notes, { about: 'index', message }]
    mount.work = null
    return
  }
  if (directory.type !== 'dir') throw new FsError('ENOTDIR', 'mount', `${work.path}/index`)
  verifyOwner(mount, { layer, directory, upper, work })
  const names = listNames(work.superBlock, directory)
  const place: WorkPlace = { ...mount.work, directory, temporaryNames: lastTemporary(names, mount.work.temporaryNames) }
  mount.work = place
  for (const name of names) checkEntry(mount, { layer, directory, name, work })
}

/** The index stays from mount to mount, with what the last one left in it; the kernel counts on until it is restarted. */
function lastTemporary(names: readonly string[], last: number): number {
  const numbers = names.map(name => (/^#[\da-f]{1,12}$/.test(name) ? Number.parseInt(name.slice(1), 16) : 0))
  return Math.max(last, ...numbers)
}

type Owner = { readonly layer: Layer; readonly directory: Inode; readonly upper: Place; readonly work: Place }

function verifyOwner(mount: OverlayMount, { layer, directory, upper, work }: Owner): void {
  const handle = upperHandle(mount, layer, layer.root)
  const about = { target: null, ...describeByPath([upper, work]) }
  // Old kernels stored it under the other name.
  if (hasOriginMark(mount, layer, directory)) {
    if (verifyHandle(mount, layer, { inode: directory, mark: 'origin' }, handle) !== 'same')
      throw staleIndex(work, about)
  }
  if (!verifyOrSet(mount, { inode: directory, mark: 'upper' }, handle)) throw staleIndex(work, about)
}

/** True when the mark holds the handle, which it gets if it holds none. */
function verifyOrSet(mount: OverlayMount, of: HandleMark, handle: Uint8Array): boolean {
  const verdict = verifyHandle(mount, upperOf(mount), of, handle)
  if (verdict === 'none') setMark(mount, of, handle)
  return verdict !== 'other'
}

type Entry = { readonly layer: Layer; readonly directory: Inode; readonly name: string; readonly work: Place }

function checkEntry(mount: OverlayMount, { layer, directory: dir, name, work }: Entry): void {
  const { superBlock } = layer
  const inode = superBlock.lookup(dir, name)
  if (inode === null) return
  if (name.startsWith('#')) return tryRemove(superBlock, { dir, name, inode, level: 1 })
  const verdict = verifyEntry(mount, layer, { name, inode })
  if (verdict === 'good') return
  if (verdict === 'orphan' && mount.config.nfsExport) return replaceByWhiteout(mount, { dir, name, inode })
  if (verdict !== 'stale' && verdict !== 'orphan') throw badEntry(work, name, verdict)
  if (inode.type === 'dir') superBlock.rmdir(dir, name, inode)
  else superBlock.unlink(dir, name, inode)
}

/** What lies too deep to be removed stays, and nothing is said. */
function tryRemove(superBlock: SuperBlock, leftover: Leftover): void {
  try {
    removeLeftover(superBlock, leftover)
  } catch (error) {
    if (!(error instanceof FsError)) throw error
  }
}

/** `stale`: it does not fit what it stands for; `orphan`: nothing is left of that. */
type Verdict = 'good' | 'stale' | 'orphan' | Extract<Errno, 'EINVAL' | 'ENODATA' | 'EIO'>

const headerBytes = 21

function verifyEntry(mount: OverlayMount, layer: Layer, { name, inode }: { name: string; inode: Inode }): Verdict {
  const value = name.length < headerBytes * 2 ? null : parseIndexName(name)
  if (value === null) return 'EINVAL'
  const handle = parseOrigin(value)
  if (handle === null || handle === 'unknown')
    return value[1] === 0xfb && value.length >= (value[2] ?? 0) ? 'ENODATA' : 'EINVAL'
  const { superBlock } = layer
  if (isDeviceWhiteout(superBlock, inode)) return 'good'
  let upper = inode
  if (inode.type === 'dir') {
    // Expensive, and directories are in the index for nfs_export alone.
    if (!mount.config.nfsExport) return 'good'
    const owner = readHandle(mount, layer, { inode, mark: 'upper' })
    if (owner === null) return 'stale'
    const directory = decodeHandle(mount, superBlock, owner)
    if (directory === null) return 'orphan'
    if (directory.type !== 'dir') return 'EIO'
    upper = directory
  }
  const origin = verifyHandle(mount, layer, { inode: upper, mark: 'origin' }, value)
  if (origin === 'none') return 'ENODATA'
  if (origin === 'other') return 'stale'
  if (inode.type === 'dir' || superBlock.stat(inode).nlink !== 1) return 'good'
  const lower = decodeOrigin(mount, handle)
  if (lower === null || lower.inode.type !== inode.type) return 'stale'
  return storedNlink(mount, { upper: inode, lower, fallback: 0 }) === 0 ? 'orphan' : 'good'
}

function badEntry(work: Place, name: string, errno: 'EINVAL' | 'ENODATA' | 'EIO'): Error {
  return refusal('OVL_STALE_INDEX', `the index in workdir ${shown(work.path)} has an entry that cannot be read`, {
    ...describeByPath([work]),
    facts: [name],
    errno,
    kernel: `failed to verify index (index/${name}, err=${errno})`,
    hint: `remove ${shown(`${work.path}/index`)}, or mount with index=off`,
  })
}
