// Where an upper object came from: the file handle of a lower object in overlay.origin, stored at copy-up and looked up
// again after a mount (rules 60, 62, 85, 102). fs/overlayfs/copy_up.c: ovl_encode_real_fh(), ovl_get_origin_fh(),
// ovl_set_origin_fh(); namei.c: ovl_decode_real_fh(), ovl_check_origin(), ovl_verify_fh().
import { FsError, isErrno } from '../errors/index.ts'
import { type FileType, type Inode, isPrivileged, type SuperBlock } from '../fs/index.ts'
import { formatOrigin, isSameValue, parseOrigin, type StoredHandle } from './format/stored-handle.ts'
import { getMark, type Mark, setMarkOr } from './marks.ts'
import type { Layer, LowerObject, OverlayMount } from './model.ts'
import { nullUuid } from './mount/uuid.ts'

/**
 * The value of overlay.origin for a lower object; null where its file system has no handles, which is stored as an
 * empty value: "copied up, origin unknown".
 */
export function originHandle(mount: OverlayMount, { layer, inode }: LowerObject): Uint8Array | null {
  // With index=on the mount has found out that there are handles.
  if (!mount.config.index && !canOpenHandles(mount, layer.superBlock)) return null
  return encodeHandle(mount, layer.superBlock, { inode, isUpper: false })
}

/** The value of overlay.upper for a directory of the upper layer. Errors: EIO without handles. */
export function upperHandle(mount: OverlayMount, layer: Layer, inode: Inode): Uint8Array {
  return encodeHandle(mount, layer.superBlock, { inode, isUpper: true })
}

/** Stores an origin. An upper layer without attributes, and one that takes none on this kind of object, go without. */
export function setOrigin(mount: OverlayMount, upper: Inode, handle: Uint8Array | null): void {
  try {
    setMarkOr(mount, { inode: upper, mark: 'origin' }, { value: handle ?? unknown, without: null })
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error
  }
}

/** True for an object with overlay.origin, whatever it says. */
export function hasOriginMark(mount: OverlayMount, layer: Layer, inode: Inode): boolean {
  return getMark(mount, layer, { inode, mark: 'origin' }) !== null
}

/** The lower object that an upper file of this type was copied up from; null when that cannot be told. */
export function findOrigin(mount: OverlayMount, upper: Inode, type: FileType): LowerObject | null {
  if (mount.upper === null) return null
  const handle = readHandle(mount, mount.upper, { inode: upper, mark: 'origin' })
  if (handle === null) return null
  const origin = decodeOrigin(mount, handle)
  return origin !== null && origin.inode.type === type ? origin : null
}

/** The lower object of a handle, in whichever lower layer it is found (ovl_check_origin_fh()). */
export function decodeOrigin(mount: OverlayMount, handle: StoredHandle): LowerObject | null {
  for (const layer of mount.lowers) {
    const { fsid, hasAmbiguousUuid } = layer.fileSystem
    if (fsid > 0 && hasAmbiguousUuid) continue
    const inode = decodeHandle(mount, layer.superBlock, handle)
    if (inode !== null) return { layer, inode }
  }
  return null
}

/** True when overlay.origin of an upper object is the handle of this lower one. */
export function matchesOrigin(mount: OverlayMount, upper: Inode, { layer, inode }: LowerObject): boolean {
  if (mount.upper === null) return false
  const handle = encodeHandle(mount, layer.superBlock, { inode, isUpper: false })
  return verifyHandle(mount, mount.upper, { inode: upper, mark: 'origin' }, handle) === 'same'
}

/** A mark that holds a handle, on an object of the upper layer. */
export type HandleMark = { readonly inode: Inode; readonly mark: Extract<Mark, 'origin' | 'upper'> }

/** Whether a mark holds this handle. `none`: no mark, or one that the kernel cannot read (ovl_verify_fh()). */
export function verifyHandle(
  mount: OverlayMount,
  layer: Layer,
  of: HandleMark,
  handle: Uint8Array,
): 'same' | 'other' | 'none' {
  const stored = getMark(mount, layer, of)
  if (stored === null || parseHandle(stored) === null) return 'none'
  return isSameValue(stored, handle) ? 'same' : 'other'
}

/** The handle of a mark; null for none, an unknown one, and one that the kernel cannot read (ovl_get_fh()). */
export function readHandle(mount: OverlayMount, layer: Layer, of: HandleMark): StoredHandle | null {
  const stored = getMark(mount, layer, of)
  return stored === null ? null : parseHandle(stored)
}

/** The object of a handle in one file system: null for another file system, and when it is gone (ovl_decode_real_fh()). */
export function decodeHandle(mount: OverlayMount, superBlock: SuperBlock, handle: StoredHandle): Inode | null {
  if (!canOpenHandles(mount, superBlock)) return null
  // With uuid=off only handles that name no file system are believed.
  const uuid = mount.config.uuid === 'off' ? nullUuid : superBlock.uuid
  if (!isSameValue(handle.uuid, uuid)) return null
  return superBlock.decodeHandle({ type: handle.type, bytes: handle.bytes })
}

const unknown = new Uint8Array(0)

/** Opening by handle needs CAP_DAC_READ_SEARCH (ovl_can_decode_fh()). */
function canOpenHandles({ mounter }: OverlayMount, { features }: SuperBlock): boolean {
  return isPrivileged(mounter) && features.handles
}

type Encoded = { readonly inode: Inode; readonly isUpper: boolean }

function encodeHandle(mount: OverlayMount, superBlock: SuperBlock, { inode, isUpper }: Encoded): Uint8Array {
  const handle = superBlock.encodeHandle(inode)
  if (handle === null) throw new FsError('EIO', 'name_to_handle_at')
  const uuid = mount.config.uuid === 'off' ? nullUuid : superBlock.uuid
  return formatOrigin({ type: handle.type, uuid, bytes: handle.bytes, isUpper })
}

function parseHandle(stored: Uint8Array): StoredHandle | null {
  const handle = parseOrigin(stored)
  return handle === 'unknown' ? null : handle
}
