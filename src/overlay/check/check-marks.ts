import { quote } from '../../errors/index.ts'
import type { CheckContext, Place } from './check-overlay.ts'
import { findMembers } from './find-members.ts'
import type { FindingCode, Mend } from './finding-table.ts'
import { isValidRedirect, isWhiteout, type Member, opaqueValue, redirectValue } from './layer-reader.ts'
import { parseOrigin } from '../format/stored-handle.ts'

/** The marks of the root of a layer: none of them means anything. */
export function checkRootMarks(place: Pick<Place, 'layer' | 'node'>, context: CheckContext): void {
  const { layer, node } = place
  checkOtherMarks({ ...place, path: '' }, context)
  if (opaqueValue(node) !== 'y') return
  const fact = 'is the root of a layer and marked opaque: the kernel shows what is beneath all the same'
  context.report({ code: 'OPAQUE_ON_ROOT', layer, path: '', fact, mend: removal('opaque') })
}

/** Marks that this overlay does not read. */
export function checkOtherMarks(
  { layer, path, node }: Pick<Place, 'layer' | 'path' | 'node'>,
  context: CheckContext,
): void {
  if (node.otherMarks.length === 0) return
  const prefix = context.userxattr ? 'user.overlay.*' : 'trusted.overlay.*'
  const fact = `carries ${node.otherMarks.join(', ')}, but this overlay reads ${prefix}`
  context.report({ code: 'PREFIX_OTHER', layer, path, fact, mend: null })
}

/** The kernel reads origins of the upperdir only. */
export function checkOrigin({ layer, path, node }: Place, context: CheckContext): void {
  const value = node.marks.get('origin')
  if (value === undefined || layer > 0 || !context.overlay.hasUpper) return
  const mend: Mend = { kind: 'empty-mark', mark: 'origin' }
  const handle = parseOrigin(value)
  if (handle === null) {
    const fact = `has an overlay.origin of ${value.length} bytes that is no file handle`
    return context.report({ code: 'ORIGIN_INVALID', layer, path, fact, mend })
  }
  if (handle === 'unknown' || context.originExists(value) !== false) return
  const fact = 'was copied up from a file that no lower layer has any more'
  context.report({ code: 'ORIGIN_STALE', layer, path, fact, mend })
}

/** overlay.opaque and overlay.redirect of a directory. */
export function checkDirectoryMarks(place: Place, context: CheckContext): void {
  checkOpaque(place, context)
  checkRedirect(place, context)
}

/** overlay.metacopy of a file, and marks that belong on other things. */
export function checkFileMarks(place: Place, context: CheckContext): void {
  const { layer, path, node } = place
  const tell = (code: FindingCode, fact: string, mend: Mend | null): void =>
    context.report({ code, layer, path, fact, mend })
  if (node.marks.has('whiteout') && !isWhiteout(node))
    tell('WHITEOUT_IGNORED', 'carries overlay.whiteout, but is no empty regular file', removal('whiteout'))
  const metacopy = node.type === 'file' ? node.marks.get('metacopy') : undefined
  if (metacopy === undefined) return
  if (metacopy.length > 0 && metacopy.length < 4)
    return tell('METACOPY_INVALID', `has an overlay.metacopy of ${metacopy.length} bytes`, null)
  const { failure } = lookup(place, { ...context, overlay: { ...context.overlay, metacopy: true } })
  if (failure === null) return context.onMetacopy(layer, path)
  if (failure.about === 'redirect') return tellRedirectFailure(place, failure.errno, context)
  const where = redirectValue(node) === null ? '' : ` at ${quote(redirectValue(node) ?? '')}`
  tell('METACOPY_NO_DATA', `holds metadata only, and no layer beneath has its data${where} (${failure.errno})`, null)
}

function checkOpaque({ layer, path, name, node, beneath }: Place, { overlay, report }: CheckContext): void {
  const value = opaqueValue(node)
  if (value === null) return
  const mend = redirectValue(node) === null ? removal('opaque') : null
  if (value === 'y') {
    const [under] = findMembers(overlay, beneath, name).members
    if (under?.node.type === 'directory') return
    const fact = 'is opaque, and no layer beneath has such a directory'
    return report({ code: 'OPAQUE_USELESS', layer, path, fact, mend })
  }
  const isUpper = overlay.hasUpper && layer === 0
  if (value === 'x' && !isUpper && layer < overlay.layers.length - 1) return
  const place = value !== 'x' ? '' : isUpper ? ' in the upperdir' : ' in the lowest layer'
  const fact = `has overlay.opaque ${quote(value)}, which means nothing${place}`
  report({ code: 'OPAQUE_IGNORED', layer, path, fact, mend: removal('opaque') })
}

function checkRedirect(place: Place, context: CheckContext): void {
  const { layer, path, node } = place
  const redirect = redirectValue(node)
  if (redirect === null) return
  const tell = (code: FindingCode, fact: string): void => context.report({ code, layer, path, fact, mend: null })
  if (opaqueValue(node) === 'y') return tell('REDIRECT_IGNORED', `redirects to ${quote(redirect)}, but is opaque`)
  if (isLowest(place, context))
    return tell('REDIRECT_IGNORED', `redirects to ${quote(redirect)}, but lies in the lowest layer`)
  const { members, failure } = lookup(place, context)
  if (failure !== null) return tellRedirectFailure(place, failure.errno, context)
  const target = members[1]
  if (target === undefined)
    return tell('REDIRECT_NO_TARGET', `redirects to ${quote(redirect)}, which no lower layer has: shows as empty`)
  checkTwice(place, target, context)
}

/** Only merged directories of the upperdir are known by what they merge with. */
function checkTwice({ layer, path }: Place, target: Member, { overlay, visible, report }: CheckContext): void {
  if (!overlay.hasUpper || layer > 0) return
  const others = visible.shownAt(target.layer, target.path).filter(other => other !== path)
  const [other] = others
  if (other === undefined) return
  const fact = `redirects to a directory that also shows as ${quote(other)}: only one of them can be open at a time`
  report({ code: 'REDIRECT_TWICE', layer, path, fact, mend: null })
}

function tellRedirectFailure({ layer, path, node }: Place, errno: string, { report }: CheckContext): void {
  const redirect = redirectValue(node) ?? ''
  const own = isValidRedirect(redirect) && redirect !== '.' && redirect !== '..'
  const fact =
    errno === 'EPERM'
      ? `redirects to ${quote(redirect)}, and this overlay follows no redirects (EPERM)`
      : own
        ? `redirects to ${quote(redirect)}, and a redirect on the way is malformed (${errno})`
        : `redirects to ${quote(redirect)}, which is no name and no absolute path (${errno})`
  report({ code: errno === 'EPERM' ? 'REDIRECT_REFUSED' : 'REDIRECT_INVALID', layer, path, fact, mend: null })
}

/** The kernel does not read redirects of the lowest layer. */
function isLowest({ layer, beneath }: Place, { overlay }: CheckContext): boolean {
  if (!overlay.followsRedirects) return beneath.length === 0
  return layer === overlay.layers.length - 1 && !(overlay.hasUpper && layer === 0)
}

function lookup({ layer, directory, beneath, name }: Place, { overlay }: CheckContext): ReturnType<typeof findMembers> {
  return findMembers(overlay, [{ layer, path: directory }, ...beneath], name)
}

function removal(mark: string): Mend {
  return { kind: 'remove-mark', mark }
}
