// A tree as a flat list, to be handed from one thread to another: structured cloning would lose the classes, and a deep
// tree would overflow its stack.

import type { Attributes, Xattrs } from './attributes.ts'
import { DirectoryNode, SymlinkNode, type TreeNode } from './nodes.ts'

/** A tree in the order of its paths: plain values that survive structured cloning. */
export type EncodedTree = { readonly names: readonly string[]; readonly nodes: readonly EncodedNode[] }

/** A leaf is its layer's number; null ends a directory. */
type EncodedNode =
  | number
  | { readonly target: string; readonly layer: number }
  | (Pick<DirectoryNode, 'layer' | 'attributesLayer' | 'replacesOwn'> & { readonly attributes: Attributes })
  | null

/** Encodes a tree. */
export function encodeTree(root: DirectoryNode): EncodedTree {
  const names: string[] = ['']
  const nodes: EncodedNode[] = [encodeDirectory(root)]
  const stack = [root.children.entries()]
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const next = top.next()
    if (next.done === true) {
      stack.pop()
      names.push('')
      nodes.push(null)
      continue
    }
    const [name, node] = next.value
    names.push(name)
    if (node instanceof DirectoryNode) {
      nodes.push(encodeDirectory(node))
      stack.push(node.children.entries())
    } else nodes.push(node instanceof SymlinkNode ? { target: node.target, layer: node.layer } : node)
  }
  return { names, nodes }
}

/** Decodes what `encodeTree` made. */
export function decodeTree({ names, nodes }: EncodedTree): DirectoryNode {
  const top = new DirectoryNode(0)
  const stack = [top]
  for (const [index, encoded] of nodes.entries()) {
    if (encoded === null) {
      stack.pop()
      continue
    }
    const node = decodeNode(encoded)
    stack.at(-1)?.children.set(names[index] ?? '', node)
    if (node instanceof DirectoryNode) stack.push(node)
  }
  const root = top.children.get('')
  if (!(root instanceof DirectoryNode)) throw new Error('an encoded tree begins with its root')
  return root
}

function decodeNode(encoded: Exclude<EncodedNode, null>): TreeNode {
  if (typeof encoded === 'number') return encoded
  if ('target' in encoded) return new SymlinkNode(encoded.target, encoded.layer)
  const directory = new DirectoryNode(encoded.layer)
  directory.attributes = encoded.attributes
  directory.attributesLayer = encoded.attributesLayer
  directory.replacesOwn = encoded.replacesOwn
  return directory
}

function encodeDirectory({ layer, attributes, attributesLayer, replacesOwn }: DirectoryNode): EncodedNode {
  return { layer, attributesLayer, replacesOwn, attributes: ownMemory(attributes) }
}

/** A clone of a view takes the whole buffer behind it along. */
function ownMemory(attributes: Attributes): Attributes {
  if (attributes.xattrs === null) return attributes
  const xattrs: Xattrs = new Map([...attributes.xattrs].map(([name, value]) => [name, Uint8Array.from(value)]))
  return { ...attributes, xattrs }
}
