// The three ways in which overlayfs reads a layer's marks on disk, and which of them this user and this file system
// can write (kernel: fs/overlayfs, xattrs.c and util.c; Documentation/filesystems/overlayfs.rst, "whiteouts").

import * as fs from 'node:fs'
import type { BundleOverlay } from '../bundle/index.ts'
import { isCode, OvlError } from '../errors/index.ts'
import { AT_FDCWD, loadSystem, type System } from '../host/index.ts'
import { type MarkNames, markNames } from '../overlay/index.ts'

/** How marks are written. */
export type OverlayForm = Pick<BundleOverlay, 'xattrs' | 'whiteouts'>

/** The attributes that overlayfs reads in a layer of this form; those of the image under their prefix are escaped. */
export function marksOf({ xattrs }: Pick<OverlayForm, 'xattrs'>): MarkNames {
  return markNames(xattrs === 'user')
}

/**
 * The form to write below `directory`, found by trying: `trusted` where it is allowed and not declined, otherwise `user`.
 *
 * Errors: UNSUPPORTED where neither can be set.
 */
export function probeOverlayForm(directory: string, { userxattr }: { readonly userxattr: boolean }): OverlayForm {
  const system = loadSystem()
  if (system === null) throw cannot('the system calls for it need koffi, which is not installed')
  const probe = fs.mkdtempSync(`${directory}/probe-`)
  try {
    const namespaces = userxattr ? (['user'] as const) : (['trusted', 'user'] as const)
    const xattrs = namespaces.find(each => takesXattr(system, probe, marksOf({ xattrs: each }).opaque))
    if (xattrs === undefined) throw cannot('its file system has no extended attributes for it')
    return { xattrs, whiteouts: takesWhiteouts(system, `${probe}/whiteout`) ? 'device' : 'xattr' }
  } finally {
    fs.rmSync(probe, { recursive: true })
  }
}

const refusals = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP']

function takesXattr(system: System, path: string, name: string): boolean {
  try {
    system.lsetxattr(path, name, new TextEncoder().encode('y'))
    return true
  } catch (error) {
    if (refusals.some(code => isCode(error, code))) return false
    throw error
  }
}

/** Since Linux 5.8 anybody may make a character device 0:0, but not on every file system and in every sandbox. */
function takesWhiteouts(system: System, path: string): boolean {
  try {
    system.mknodat(AT_FDCWD, path, { mode: fs.constants.S_IFCHR, major: 0, minor: 0 })
    return true
  } catch (error) {
    if (refusals.some(code => isCode(error, code))) return false
    throw error
  }
}

function cannot(fact: string): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot write layers for overlayfs: ${fact}`, {
    hint: 'add --flat, which writes the merged tree only',
  })
}
