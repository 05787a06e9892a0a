// Lookup through the layers of an overlay that is not mounted (fs/overlayfs/namei.c: ovl_lookup(), ovl_lookup_layer(),
// ovl_lookup_single()), with the errors that a real lookup would give.

import {
  below,
  isValidRedirect,
  isWhiteout,
  type LayerNode,
  type LayerReader,
  type Member,
  opaqueValue,
  redirectValue,
  type StoredOverlay,
} from './layer-reader.ts'

/** What a name of a merged directory is made of. */
export type Found = {
  /** Top-most first; empty where the name does not show. Members of a directory are all directories. */
  readonly members: readonly Member[]
  /** Why the lookup fails. */
  readonly failure: LookupFailure | null
}

/** The errno of a failed lookup, and what it is about. */
export type LookupFailure =
  | { readonly errno: 'EINVAL'; readonly about: 'redirect' }
  | { readonly errno: 'EACCES'; readonly about: 'redirect' }
  | { readonly errno: 'EPERM'; readonly about: 'redirect' | 'metacopy' }
  | { readonly errno: 'EIO'; readonly about: 'metacopy' }
  | { readonly errno: 'ENOENT'; readonly about: 'data' }

/** A directory of a layer; its node is not needed to look something up in it. */
export type Parent = Pick<Member, 'layer' | 'path'>

/** The roots of the layers from this one downwards. */
export function rootsFrom({ layers }: StoredOverlay, first: number): readonly Parent[] {
  return layers.slice(first).map((_, index) => ({ layer: first + index, path: '' }))
}

/** Looks a name up in the members of a directory, top-most first. */
export function findMembers(overlay: StoredOverlay, parents: readonly Parent[], name: string): Found {
  const lookup = new Lookup(overlay, name)
  return { members: lookup.members, failure: lookup.run(parents) }
}

class Lookup {
  readonly members: Member[] = []
  readonly #overlay: StoredOverlay
  /** A name, or after a redirect an absolute path: what is looked for in the next layer. */
  #wanted: string
  #redirected: 'no' | 'by name' | 'by path' = 'no'
  #stop = false
  #isDirectory = false
  /** A file without its data was found: what comes next must have it. */
  #needsData = false

  constructor(overlay: StoredOverlay, name: string) {
    this.#overlay = overlay
    this.#wanted = name
  }

