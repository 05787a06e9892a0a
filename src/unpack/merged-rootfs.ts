// The merged tree of layers that are not merged on disk, as far as users and groups of a runtime configuration need it:
// names from the tree in memory, contents from the layer that has them.

import { hostRootfs, type RootfsReader } from '../bundle/index.ts'
import { DirectoryNode, nodeAt, SymlinkNode } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'
import { mapOwner } from './ownership.ts'
import type { WrittenLayers } from './write-layers.ts'

/** Reads the merged tree of written layers; owners are those on disk. */
export function mergedRootfs({ root, task }: Pick<WrittenLayers, 'root' | 'task'>): RootfsReader {
  const layers = new Map<number, RootfsReader>()
  const layerOf = (path: LayerPath): RootfsReader | null => {
    const node = nodeAt(root, path)
    if (node === undefined || node instanceof DirectoryNode) return null
    const number = node instanceof SymlinkNode ? node.layer : node
    const reader = layers.get(number) ?? hostRootfs(`${task.workspace}/lower/${number}`)
    layers.set(number, reader)
    return reader
  }
  const file = (path: LayerPath): RootfsReader => {
    const reader = layerOf(path)
    if (reader === null) throw new Error(`${path} is no file of the merged tree`)
    return reader
  }
  return {
    lstat(path) {
      const node = nodeAt(root, path)
      if (!(node instanceof DirectoryNode)) return layerOf(path)?.lstat(path) ?? null
      const self = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
      const { ownership } = task
      const owner = ownership.kind === 'record' ? self : mapOwner(node.attributes, ownership, path)
      return { kind: 'directory', ...owner, sizeBytes: 0 }
    },
    readlink: path => file(path).readlink(path),
    readFile: path => file(path).readFile(path),
    isEmpty(path) {
      const node = nodeAt(root, path)
      return node instanceof DirectoryNode && node.children.size === 0
    },
  }
}
