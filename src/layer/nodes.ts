// The applier's picture of the tree: names, kinds and which layer put them there; no content, and as little memory
// per file as possible (a plain number), because a rootfs can hold millions.

import { joinPath, type LayerPath } from '../path/index.ts'
import { type Attributes, impliedAttributes } from './attributes.ts'

/** A directory of the merged tree. */
export class DirectoryNode {
  readonly children: Map<string, TreeNode> = new Map()
  /** The last layer that has an entry here or below: what is not of the current layer can be hidden by it. */
  layer: number
  attributes: Attributes = impliedAttributes
  /** The layer whose own entry gave the attributes; 0 while they are those of an implied directory. */
  attributesLayer = 0
  /** It took the place of something else of its own layer: nothing of a directory below shows in it. */
  replacesOwn = false

  constructor(layer: number) {
    this.layer = layer
  }
}

/** A symlink of the merged tree. */
export class SymlinkNode {
  readonly target: string
  readonly layer: number

  constructor(target: string, layer: number) {
    this.target = target
    this.layer = layer
  }
}

/** A number is a leaf that is no symlink: the layer it is from. */
export type TreeNode = DirectoryNode | SymlinkNode | number

/** The last layer that has an entry at or below this node. */
export function layerOf(node: TreeNode): number {
  return typeof node === 'number' ? node : node.layer
}

/** A directory of the tree and the real path that leads to it, no symlink in it. */
export type Place = { readonly directory: DirectoryNode; readonly path: LayerPath }

/** Calls `visit` for every directory, children before parents. */
export function walkDirectories(top: Place, visit: (place: Place) => void): void {
  // An explicit stack: a hostile archive nests deeper than the call stack.
  const stack: { place: Place; names: Iterator<[string, TreeNode]> }[] = [
    { place: top, names: top.directory.children.entries() },
  ]
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const next = frame.names.next()
    if (next.done === true) {
      visit(frame.place)
      stack.pop()
    } else if (next.value[1] instanceof DirectoryNode) {
      const [name, directory] = next.value
      stack.push({ place: { directory, path: joinPath(frame.place.path, name) }, names: directory.children.entries() })
    }
  }
}

/** The node at a real path; undefined when there is none. */
export function nodeAt(root: DirectoryNode, path: LayerPath): TreeNode | undefined {
  let node: TreeNode | undefined = root
  if (path !== '')
    for (const name of path.split('/')) node = node instanceof DirectoryNode ? node.children.get(name) : undefined
  return node
}
