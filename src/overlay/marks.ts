// The extended attributes in which overlayfs keeps what it has to remember (rules 57-65), under the prefix that the
// mount uses. fs/overlayfs/util.c: ovl_xattr_table, ovl_check_setxattr(), ovl_get_dir_xattr_val().
import { type Errno, FsError, isErrno } from '../errors/index.ts'
import { type Inode, isPrivileged } from '../fs/index.ts'
import type { Layer, OverlayMount } from './model.ts'

/** Full names of the attributes: "trusted.overlay.opaque" or "user.overlay.opaque". */
export type MarkNames = {
  /** "trusted.overlay." or "user.overlay." */
  readonly prefix: string
  readonly opaque: string
  readonly redirect: string
  readonly origin: string
  readonly impure: string
  readonly nlink: string
  readonly upper: string
  readonly uuid: string
  readonly metacopy: string
  readonly protattr: string
  readonly whiteout: string
}

/** A mark, by its short name. */
export type Mark = Exclude<keyof MarkNames, 'prefix'>

/** The names for a mount. */
export function markNames(userxattr: boolean): MarkNames {
  const prefix = userxattr ? 'user.overlay.' : 'trusted.overlay.'
  return {
    prefix,
    opaque: `${prefix}opaque`,
    redirect: `${prefix}redirect`,
    origin: `${prefix}origin`,
    impure: `${prefix}impure`,
    nlink: `${prefix}nlink`,
    upper: `${prefix}upper`,
    uuid: `${prefix}uuid`,
    metacopy: `${prefix}metacopy`,
    protattr: `${prefix}protattr`,
    whiteout: `${prefix}whiteout`,
  }
}

/** The value "y" that says yes. */
export const yes: Uint8Array = new Uint8Array([0x79])

/** Null: no such mark, none that the mounter may see, or the layer's file system has no attributes. */
export function getMark(mount: OverlayMount, layer: Pick<Layer, 'superBlock'>, of: MarkOf): Uint8Array | null {
  if (!mayUseMarks(mount)) return null
  try {
    return layer.superBlock.getXattr(of.inode, mount.marks[of.mark])
  } catch (error) {
    if (isErrno(error, 'EOPNOTSUPP', 'ENODATA')) return null
    throw error
  }
}

/** trusted.* is for root: without it they are not there (rule 153; xattr_permission() of the VFS). */
function mayUseMarks({ config, mounter }: OverlayMount): boolean {
  return isPrivileged(mounter) || config.userxattr
}

/** A mark of an object. */
export type MarkOf = { readonly inode: Inode; readonly mark: Mark }

/**
 * Sets a mark in the upper layer. Errors: those of the upper file system, EPERM for user.* on a symlink or device and
 * for trusted.* unless root has mounted.
 */
export function setMark(mount: OverlayMount, of: MarkOf, value: Uint8Array): void {
  if (!mayUseMarks(mount)) throw new FsError('EPERM', 'setxattr')
  if (mount.config.userxattr && of.inode.type !== 'file' && of.inode.type !== 'dir')
    throw new FsError('EPERM', 'setxattr')
  upperOf(mount).superBlock.setXattr(of.inode, mount.marks[of.mark], value, 0)
}

/** Removes a mark in the upper layer. Errors: ENODATA and those of the upper file system. */
export function removeMark(mount: OverlayMount, of: MarkOf): void {
  if (!mayUseMarks(mount)) throw new FsError('EPERM', 'removexattr')
  upperOf(mount).superBlock.removeXattr(of.inode, mount.marks[of.mark])
}

/**
 * As `setMark`, where the upper layer may store no attributes (rule 52): then `without` is thrown, or with null
 * nothing happens. ovl_check_setxattr()
 */
export function setMarkOr(
  mount: OverlayMount,
  of: MarkOf,
  { value, without }: { readonly value: Uint8Array; readonly without: Errno | null },
): void {
  if (!mount.hasNoXattrs) {
    try {
      return setMark(mount, of, value)
    } catch (error) {
      if (!isErrno(error, 'EOPNOTSUPP')) throw error
      mount.hasNoXattrs = true
    }
  }
  if (without !== null) throw new FsError(without, 'setxattr')
}

/** The upper layer. Errors: EROFS. */
export function upperOf(mount: OverlayMount): Layer {
  if (mount.upper === null) throw new FsError('EROFS', 'write')
  return mount.upper
}

/** The value "y" and nothing else. */
export function isYes(value: Uint8Array | null): boolean {
  return value !== null && value.length === 1 && value[0] === 0x79
}

/** The value "x": of overlay.opaque, a directory that may hold xattr whiteouts. */
export function isEx(value: Uint8Array | null): boolean {
  return value !== null && value.length === 1 && value[0] === 0x78
}
