// A tree without anything in it: compared with it, a whole tree is one change.

import type { TreeView, ViewObject } from '../../layer/index.ts'

/** The empty tree. Its root has a mode that no root has, so that the root of the other tree is always told. */
export const emptyView: TreeView = {
  root: {
    type: 'dir',
    mode: -1,
    uid: 0,
    gid: 0,
    mtimeSec: 0,
    mtimeNsec: 0,
    sizeBytes: 0,
    rdev: 0,
    nlink: 2,
    identity: 'empty',
  } satisfies ViewObject,
  list: () => [],
  find: () => null,
  readlink: nothingThere,
  xattrs: () => null,
  open: nothingThere,
}

function nothingThere(): never {
  throw new Error('Impossible: there is nothing in the empty tree')
}
