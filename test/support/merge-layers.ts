// Layers applied each by itself, then merged as trees: what the per-layer form of a bundle does, without a disk.

import { defaultLimits, type Warning } from '../../src/errors/index.ts'
import {
  type ApplyOptions,
  decodeTree,
  DirectoryNode,
  encodeTree,
  ImageTree,
  type LayerAlone,
  LayerApplier,
  type LayerPatch,
  mergeLayer,
  NeedsLayersBelow,
  SymlinkNode,
  type TreeInode,
} from '../../src/layer/index.ts'
import { joinPath } from '../../src/path/index.ts'
import { TarReader } from '../../src/tar/index.ts'

export type Merged = {
  readonly root: DirectoryNode
  /** What each layer has by itself, base first. */
  readonly alone: readonly ImageTree[]
  /** base first */
  readonly patches: readonly (readonly LayerPatch[])[]
  /** Numbers of layers that hide all below them. */
  readonly cuts: readonly number[]
  readonly warnings: readonly Warning[]
}

export function mergeLayers(layers: readonly Uint8Array[], options: Partial<ApplyOptions> = {}): Merged {
  const root = new DirectoryNode(0)
  const alone: ImageTree[] = []
  const warnings: Warning[] = []
  const warn = (warning: Warning): void => void warnings.push(warning)
  const results = layers.map((tar, index) => {
    const apply = (below: DirectoryNode | null): LayerAlone => {
      alone[index] = new ImageTree()
      return applyAlone(tar, { number: index + 1, below, alone, options: { ...options, warn } })
    }
    return mergeLayer(root, applyKnowingLittle(apply, { root, keepDirlinks: options.keepDirlinks ?? false }), { warn })
  })
  const cuts = results.flatMap(({ hidesAllBelow }, index) => (hidesAllBelow ? [index + 1] : []))
  return { root, alone, patches: results.map(({ patches }) => patches), cuts, warnings }
}

/** First as if nothing were known of the layers below, as the product does. */
function applyKnowingLittle(
  apply: (below: DirectoryNode | null) => LayerAlone,
  { root, keepDirlinks }: { readonly root: DirectoryNode; readonly keepDirlinks: boolean },
): LayerAlone {
  const known = (): DirectoryNode => decodeTree(structuredClone(encodeTree(root)))
  if (keepDirlinks) return apply(known())
  try {
    return apply(null)
  } catch (error) {
    if (error instanceof NeedsLayersBelow) return apply(known())
    throw error
  }
}

type Alone = {
  readonly number: number
  readonly below: DirectoryNode | null
  readonly alone: ImageTree[]
  readonly options: Partial<ApplyOptions> & Pick<ApplyOptions, 'warn'>
}

function applyAlone(tar: Uint8Array, { number, below, alone, options }: Alone): LayerAlone {
  const tree = alone[number - 1] as ImageTree
  const applier = new LayerApplier(tree, {
    limits: defaultLimits,
    ...options,
    isolation: { below, copyUp: (path, from) => copyUp(tree, path, alone[from - 1] as ImageTree) },
  })
  tree.beginLayer(number)
  const reader = new TarReader(applier.beginLayer(number))
  reader.push(tar)
  reader.finish()
  applier.endLayer()
  return applier.layerAlone()
}

function copyUp(tree: ImageTree, path: string, from: ImageTree): void {
  const inode = from.lookup(path)
  if (inode === undefined || inode.kind === 'directory') throw new Error(`no file ${path} to copy up`)
  if (inode.kind === 'file') tree.makeFile(path, { ...inode, path })
  else if (inode.kind === 'symlink') tree.makeSymlink(path, inode.attributes, inode.target)
  else tree.makeNode(path, { ...inode, kind: inode.kind, path })
}

/** path → words for every path of the merged tree, content and attributes from the layer that has them. */
export function describeMerged({ root, alone }: Merged): Record<string, string> {
  const rows: Record<string, string> = {}
  const visit = (path: string, directory: DirectoryNode): void => {
    rows[path] = describeAttributes('directory', directory)
    for (const [name, node] of directory.children) {
      const full = joinPath(path, name)
      if (node instanceof DirectoryNode) visit(full, node)
      else rows[full] = describeOne(alone[(node instanceof SymlinkNode ? node.layer : node) - 1]?.lookup(full))
    }
  }
  visit('', root)
  return rows
}

/** The same words for a tree that was applied layer after layer. */
export function describeFlat(tree: ImageTree): Record<string, string> {
  const rows: Record<string, string> = {}
  const visit = (path: string, inode: TreeInode): void => {
    rows[path] = describeOne(inode)
    if (inode.kind === 'directory') for (const [name, child] of inode.children) visit(joinPath(path, name), child)
  }
  visit('', tree.root)
  return rows
}

function describeOne(inode: TreeInode | undefined): string {
  if (inode === undefined) return 'missing'
  const what =
    inode.kind === 'file' ? `file ${inode.size}` : inode.kind === 'symlink' ? `-> ${inode.target}` : inode.kind
  return describeAttributes(what, inode)
}

function describeAttributes(what: string, { attributes }: Pick<TreeInode, 'attributes'>): string {
  const { mode, uid, gid, mtimeSec } = attributes
  return `${what} ${mode.toString(8)} ${uid}:${gid} ${mtimeSec}`
}