  run(parents: readonly Parent[]): LookupFailure | null {
    let queue = parents
    let areRoots = parents.every(({ path }) => path === '')
    for (let i = 0; i < queue.length && !this.#stop; i++) {
      const parent = queue[i] as Parent
      const failure = this.#lookIn(parent, i === queue.length - 1) ?? this.#mayGoOn()
      if (failure !== null) return failure
      if (this.#redirected === 'by path' && !areRoots) {
        // From here on every layer beneath is asked, not only those that have the parent.
        queue = rootsFrom(this.#overlay, parent.layer + 1)
        areRoots = true
        i = -1
      }
    }
    return this.#needsData ? this.#findData() : null
  }

  /** After each layer: what was found may need what this overlay does not do. */
  #mayGoOn(): LookupFailure | null {
    if (this.#needsData && !this.#overlay.metacopy) return { errno: 'EPERM', about: 'metacopy' }
    if (this.#redirected !== 'no' && !this.#overlay.followsRedirects) return { errno: 'EPERM', about: 'redirect' }
    return null
  }

  #lookIn({ layer, path }: Parent, isLastParent: boolean): LookupFailure | null {
    const isUpper = this.#overlay.hasUpper && layer === 0
    const { followsRedirects, layers, dataLayers } = this.#overlay
    const mayBeLast = this.#isDirectory || dataLayers.length === 0
    const isLast = followsRedirects ? !isUpper && mayBeLast && layer === layers.length - 1 : isLastParent
    if (!this.#wanted.startsWith('/'))
      return this.#step({ layer, path: below(path, this.#wanted), isLast, prefix: '', rest: '' }).failure
    let at = ''
    let rest = this.#wanted.slice(1)
    for (;;) {
      const slash = rest.indexOf('/')
      const name = slash < 0 ? rest : rest.slice(0, slash)
      const prefix = this.#wanted.slice(0, this.#wanted.length - rest.length)
      rest = slash < 0 ? '' : rest.slice(slash + 1)
      at = below(at, name)
      const { failure, goOn } = this.#step({ layer, path: at, isLast, prefix, rest: slash < 0 ? '' : `/${rest}` })
      if (failure !== null || !goOn || slash < 0) return failure
    }
  }

  /** One component in one layer. `rest` is what follows it, with its slash. */
  #step(step: Step): { readonly failure: LookupFailure | null; readonly goOn: boolean } {
    const { layer, path, isLast, rest } = step
    if (/(?:^|\/)\.{1,2}$/.test(path)) return { failure: { errno: 'EACCES', about: 'redirect' }, goOn: false }
    const node = this.#overlay.layers[layer]?.look(path) ?? null
    if (node === null) return nothing
    const isFinal = rest === ''
    if (isWhiteout(node) || (isFinal && this.#needsData && node.type !== 'file')) {
      this.#stop = true
      return nothing
    }
    const isDirectory = node.type === 'directory'
    if (!isDirectory && (this.#isDirectory || !isFinal)) {
      this.#stop = true
      return nothing
    }
    if (isFinal) this.members.push({ layer, path, node })
    const ends = isDirectory ? this.#enterDirectory(node, isFinal) : this.#enterFile(node)
    if (ends !== 'reads redirect' || (isLast && (isDirectory || this.#needsData))) return found
    return { failure: this.#followRedirect(node, step), goOn: true }
  }

  #enterDirectory(node: LayerNode, isFinal: boolean): 'stops' | 'reads redirect' {
    if (isFinal) this.#isDirectory = true
    if (opaqueValue(node) !== 'y') return 'reads redirect'
    this.#stop = true
    return 'stops'
  }

  #enterFile(node: LayerNode): 'stops' | 'reads redirect' {
    this.#needsData = node.type === 'file' && node.marks.has('metacopy')
    this.#stop = !this.#needsData
    return this.#needsData ? 'reads redirect' : 'stops'
  }

  #followRedirect(node: LayerNode, { prefix, rest }: Step): LookupFailure | null {
    const redirect = redirectValue(node)
    if (redirect === null) return null
    if (!isValidRedirect(redirect)) return { errno: 'EINVAL', about: 'redirect' }
    const isPath = redirect.startsWith('/')
    this.#wanted = isPath ? redirect + rest : prefix + redirect + rest
    this.#redirected = isPath || this.#redirected === 'by path' ? 'by path' : 'by name'
    return null
  }

  /** Data-only layers are asked at last, and only with an absolute path. */
  #findData(): LookupFailure | null {
    const { dataLayers, metacopy } = this.#overlay
    if (dataLayers.length === 0) return { errno: 'EIO', about: 'metacopy' }
    if (!metacopy && this.#redirected !== 'by path') return { errno: 'EPERM', about: 'metacopy' }
    if (this.#redirected !== 'by path') return { errno: 'EIO', about: 'metacopy' }
    const hasData = dataLayers.some(layer => hasFile(layer, this.#wanted.slice(1).split('/')))
    return hasData ? null : { errno: 'ENOENT', about: 'data' }
  }
}

/** No symlink is followed on the way. */
function hasFile(layer: LayerReader, parts: readonly string[]): boolean {
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  return paths.every((path, index) => layer.look(path)?.type === (index === parts.length - 1 ? 'file' : 'directory'))
}

type Step = {
  readonly layer: number
  readonly path: string
  readonly isLast: boolean
  /** What stands before the component in the path that is looked for. */
  readonly prefix: string
  readonly rest: string
}

const nothing = { failure: null, goOn: false } as const
const found = { failure: null, goOn: true } as const
