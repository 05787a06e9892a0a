// Finding the directory that a name leads to, component by component and inside the tree only: symlinks of the
// current layer are followed as chroot would (rule 16), those of lower layers are hidden or, when asked, followed.

import { OvlError, quote } from '../errors/index.ts'
import { joinPath, type LayerPath } from '../path/index.ts'
import { DirectoryNode, type Place, SymlinkNode } from './nodes.ts'

const maxLinks = 40 // as the kernel counts them before ELOOP

/** How symlinks of lower layers are treated, and who makes missing directories. */
export type ResolverOptions = {
  readonly keepDirlinks: boolean
  /** Makes the directory `name`, in place of whatever has that name. */
  readonly makeDirectory: (parent: Place, name: string) => Place
  /** An entry of the current layer is here or below: the directory counts as the layer's own (rule 7). */
  readonly claim: (place: Place) => void
}

/** Where a path leads: the directories on the way, root first, and the names that are missing after them. */
export type Location = { readonly trail: readonly Place[]; readonly missing: readonly string[] }

/** Resolves paths in one tree for the layer that is being applied. */
export class PathResolver {
  readonly #root: Place
  readonly #options: ResolverOptions
  #layer = 0
  /** The last directory entered: archives list a directory's members one after the other. */
  #last: { readonly asked: LayerPath; readonly place: Place } | undefined

  constructor(root: Place, options: ResolverOptions) {
    this.#root = root
    this.#options = options
  }

  beginLayer(layer: number): void {
    this.#layer = layer
    this.#last = undefined
  }

  /** Something was removed from the tree: the directory remembered may be gone. */
  forget(): void {
    this.#last = undefined
  }

  /**
   * The directory `path` for an entry of the current layer. What is missing, or is no directory, becomes an implied
   * directory; every directory on the way counts as this layer's own (rule 7).
   *
   * Errors: BAD_ENTRY for a loop of symlinks.
   */
  enter(path: LayerPath): Place {
    if (this.#last?.asked === path) return this.#last.place
    const location = this.locate(path)
    if (location === undefined) {
      throw new OvlError('BAD_ENTRY', `Cannot apply an entry below ${quote(path)}: too many levels of symlinks`, {
        data: { path },
      })
    }
    for (const found of location.trail) this.#options.claim(found)
    let place = location.trail.at(-1) ?? this.#root
    for (const name of location.missing) place = this.#options.makeDirectory(place, name)
    this.#last = { asked: path, place }
    return place
  }

  /**
   * Where an entry below the directory `path` would go, and nothing is made: the same place whatever lower layers hold
   * (unless their symlinks are followed, --keep-dirlinks). Undefined for a loop of symlinks.
   */
  locate(path: LayerPath): Location | undefined {
    const trail = [this.#root]
    // Names that have to be made. While there are any, the rest of the path is taken lexically: there is nothing to
    // resolve below what does not exist, and "a/.." must not make "a".
    const missing: string[] = []
    const walk = new Walk(path)
    for (let name = walk.next(); name !== undefined; name = walk.next()) {
      if (name === '..') {
        if (missing.pop() === undefined && trail.length > 1) trail.pop()
        continue
      }
      const top = trail.at(-1) ?? this.#root
      const node = missing.length > 0 ? undefined : top.directory.children.get(name)
      if (node instanceof DirectoryNode) trail.push({ directory: node, path: joinPath(top.path, name) })
      else if (node instanceof SymlinkNode && this.#follows(node, top, name)) {
        if (!walk.follow(node.target)) return undefined
        if (node.target.startsWith('/')) trail.length = 1
      } else missing.push(name)
    }
    return { trail, missing }
  }

  /**
   * The directory `path` as it is, or undefined; nothing is made. With `throughLower`, symlinks of lower layers are
   * followed too (for the target of a hard link); without, they are followed only under --keep-dirlinks.
   */
  find(path: LayerPath, { throughLower = false }: { readonly throughLower?: boolean } = {}): Place | undefined {
    const trail = [this.#root]
    const walk = new Walk(path)
    for (let name = walk.next(); name !== undefined; name = walk.next()) {
      if (name === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      const top = trail.at(-1) ?? this.#root
      const node = top.directory.children.get(name)
      if (node instanceof DirectoryNode) trail.push({ directory: node, path: joinPath(top.path, name) })
      else if (
        node instanceof SymlinkNode &&
        (throughLower || this.#options.keepDirlinks || node.layer === this.#layer)
      ) {
        if (!walk.follow(node.target)) return undefined
        if (node.target.startsWith('/')) trail.length = 1
      } else return undefined
    }
    return trail.at(-1)
  }

  #follows(link: SymlinkNode, parent: Place, name: string): boolean {
    if (link.layer === this.#layer) return true
    return this.#options.keepDirlinks && this.find(joinPath(parent.path, name)) !== undefined
  }
}

/** The components still to walk, those of a followed symlink first. */
class Walk {
  readonly #pending: string[]
  #links = 0

  constructor(path: LayerPath) {
    this.#pending = path.split('/').toReversed()
  }

  next(): string | undefined {
    let name = this.#pending.pop()
    while (name === '' || name === '.') name = this.#pending.pop()
    return name
  }

  /** False when there were too many. */
  follow(target: string): boolean {
    if (++this.#links > maxLinks) return false
    for (const name of target.split('/').toReversed()) this.#pending.push(name)
    return true
  }
}
