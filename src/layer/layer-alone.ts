// One layer apart from those below it. Nearly all that a layer says can be carried out without knowing what it will be
// laid over, so that layers can be written in any order and at the same time; what it hides is noted and decided by
// `mergeLayer`. The rest (a hard link to a file of a lower layer, --keep-dirlinks) needs the tree below.

import { quote } from '../errors/index.ts'
import type { LayerPath } from '../path/index.ts'
import { DirectoryNode, layerOf, type SymlinkNode } from './nodes.ts'

/** What an applier may know when it applies one layer by itself. */
export type Isolation = {
  /** The merged tree of the layers below, which the applier takes over and changes; null while it is not known. */
  readonly below: DirectoryNode | null
  /** Copies a file that is no directory from a lower layer to the same path of this one. Only asked with `below`. */
  readonly copyUp: (path: LayerPath, fromLayer: number) => void
}

/** What one layer holds by itself, and what it hides of any layer below. */
export type LayerAlone = {
  readonly number: number
  /** Only what is the layer's own; directories without an entry have `attributesLayer` 0. */
  readonly root: DirectoryNode
  /** Real paths, no symlink of this layer in them. Each may hide something or nothing. */
  readonly whiteouts: readonly LayerPath[]
  readonly opaques: readonly LayerPath[]
}

/** Thrown where a layer says something that only the tree below can decide: apply it again, with `below`. */
export class NeedsLayersBelow extends Error {
  override readonly name = 'NeedsLayersBelow'

  constructor(layer: number) {
    super(`layer ${layer} depends on the layers below it`)
  }
}

/** A copy of the part of a tree that belongs to one layer. */
export function ownTree(root: DirectoryNode, layer: number): DirectoryNode {
  const top = ownDirectory(root, layer)
  const pending = [{ from: root, to: top }]
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    for (const [name, node] of pair.from.children) {
      if (layerOf(node) !== layer) continue
      if (!(node instanceof DirectoryNode)) pair.to.children.set(name, node)
      else {
        const to = ownDirectory(node, layer)
        pair.to.children.set(name, to)
        pending.push({ from: node, to })
      }
    }
  }
  return top
}

function ownDirectory(from: DirectoryNode, layer: number): DirectoryNode {
  const to = new DirectoryNode(layer)
  to.replacesOwn = from.replacesOwn
  if (from.attributesLayer !== layer) return to
  to.attributes = from.attributes
  to.attributesLayer = layer
  return to
}

/** The warning about a symlink of a lower layer that gives way to a directory nobody asked for (rule 17). */
export function parentSymlinkHidden(
  path: LayerPath,
  { target, layer }: SymlinkNode,
): { readonly code: 'PARENT_SYMLINK_HIDDEN'; readonly message: string; readonly path: LayerPath } {
  const message = `${quote(path)} is a symlink to ${quote(target)} in layer ${layer} and is hidden by a directory that this layer implies`
  return { code: 'PARENT_SYMLINK_HIDDEN', message, path }
}
