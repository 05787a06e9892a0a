// How one layer is searched for a name, or for the path that a redirect leads to, and what that tells about the layers
// beneath (rules 2, 56-59). fs/overlayfs/namei.c: ovl_lookup_layer(), ovl_lookup_single(), ovl_check_redirect().
import { type Errno, FsError, isErrno } from '../errors/index.ts'
import type { Inode } from '../fs/index.ts'
import type { LayerAnswer } from './events.ts'
import { isTrap, noteLowerRedirect } from './inode-table.ts'
import { getMark, isEx, isYes } from './marks.ts'
import { followsRedirects, type Layer, type OverlayDentry, type OverlayMount, pathBelow, rootOf } from './model.ts'
import { readRedirect } from './redirect.ts'
import { whiteoutKind } from './whiteout.ts'

/** A search through the layers: struct ovl_lookup_data. */
export class Search {
  readonly mount: OverlayMount
  readonly directory: OverlayDentry
  /** The name that is asked for. */
  readonly name: string
  /** What the next layer is searched for: the name, or where the last redirect leads. */
  path: string
  redirect: string | null = null
  isAbsoluteRedirect = false
  /** A directory was found. */
  isDirectory = false
  /** What was found, or a whiteout, hides the layers beneath. */
  isOpaque = false
  hasXattrWhiteouts = false
  /** Nothing beneath counts. */
  stop = false
  /** There is nothing beneath. */
  isLast: boolean
  /** The last file found holds metadata only. */
  metacopy = false

  constructor(mount: OverlayMount, directory: OverlayDentry, name: string) {
    this.mount = mount
    this.directory = directory
    this.name = name
    this.path = name
    const isLeast = directory.inode.lower.length === 0 && mount.dataLayers.length === 0
    this.isLast = !followsRedirects(mount) && isLeast
  }

  /** Searches a layer, from its directory for the parent or, for an absolute redirect, from its root. */
  layer(layer: Layer, base: Inode): Inode | null {
    if (!this.path.startsWith('/')) return this.#component({ layer, base, from: 0, to: this.path.length })
    let at: Inode | null = layer.root
    let behind = this.path.length - 1
    while (at !== null && at.type === 'dir') {
      const from = this.path.length - behind
      const slash = this.path.indexOf('/', from)
      const to = slash < 0 ? this.path.length : slash
      const isEnd = to === this.path.length
      behind = this.path.length - to - 1
      at = this.#component({ layer, base: at, from, to })
      if (isEnd) break
    }
    return at
  }

  /** Tells listeners why the search fails. */
  refused(errno: Errno, rule: number): void {
    const { mount, directory, name } = this
    mount.trace?.({ kind: 'refused', path: pathBelow(directory, name), operation: 'lookup', errno, rule })
  }

  /** One name of `path`, which stands from `from` to `to` in it. */
  #component(step: Step): Inode | null {
    const { layer, base, from, to } = step
    const isFinal = to === this.path.length
    const name = from === 0 && isFinal ? this.path : this.path.slice(from, to)
    const inode = lookupIn(layer, base, name)
    if (inode === null) {
      this.#tell(layer, 'missing', 1)
      return null
    }
    const whiteout = inode.type === 'dir' ? null : whiteoutKind(this.mount, layer, inode)
    if (whiteout !== null) {
      this.stop = true
      this.isOpaque = true
      this.#tell(layer, whiteout, whiteout === 'whiteout' ? 54 : 56)
      return null
    }
    if (isFinal && this.metacopy && inode.type !== 'file') return this.#ignore(layer)
    if (inode.type !== 'dir') return this.#nonDirectory(step, inode, isFinal)
    return this.#directory(step, inode, isFinal)
  }

  #nonDirectory(step: Step, inode: Inode, isFinal: boolean): Inode | null {
    if (this.isDirectory || !isFinal) return this.#ignore(step.layer)
    this.metacopy = isMetacopyFile(this.mount, step.layer, inode)
    this.stop = !this.metacopy
    this.#tell(step.layer, this.metacopy ? 'metacopy' : 'file', this.metacopy ? 59 : 68)
    if (this.metacopy && !this.isLast) this.#readRedirect(step, inode)
    return inode
  }

  #directory(step: Step, inode: Inode, isFinal: boolean): Inode {
    const { mount } = this
    const { layer } = step
    if (isTrap(mount, layer.superBlock, inode)) {
      this.refused('ELOOP', 33)
      throw new FsError('ELOOP', 'lookup')
    }
    if (isFinal) this.isDirectory = true
    if (this.isLast) {
      this.#tell(layer, 'directory', 68)
      return inode
    }
    const opaque = getMark(mount, layer, { inode, mark: 'opaque' })
    if (isFinal && layer.role !== 'upper' && isEx(opaque)) {
      this.hasXattrWhiteouts = true
      layer.hasXattrWhiteouts = true
    } else if (isYes(opaque)) {
      this.stop = true
      if (isFinal) this.isOpaque = true
      this.#tell(layer, 'opaque-directory', 57)
      return inode
    }
    this.#tell(layer, 'directory', 68)
    this.#readRedirect(step, inode)
    return inode
  }

  #readRedirect({ layer, from, to }: Step, inode: Inode): void {
    this.isAbsoluteRedirect = false
    const redirect = readRedirect(this.mount, layer, inode)
    if (redirect === null) return
    if (layer.role !== 'upper') noteLowerRedirect(this.mount, rootOf(this.directory))
    const rest = this.path.slice(to)
    if (redirect.startsWith('/')) {
      this.isAbsoluteRedirect = true
      // An opaque directory on the way to here does not hide what this one leads to.
      this.stop = false
      this.redirect = `${redirect}${rest}`
    } else this.redirect = `${this.path.slice(0, from)}${redirect}${rest}`
    this.path = this.redirect
  }

  #ignore(layer: Layer): null {
    this.stop = true
    this.#tell(layer, 'ignored', 69)
    return null
  }

  #tell(layer: Layer, answer: LayerAnswer, rule: number): void {
    const { mount, directory, name } = this
    if (mount.trace === null) return
    const redirect = this.redirect === null ? {} : { redirect: this.redirect }
    mount.trace({ kind: 'lookup', path: pathBelow(directory, name), layer: layer.index, answer, ...redirect, rule })
  }
}

/** True for a file that holds metadata only. Errors: EIO for a value that is too short (rule 59). */
export function isMetacopyFile(mount: OverlayMount, layer: Layer, inode: Inode): boolean {
  if (inode.type !== 'file') return false
  const value = getMark(mount, layer, { inode, mark: 'metacopy' })
  if (value === null) return false
  if (value.length > 0 && value.length < metacopyMinBytes) throw new FsError('EIO', 'lookup')
  return true
}

type Step = { readonly layer: Layer; readonly base: Inode; readonly from: number; readonly to: number }

const metacopyMinBytes = 4

/** A name that no layer can hold is missing there. */
function lookupIn({ superBlock }: Layer, base: Inode, name: string): Inode | null {
  // Of redirects: nobody else asks for these (lookup_one_common()).
  if (name === '.' || name === '..') throw new FsError('EACCES', 'lookup')
  try {
    return superBlock.lookup(base, name)
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENAMETOOLONG')) return null
    throw error
  }
}
