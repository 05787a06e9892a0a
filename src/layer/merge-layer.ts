// Laying one layer over the merged tree below it, as trees: what the layer hides becomes marks of overlayfs (whiteout,
// opaque), directories without an entry get the attributes of the directory below. Each answers a rule of
// docs/layers.md; the outcome is the tree that `LayerApplier` makes when it applies the layers one after the other.
//
// Cost: what the layer holds, not what is below it.

import type { Warn } from '../errors/index.ts'
import { joinPath, type LayerPath } from '../path/index.ts'
import { type Attributes, impliedAttributes } from './attributes.ts'
import { type LayerAlone, parentSymlinkHidden } from './layer-alone.ts'
import { DirectoryNode, SymlinkNode, type TreeNode } from './nodes.ts'

/** What is still to be done in the directory of a layer, in this order, once the layers below are known. */
export type LayerPatch =
  /** A directory that the layer itself does not have, to hold a mark. */
  | { readonly kind: 'directory'; readonly path: LayerPath; readonly attributes: Attributes }
  /** A directory of the layer without an entry has these attributes (rule 15). */
  | { readonly kind: 'attributes'; readonly path: LayerPath; readonly attributes: Attributes }
  /** Nothing of lower layers shows in this directory of the layer. */
  | { readonly kind: 'opaque'; readonly path: LayerPath }
  /** The name is free in the layer and hides what lower layers have there. */
  | { readonly kind: 'whiteout'; readonly path: LayerPath }

/** What laying a layer over the tree below comes to. */
export type MergedLayer = {
  readonly patches: readonly LayerPatch[]
  /** The layer hides all that is below it: an overlay mount must leave those layers out (rule 10). */
  readonly hidesAllBelow: boolean
}

/** Lays `layer` over `below`, which becomes the merged tree; nodes of the layer become part of it. */
export function mergeLayer(below: DirectoryNode, layer: LayerAlone, { warn }: { readonly warn: Warn }): MergedLayer {
  const marks = plantMarks(layer)
  const hidesAllBelow = marks.opaque && below.children.size > 0
  if (hidesAllBelow) below.children.clear()
  const merge = new Merge(layer.number, warn)
  merge.root({ path: '', own: layer.root, marks, below, parent: null, exists: true })
  return { patches: merge.patches, hidesAllBelow }
}

/** The markers of a layer as a tree. */
type Marks = { whiteout: boolean; opaque: boolean; children: Map<string, Marks> | null }

function plantMarks({ whiteouts, opaques }: LayerAlone): Marks {
  const root: Marks = { whiteout: false, opaque: false, children: null }
  const at = (path: LayerPath): Marks => {
    let marks = root
    for (const name of path === '' ? [] : path.split('/')) {
      marks.children ??= new Map()
      let next = marks.children.get(name)
      if (next === undefined) marks.children.set(name, (next = { whiteout: false, opaque: false, children: null }))
      marks = next
    }
    return marks
  }
  for (const path of whiteouts) at(path).whiteout = true
  for (const path of opaques) at(path).opaque = true
  return root
}

/** A directory of the tree below that the layer has, or in which it hides something. */
type Frame = {
  readonly path: LayerPath
  readonly own: DirectoryNode | undefined
  readonly marks: Marks | undefined
  readonly below: DirectoryNode
  readonly parent: Frame | null
  /** The layer's directory is there, or a patch makes it. */
  exists: boolean
}

class Merge {
  readonly patches: LayerPatch[] = []
  readonly #number: number
  readonly #warn: Warn
  readonly #pending: Frame[] = []

  constructor(number: number, warn: Warn) {
    this.#number = number
    this.#warn = warn
  }

  root(frame: Frame): void {
    this.#takeAttributes(frame)
    this.#pending.push(frame)
    for (let next = this.#pending.pop(); next !== undefined; next = this.#pending.pop()) this.#mergeNames(next)
  }

  #mergeNames(frame: Frame): void {
    const { own, marks } = frame
    for (const [name, node] of own?.children ?? []) {
      if (node instanceof DirectoryNode) this.#mergeDirectory(frame, name, node)
      else frame.below.children.set(name, node) // a file replaces anything, and marks below it mean nothing (rule 13)
    }
    for (const [name, mark] of marks?.children ?? [])
      if (own?.children.has(name) !== true) this.#hide(frame, name, mark)
  }

  #mergeDirectory(parent: Frame, name: string, own: DirectoryNode): void {
    const path = joinPath(parent.path, name)
    const below = parent.below.children.get(name)
    const marks = parent.marks?.children?.get(name)
    const isHidden = own.replacesOwn || marks?.whiteout === true
    if (below instanceof SymlinkNode && !isHidden && own.attributesLayer === 0)
      this.#warn({ layer: this.#number, ...parentSymlinkHidden(path, below) })
    if (!(below instanceof DirectoryNode)) return void parent.below.children.set(name, own)
    if (isHidden) {
      this.patches.push({ kind: 'opaque', path })
      parent.below.children.set(name, own)
      return
    }
    if (marks?.opaque === true && below.children.size > 0) {
      this.patches.push({ kind: 'opaque', path })
      below.children.clear()
    }
    const frame: Frame = { path, own, marks, below, parent, exists: true }
    this.#takeAttributes(frame)
    this.#pending.push(frame)
  }

  /** The topmost entry decides (rule 13); a directory without one takes what is below (rule 15). */
  #takeAttributes({ path, own, below }: Frame): void {
    below.layer = this.#number
    if (own === undefined) return
    if (own.attributesLayer === 0) {
      this.patches.push({ kind: 'attributes', path, attributes: below.attributes })
      return
    }
    below.attributes = own.attributes
    below.attributesLayer = this.#number
  }

  /** A name that the layer does not have itself. */
  #hide(parent: Frame, name: string, marks: Marks): void {
    const path = joinPath(parent.path, name)
    const below: TreeNode | undefined = parent.below.children.get(name)
    if (below === undefined) return // nothing is hidden (rule 9)
    if (marks.whiteout) {
      this.#makeExist(parent)
      this.patches.push({ kind: 'whiteout', path })
      parent.below.children.delete(name)
      return
    }
    if (!(below instanceof DirectoryNode)) {
      if (marks.opaque) this.#replaceByEmpty(parent, name)
      return
    }
    const frame: Frame = { path, own: undefined, marks, below, parent, exists: false }
    if (!marks.opaque) return void this.#pending.push(frame)
    if (below.children.size === 0) return
    this.#makeExist(frame)
    this.patches.push({ kind: 'opaque', path })
    below.children.clear()
  }

  /** An opaque marker in what is no directory below (rule 11). */
  #replaceByEmpty(parent: Frame, name: string): void {
    this.#makeExist(parent)
    this.patches.push({ kind: 'directory', path: joinPath(parent.path, name), attributes: impliedAttributes })
    parent.below.children.set(name, new DirectoryNode(this.#number))
  }

  /** The layer's directory for a mark, and those on the way to it: only where something is hidden. */
  #makeExist(frame: Frame): void {
    const missing: Frame[] = []
    for (let at: Frame | null = frame; at !== null && !at.exists; at = at.parent) missing.push(at)
    for (const at of missing.toReversed()) {
      this.patches.push({ kind: 'directory', path: at.path, attributes: at.below.attributes })
      at.exists = true
    }
  }
}
