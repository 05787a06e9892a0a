import type { CheckContext, Place } from './check-overlay.ts'
import { findMembers } from './find-members.ts'
import { opaqueValue } from './layer-reader.ts'

/** Whether a whiteout hides something, and whether it is hidden itself. */
export function checkWhiteout(place: Place, context: CheckContext): void {
  const { layer, path, directory, beneath, name } = place
  const under = findMembers(context.overlay, beneath, name)
  const hidesSomething = under.members.length > 0 || under.failure !== null
  const shows = isListed(place, context)
  if (hidesSomething) {
    if (!shows) return
    const fact = `hides a file beneath, but its name shows: ${whyListed(place, context)}`
    return context.report({ code: 'WHITEOUT_XATTR_LISTED', layer, path, fact, mend: null })
  }
  const kind = place.node.type === 'whiteout' ? 'is a whiteout' : 'is a whiteout made of an attribute'
  const parent = directory === '' ? 'the root' : 'its directory'
  const fact =
    beneath.length === 0
      ? `${kind}, and ${parent} has nothing beneath`
      : `${kind}, and no layer beneath has such a name`
  context.report({
    code: shows ? 'WHITEOUT_LISTED' : 'WHITEOUT_USELESS',
    layer,
    path,
    fact: shows ? `${fact}: the name shows in listings` : fact,
    mend: { kind: 'unlink' },
  })
}

function isListed(place: Place, context: CheckContext): boolean {
  const listing = context.visible.listing(place.layer, place.directory)
  if (listing === undefined) return false
  return listing === 'raw' || (place.node.type === 'file' && whyListed(place, context) !== null)
}

/** Where readdir does not look for whiteouts made of attributes. */
function whyListed({ layer, directory }: Place, { overlay }: CheckContext): string | null {
  if (overlay.hasUpper && layer === 0) return 'it lies in the upperdir'
  if (layer === overlay.layers.length - 1) return 'it lies in the lowest layer'
  const parent = overlay.layers[layer]?.look(directory) ?? null
  return parent !== null && opaqueValue(parent) === 'x' ? null : 'overlay.opaque of its directory is not "x"'
}
