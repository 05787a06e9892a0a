// Who an object is to programs: st_dev, st_ino, st_nlink (rules 85-92), and the numbers of the whole overlay (154).
// fs/overlayfs/inode.c: ovl_getattr(), ovl_map_dev_ino(), ovl_map_ino(); readdir.c: ovl_remap_lower_ino();
// super.c: ovl_statfs().
import { FsError } from '../errors/index.ts'
import type { FileSystemStat, Stat, SuperBlock } from '../fs/index.ts'
import {
  hasOrigin,
  indexesAll,
  isMerge,
  isMetacopy,
  isSameDevice,
  isSameFileSystem,
  type OverlayDentry,
  type OverlayInode,
  type OverlayMount,
} from './model.ts'
import { overlayMagic } from './mount/places.ts'
import { fsidOf } from './mount/uuid.ts'
import { realOf } from './real-object.ts'

/** lstat(2) of a name. Metadata is the top object's, numbers may be those of what it was copied up from. */
export function statOf(mount: OverlayMount, dentry: OverlayDentry): Stat {
  const { inode } = dentry
  const real = realOf(mount, inode)
  const stat = real.superBlock.stat(real.inode)
  const { mode, uid, gid, rdev, sizeBytes, atimeNs, mtimeNs, ctimeNs } = stat
  let { ino } = stat
  let { dev } = mount
  if (!isSameFileSystem(mount)) ({ dev, ino } = deviceAndNumber(mount, inode, numberOf(mount, dentry, stat)))
  else if (hasOrigin(dentry)) ({ ino } = numberOf(mount, dentry, stat))
  const nlink = nlinkOf(dentry, stat)
  const blocks = isMetacopy(dentry) ? dataBlocks(dentry, stat, real.superBlock) : stat.blocks
  return { dev, ino, mode, nlink, uid, gid, rdev, sizeBytes, blocks, atimeNs, mtimeNs, ctimeNs }
}

/** An inode number, and the file system among those of the layers that it is unique in. */
export type RealNumber = { readonly ino: bigint; readonly fsid: number }

/** Gives an object its number in the overlay (i_ino); directories without a unique one get one of the overlay's own. */
export function mapIno(mount: OverlayMount, inode: OverlayInode, { ino, fsid }: RealNumber): void {
  inode.ino = ino
  if (isSameFileSystem(mount)) return
  const unique = uniqueNumber(mount, { ino, fsid })
  if (unique !== null) inode.ino = unique
  else if (inode.type === 'dir') inode.ino = ownNumber(mount)
}

/** A number of a listing (d_ino) as it is with xino; unchanged without, and where it does not fit. */
export function remapLowerIno(mount: OverlayMount, ino: bigint, fsid: number): bigint {
  return uniqueNumber(mount, { ino, fsid }) ?? ino
}

/** statfs(2): counters of the upper layer, or of the top lower one (rule 154). */
export function statfsOf(mount: OverlayMount): FileSystemStat {
  const layer = mount.upper ?? mount.lowers[0]
  if (layer === undefined) throw new FsError('EIO', 'statfs')
  const { uuid } = mount.config
  return {
    ...layer.superBlock.statfs(),
    type: overlayMagic,
    nameMax: mount.nameMax,
    readOnly: mount.readOnly,
    ...(uuid === 'on' || uuid === 'auto' ? { fsid: fsidOf(mount.uuid) } : {}),
  }
}

/** The number stays over copy-up where the lower object can be told by it (rules 85-87). */
function numberOf(mount: OverlayMount, dentry: OverlayDentry, stat: Stat): RealNumber {
  const { upper, lower, type, isIndexed } = dentry.inode
  if (type === 'dir' && !isSameDevice(mount)) return { ino: stat.ino, fsid: 0 }
  const [origin] = lower
  if (origin === undefined) return { ino: stat.ino, fsid: 0 }
  const { fsid } = origin.layer.fileSystem
  if (upper === null) return { ino: stat.ino, fsid }
  if (!hasOrigin(dentry)) return { ino: stat.ino, fsid: 0 }
  const below = origin.layer.superBlock.stat(origin.inode)
  // Names of a lower hard link may have been copied to several files, and several directories be redirected to one.
  const isOnly = isIndexed || (!indexesAll(mount) && (type === 'dir' || below.nlink === 1))
  return isOnly ? { ino: below.ino, fsid } : { ino: stat.ino, fsid: 0 }
}

function deviceAndNumber(
  mount: OverlayMount,
  inode: OverlayInode,
  { ino, fsid }: RealNumber,
): Pick<Stat, 'dev' | 'ino'> {
  const unique = uniqueNumber(mount, { ino, fsid })
  if (unique !== null) return { dev: mount.dev, ino: unique }
  if (inode.type === 'dir') return { dev: mount.dev, ino: inode.ino }
  const fileSystem = mount.fileSystems.find(other => other.fsid === fsid)
  return { dev: fileSystem?.pseudoDev ?? mount.dev, ino }
}

/** With xino, which file system it is stands in bits that its numbers do not use (rule 88). Null: they do. */
function uniqueNumber({ xinoMode }: OverlayMount, { ino, fsid }: RealNumber): bigint | null {
  if (xinoMode <= 0) return null
  const shift = BigInt(64 - xinoMode)
  if (ino >> shift !== 0n) return null
  return BigInt.asUintN(64, ino | (BigInt(fsid) << (shift + 1n)))
}

/** From a counter, and with xino in a range that no mapped number is in (ovl_next_ino()). */
function ownNumber(mount: OverlayMount): bigint {
  const number = ++mount.lastIno
  const { xinoMode } = mount
  if (xinoMode <= 0) return number
  return BigInt.asUintN(64 - xinoMode, number) | (1n << BigInt(64 - xinoMode))
}

function nlinkOf(dentry: OverlayDentry, stat: Stat): number {
  const { inode } = dentry
  if (inode.type === 'dir') return isMerge(dentry) ? 1 : stat.nlink
  return inode.isIndexed ? inode.nlink : stat.nlink
}

/** What the data takes is told by the file that has it; where that was not looked for yet, its size has to do. */
function dataBlocks({ inode }: OverlayDentry, stat: Stat, superBlock: SuperBlock): number {
  const data = inode.lower.at(-1)
  if (inode.lazyDataRedirect === null && data !== undefined) return data.layer.superBlock.stat(data.inode).blocks
  const { blockSizeBytes } = superBlock.statfs()
  return (Math.ceil(stat.sizeBytes / blockSizeBytes) * blockSizeBytes) / 512
}
