// overlay.redirect: how a directory, or a file whose data stayed below, that was renamed is found in the layers beneath
// (rules 58, 107, 133, 134). fs/overlayfs/util.c: ovl_get_redirect_xattr(); dir.c: ovl_set_redirect().
import { FsError } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import { decodeName, encodeName, nameByteLength } from '../path/index.ts'
import { getMark, setMarkOr } from './marks.ts'
import { type Layer, type OverlayDentry, type OverlayMount, pathOf } from './model.ts'

/** The longest absolute redirect, in bytes: the module's parameter redirect_max. */
export const redirectMaxBytes = 256

/** The redirect of an object of a layer; null without one. Errors: EINVAL (rule 58). */
export function readRedirect(mount: OverlayMount, layer: Layer, inode: Inode): string | null {
  const value = getMark(mount, layer, { inode, mark: 'redirect' })
  if (value === null) return null
  // The kernel reads a C string.
  const end = value.indexOf(0)
  const redirect = decodeName(end < 0 ? value : value.subarray(0, end))
  if (value.length > 0 && isWellFormed(redirect)) return redirect
  throw new FsError('EINVAL', 'lookup')
}

/**
 * Lets a directory or a metacopy that is about to move be found below by its present name.
 * Errors: EXDEV when that takes too long a path, or cannot be stored.
 */
export function setRedirect(mount: OverlayMount, dentry: OverlayDentry, isSameDirectory: boolean): void {
  const { inode } = dentry
  const isAbsolute = needsAbsoluteRedirect(dentry, isSameDirectory)
  if (inode.redirect !== null && (!isAbsolute || inode.redirect.startsWith('/'))) return
  const redirect = isAbsolute ? absoluteRedirect(dentry) : dentry.name
  if (inode.upper === null) throw new FsError('EXDEV', 'rename')
  try {
    const value = encodeName(redirect)
    setMarkOr(mount, { inode: inode.upper, mark: 'redirect' }, { value, without: 'EXDEV' })
  } catch (error) {
    if (!(error instanceof FsError)) throw error
    throw new FsError('EXDEV', 'rename')
  }
  inode.redirect = redirect
  mount.trace?.({ kind: 'redirect', path: pathOf(dentry), value: redirect, rule: 133 })
}

function isWellFormed(redirect: string): boolean {
  if (!redirect.startsWith('/')) return !redirect.includes('/')
  return redirect.length > 1 && !redirect.includes('//') && !redirect.endsWith('/')
}

function needsAbsoluteRedirect({ inode }: OverlayDentry, isSameDirectory: boolean): boolean {
  if (!isSameDirectory) return true
  if (inode.type === 'dir') return false
  // Names of one hard link may end up in different directories.
  const [lower] = inode.lower
  return lower !== undefined && lower.layer.superBlock.stat(lower.inode).nlink > 1
}

/** The path by which the layers beneath know a name: through the redirects of the directories above it. */
function absoluteRedirect(dentry: OverlayDentry): string {
  let path = ''
  let room = redirectMaxBytes
  for (let at = dentry; at.parent !== at; at = at.parent) {
    const name = at.inode.redirect ?? at.name
    const isAbsolute = name.startsWith('/')
    const sizeBytes = nameByteLength(name)
    if (sizeBytes + (isAbsolute ? 0 : 1) > room) throw new FsError('EXDEV', 'rename')
    room -= sizeBytes + (isAbsolute ? 0 : 1)
    path = isAbsolute ? `${name}${path}` : `/${name}${path}`
    if (isAbsolute) break
  }
  return path
}
