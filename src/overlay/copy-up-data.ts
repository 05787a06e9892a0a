// Copying the contents of a file to the upper layer (rules 99, 106). fs/overlayfs/copy_up.c: ovl_copy_up_file(),
// ovl_copy_up_meta_inode_data().
import { FsError, isErrno } from '../errors/index.ts'
import { copiedRanges, type Inode, type InodeFile, O_NOATIME, O_RDONLY, O_TRUNC, O_WRONLY } from '../fs/index.ts'
import { removeMark, upperOf } from './marks.ts'
import { type LowerObject, type OverlayDentry, type OverlayInode, type OverlayMount, pathOf } from './model.ts'

/** Where contents go, and how much of them. */
export type DataTarget = { readonly to: Inode; readonly sizeBytes: number }

/** The lower file that holds the data. Errors: EIO. */
export function lowerData({ lower, lazyDataRedirect }: OverlayInode): LowerObject {
  const last = lazyDataRedirect === null ? lower.at(-1) : undefined
  if (last === undefined) throw new FsError('EIO', 'open')
  return last
}

/** Copies contents and leaves out holes. */
export function copyData(mount: OverlayMount, inode: OverlayInode, { to, sizeBytes }: DataTarget): void {
  const data = lowerData(inode)
  const source = data.layer.superBlock.openFile(data.inode, O_RDONLY | O_NOATIME)
  try {
    const target = upperOf(mount).superBlock.openFile(to, O_WRONLY)
    try {
      if (target.copyFrom?.(source, sizeBytes) !== true) copyChunks(source, target, sizeBytes)
      if (mount.config.fsync !== 'volatile') target.sync()
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}

/** The data of a metacopy comes into the file that has the metadata (rule 106). */
export function copyUpDataInPlace(mount: OverlayMount, dentry: OverlayDentry, flags: number): void {
  const { inode } = dentry
  const { superBlock } = upperOf(mount)
  const { upper } = inode
  const [lower] = inode.lower
  if (upper === null || lower === undefined) throw new FsError('EIO', 'copy-up')
  const sizeBytes = (flags & O_TRUNC) === 0 ? lower.layer.superBlock.stat(lower.inode).sizeBytes : 0
  // Writing takes it away.
  const capability = sizeBytes > 0 ? superBlock.getXattr(upper, 'security.capability') : null
  if (sizeBytes > 0) copyData(mount, inode, { to: upper, sizeBytes })
  if (capability !== null) superBlock.setXattr(upper, 'security.capability', capability, 0)
  removeMark(mount, { inode: upper, mark: 'metacopy' })
  inode.hasUpperData = true
  inode.hasDigest = false
  mount.trace?.({ kind: 'copy-up-data', path: pathOf(dentry), dataBytes: sizeBytes, rule: 106 })
}

const chunkBytes = 1 << 20
/** Small files, which most are, share one: reading a layer never copies anything up. */
const smallChunk = new Uint8Array(1 << 16)

function copyChunks(source: InodeFile, target: InodeFile, sizeBytes: number): void {
  const chunk = sizeBytes <= smallChunk.length ? smallChunk : new Uint8Array(Math.min(sizeBytes, chunkBytes))
  for (const { start, end } of copiedRanges(sizeBytes, position => nextData(source, position))) {
    for (let at = start; at < end; ) {
      const length = source.read(chunk.subarray(0, Math.min(chunk.length, end - at)), at)
      if (length === 0) return
      writeAll(target, chunk.subarray(0, length), at)
      at += length
    }
  }
}

/** Null: only a hole follows. Where nobody tells, all is data. */
function nextData(source: InodeFile, from: number): number | null {
  try {
    return source.seekData(from)
  } catch (error) {
    if (isErrno(error, 'ENXIO')) return null
    if (isErrno(error, 'EOPNOTSUPP', 'EINVAL')) return from
    throw error
  }
}

function writeAll(target: InodeFile, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    const count = target.write(bytes.subarray(written), position + written)
    if (count === 0) throw new FsError('EIO', 'write')
    written += count
  }
}
