// Who the overlay is: overlay.uuid of the upperdir's root (fs/overlayfs/util.c: ovl_init_uuid_xattr(); rule 6).
import { FsError } from '../../errors/index.ts'
import type { Inode, SuperBlock } from '../../fs/index.ts'
import type { MarkNames } from '../marks.ts'
import type { OverlayConfig } from '../settings.ts'

/** The upperdir's root, and the names of attributes. */
export type UuidPlace = { readonly superBlock: SuperBlock; readonly root: Inode; readonly marks: MarkNames }

/** What the setting became, and the 16 bytes; all zero for `null` and `off`. */
export type UuidOutcome = { readonly setting: OverlayConfig['uuid']; readonly uuid: Uint8Array; readonly note?: string }

/** 16 zero bytes. */
export const nullUuid: Uint8Array = new Uint8Array(16)

/** For uuid=on and uuid=auto, with an upperdir. Stores a new uuid where the upperdir has none and is new. */
export function loadUuid(place: UuidPlace, setting: 'on' | 'auto'): UuidOutcome {
  const { superBlock, root, marks } = place
  let stored: Uint8Array | null
  try {
    stored = superBlock.getXattr(root, marks.uuid)
    // A uuid that is found leaves `auto` as it is.
    if (stored?.length === 16) return { setting, uuid: stored }
    if (stored !== null) return fallBack('read')
    // Whoever used the upperdir before knows the overlay without one.
    if (setting === 'auto' && (superBlock.getXattr(root, marks.impure)?.length ?? 0) > 0)
      return { setting: 'null', uuid: nullUuid }
  } catch (error) {
    if (error instanceof FsError) return fallBack('read')
    throw error
  }
  const uuid = randomUuid()
  try {
    superBlock.setXattr(root, marks.uuid, uuid, 0)
  } catch (error) {
    if (error instanceof FsError) return fallBack('stored')
    throw error
  }
  return { setting: 'on', uuid }
}

function fallBack(what: string): UuidOutcome {
  return { setting: 'null', uuid: nullUuid, note: `the uuid cannot be ${what}: uuid=null` }
}

/** f_fsid of a uuid: its halves as little-endian numbers, one exclusive or the other (uuid_to_fsid()). */
export function fsidOf(uuid: Uint8Array): bigint {
  const view = new DataView(uuid.buffer, uuid.byteOffset, uuid.byteLength)
  return view.getBigUint64(0, true) ^ view.getBigUint64(8, true)
}

/** A version 4 uuid (uuid_gen()). */
function randomUuid(): Uint8Array {
  const uuid = crypto.getRandomValues(new Uint8Array(16))
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  return uuid
}
