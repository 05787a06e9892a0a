import type { NotKept } from '../bundle/index.ts'
import { DirectoryNode, nodeAt, SymlinkNode } from '../layer/index.ts'

/** What the layers could not keep, base first, of the files that the merged tree shows. */
export function keptInTree(root: DirectoryNode, layers: readonly NotKept[]): NotKept {
  const layerAt = (path: string): number | DirectoryNode | undefined => {
    const node = nodeAt(root, path)
    return node instanceof SymlinkNode ? node.layer : node
  }
  const owners = layers.flatMap((notes, index) =>
    notes.owners.filter(({ path, uid, gid }) => {
      const at = layerAt(path)
      return at instanceof DirectoryNode ? at.attributes.uid === uid && at.attributes.gid === gid : at === index + 1
    }),
  )
  return {
    // A directory that several layers have is noted by each.
    owners: [...new Map(owners.map(note => [note.path, note])).values()],
    files: layers.flatMap((notes, index) => notes.files.filter(({ path }) => layerAt(path) === index + 1)),
    xattrs: layers.flatMap((notes, index) => notes.xattrs.filter(({ path }) => layerAt(path) === index + 1)),
  }
}
