// Who owns what is written: the image's owners as they are or mapped into a user namespace, or only recorded.

import { type IdMapping, toHostID, type UserNamespace } from '../bundle/index.ts'
import { OvlError, quote } from '../errors/index.ts'

/** What happens to the owners that an image gives its files. */
export type Ownership =
  /** chown(2) to the image's owner, through the mappings when there are any. */
  | { readonly kind: 'keep'; readonly uidMappings: readonly IdMapping[]; readonly gidMappings: readonly IdMapping[] }
  /** Everything belongs to the caller; owners that differ from root are recorded. */
  | { readonly kind: 'record' }

/** User and group of a file, on one side of a mapping. */
export type Owner = { readonly uid: number; readonly gid: number }

/** What a user namespace means for owners on disk. */
export function ownershipIn(namespace: UserNamespace | null): Ownership {
  if (namespace?.rootless === true) return { kind: 'record' }
  return { kind: 'keep', uidMappings: namespace?.uidMappings ?? [], gidMappings: namespace?.gidMappings ?? [] }
}

/**
 * The owner on the host of an owner in the image.
 *
 * Errors: BAD_ENTRY when an ID is in no mapping.
 */
export function mapOwner({ uid, gid }: Owner, ownership: Ownership & { kind: 'keep' }, path: string): Owner {
  return {
    uid: mapId(uid, ownership.uidMappings, { path, flag: '--uid-map' }),
    gid: mapId(gid, ownership.gidMappings, { path, flag: '--gid-map' }),
  }
}

function mapId(
  id: number,
  mappings: readonly IdMapping[],
  { path, flag }: { readonly path: string; readonly flag: string },
): number {
  if (mappings.length === 0) return id
  const mapped = toHostID(mappings, id)
  if (mapped !== null) return mapped
  throw new OvlError('BAD_ENTRY', `Cannot give ${quote(path)} its owner: ${id} is outside of ${flag}`, {
    hint: `widen ${flag}, for example ${flag} 0:100000:65536`,
    data: { path, id },
  })
}
