import { OvlError, quote } from '../errors/index.ts'

/** What a base name means inside an OCI layer (image-spec layer.md, "Whiteouts"). */
export type LayerName =
  | { readonly kind: 'plain'; readonly name: string }
  | { readonly kind: 'whiteout'; readonly hides: string } // ".wh.a" hides the sibling "a" of every lower layer
  | { readonly kind: 'opaque' } // exactly ".wh..wh..opq": hides all siblings of every lower layer
  | { readonly kind: 'reserved'; readonly name: string } // other ".wh..wh.*": AUFS' own bookkeeping

/** Begins the name of every marker. */
export const whiteoutPrefix = '.wh.'
/** The whole name of the opaque marker. */
export const opaqueMarker = '.wh..wh..opq'

/**
 * Classifies the last component of an entry's path: the only place in ovl that reads a whiteout name. The name
 * decides, never the type of the entry.
 *
 * Errors: BAD_WHITEOUT when the hidden name would be empty, "." or "..".
 * Source: image-spec layer.md, "Whiteouts"; AUFS' reserved names as moby's `archive.WhiteoutMetaPrefix`.
 */
export function parseLayerName(base: string): LayerName {
  if (!base.startsWith(whiteoutPrefix)) return { kind: 'plain', name: base }
  if (base === opaqueMarker) return { kind: 'opaque' }
  const hides = base.slice(whiteoutPrefix.length)
  if (hides.startsWith(whiteoutPrefix)) return { kind: 'reserved', name: base }
  if (hides === '' || hides === '.' || hides === '..') {
    throw new OvlError('BAD_WHITEOUT', `Cannot apply whiteout ${quote(base)}: it names no sibling`, { data: { base } })
  }
  return { kind: 'whiteout', hides }
}
