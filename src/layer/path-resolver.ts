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
}

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
        if (node.target.startsWith('/')) trail.length = 1
        walk.follow(node.target)
      } else missing.push(name)
    }
    for (const name of missing) trail.push(this.#options.makeDirectory(trail.at(-1) ?? this.#root, name))
    for (const { directory } of trail) directory.layer = this.#layer
    const place = trail.at(-1) ?? this.#root
    this.#last = { asked: path, place }
    return place
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
        if (walk.links === maxLinks) return undefined
        if (node.target.startsWith('/')) trail.length = 1
        walk.follow(node.target)
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
  readonly #path: LayerPath
  readonly #pending: string[]
  links = 0

  constructor(path: LayerPath) {
    this.#path = path
    this.#pending = path.split('/').toReversed()
  }

  next(): string | undefined {
    let name = this.#pending.pop()
    while (name === '' || name === '.') name = this.#pending.pop()
    return name
  }

  follow(target: string): void {
    if (this.links === maxLinks) {
      throw new OvlError('BAD_ENTRY', `Cannot apply an entry below ${quote(this.#path)}: too many levels of symlinks`, {
        data: { path: this.#path },
      })
    }
    this.links++
    for (const name of target.split('/').toReversed()) this.#pending.push(name)
  }
}
