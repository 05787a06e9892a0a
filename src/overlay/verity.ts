// verity=on and verity=require (rule 15): a metacopy can name the fs-verity digest that its data must have. No layer here
// has such digests, so that a digest is never found to be right: what is left is which metacopies are refused.
// fs/overlayfs/namei.c: ovl_maybe_validate_verity(); util.c: ovl_validate_verity(), ovl_check_metacopy_xattr().
import { type Errno, FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { getMark } from './marks.ts'
import { isMetacopy, type Layer, type OverlayDentry, type OverlayMount, pathOf } from './model.ts'
import { realOf } from './real-object.ts'

/** struct ovl_metacopy: version, length, flags, number of the digest's algorithm. */
const headerBytes = 4
/** With the longest digest. */
const longestBytes = headerBytes + 64

/** True for a metacopy with more than a header; told at lookup. */
export function namesDigest(mount: OverlayMount, layer: Layer, inode: Inode): boolean {
  if (mount.config.verity === 'off') return false
  const value = getMark(mount, layer, { inode, mark: 'metacopy' })
  return value !== null && value.length > headerBytes
}

/** Refuses data that is not what the metacopy says. Errors: EIO, and ERANGE for a value that is too long. */
export function verifyData(mount: OverlayMount, dentry: OverlayDentry): void {
  if (!isMetacopy(dentry)) return
  const errno = dentry.inode.hasDigest ? digestRefusal(mount, dentry) : withoutDigest(mount)
  if (errno === null) return
  mount.trace?.({ kind: 'refused', path: pathOf(dentry), operation: 'verify', errno, rule: 15 })
  throw new FsError(errno, 'open')
}

function withoutDigest({ config }: OverlayMount): Errno | null {
  return config.verity === 'require' ? 'EIO' : null
}

function digestRefusal(mount: OverlayMount, dentry: OverlayDentry): Errno | null {
  const real = realOf(mount, dentry.inode)
  const value = getMark(mount, real, { inode: real.inode, mark: 'metacopy' })
  if (value === null || value.length === 0) return withoutDigest(mount)
  if (value.length > longestBytes) return 'ERANGE'
  const [version = 0, lengthBytes = 0, , algorithm = 0] = value
  if (value.length < headerBytes || version !== 0 || lengthBytes !== value.length) return 'EIO'
  if (algorithm === 0) return withoutDigest(mount)
  return 'EIO' // the data has no digest at all
}
