// Whose marks an upperdir has. Names that begin with ".wh." are ordinary files to the kernel (rule 67), so AUFS and
// fuse-overlayfs are believed only where they left something that nobody else writes.
import { opaqueMarker } from '../../path/index.ts'
import type { ViewObject, TreeView } from './tree-view.ts'

/** Begins the attributes that fuse-overlayfs alone writes. */
export const fusePrefix = 'user.fuseoverlayfs.'

/** What AUFS makes in the root of every branch. */
const aufsNames = ['.wh..wh.aufs', '.wh..wh.orph', '.wh..wh.plnk']

/** True for a branch of AUFS. */
export function isAufs(view: TreeView): boolean {
  return aufsNames.some(name => view.find(view.root, name) !== null)
}

/** True for an upperdir of fuse-overlayfs: opaque directories are marked twice, by attribute and by name. */
export function isFuseOverlayfs(view: TreeView): boolean {
  const pending: ViewObject[] = [view.root]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const { name, object } of view.list(directory)) {
      if (name === opaqueMarker && isMarkedOpaque(view, directory)) return true
      if (object.type === 'dir') pending.push(object)
    }
  }
  return false
}

function isMarkedOpaque(view: TreeView, directory: ViewObject): boolean {
  return [...(view.xattrs(directory)?.keys() ?? [])].some(name => opaqueNames.has(name))
}

const opaqueNames = new Set(['trusted.overlay.opaque', 'user.overlay.opaque', `${fusePrefix}opaque`])
