// A scenario as root of a user namespace can run it: nothing in the layers that only root outside could put there. What
// the steps try stays, and is refused or not.
import type { Tree, TreeNode } from '../../fs/index.ts'
import { isDataOnly, type LowerTree, type Scenario } from '../scenario.ts'

/** Ids from here on are not mapped. */
const firstForeign = 65_536

/** The scenario without devices, trusted and security attributes, foreign owners, and options that need privileges. */
export function inUserNamespace(scenario: Scenario): Scenario {
  const { metacopy: _metacopy, verity: _verity, nfs_export: _export, ...options } = scenario.options
  const { redirect_dir: redirect, ...others } = options
  const ownTree = (tree: Tree): Tree => withoutForeign(tree, options.userxattr === true)
  const lower = scenario.lower.filter(layer => !isDataOnly(layer)).map((layer): LowerTree => ownTree(layer as Tree))
  const { upper } = scenario
  return {
    ...scenario,
    options: redirect === undefined || options.userxattr !== true ? others : options,
    // Without upper layer there have to be two.
    lower: upper === undefined && lower.length < 2 ? [...lower, {}] : lower,
    ...(upper === undefined ? {} : { upper: ownTree(upper) }),
    userNamespace: true,
  }
}

function withoutForeign(tree: Tree, hasMarks: boolean): Tree {
  const nodes = Object.entries(tree).flatMap(([path, node]) => {
    const own = ownNode(node, hasMarks)
    return own === null ? [] : [[path, own] as const]
  })
  return Object.fromEntries(nodes)
}

/** Marks of overlayfs are attributes of users with userxattr only. */
function ownNode(node: TreeNode, hasMarks: boolean): TreeNode | null {
  if (typeof node === 'string') return node
  if (node.type === 'char' || node.type === 'block') return null
  if (node.type === 'xwhiteout' && !hasMarks) return null
  const { xattrs, uid, gid, opaque, ...rest } = node
  const kept = Object.entries(xattrs ?? {}).filter(([name]) => !/^(?:trusted|security)\./.test(name))
  const owner = { ...(uid !== undefined && { uid: mapped(uid) }), ...(gid !== undefined && { gid: mapped(gid) }) }
  return {
    ...rest,
    ...owner,
    ...(opaque === true && hasMarks && { opaque }),
    ...(kept.length > 0 && { xattrs: Object.fromEntries(kept) }),
  }
}

function mapped(id: number): number {
  return id < firstForeign ? id : id % firstForeign
}
