// Applying tar layers to an in-memory tree, and writing a tree down the way the case tables do.

import { defaultLimits, type Warning } from '../../src/errors/index.ts'
import {
  type ApplyOptions,
  ImageTree,
  LayerApplier,
  type LayerChange,
  type TreeInode,
  type TreeSink,
} from '../../src/layer/index.ts'
import { joinPath } from '../../src/path/index.ts'
import { TarReader } from '../../src/tar/index.ts'

export type Applied = {
  readonly tree: ImageTree
  readonly warnings: readonly Warning[]
  readonly changes: readonly (readonly LayerChange[])[]
}

export function applyLayers(layers: readonly Uint8Array[], options: Partial<ApplyOptions> = {}): Applied {
  const warnings: Warning[] = []
  const tree = new ImageTree()
  const applier = new LayerApplier(tree, {
    limits: defaultLimits,
    warn: warning => void warnings.push(warning),
    ...options,
  })
  const changes = layers.map((layer, index) => {
    tree.beginLayer(index + 1)
    applyLayer(applier, layer, index + 1)
    return tree.endLayer()
  })
  applier.finish()
  return { tree, warnings, changes }
}

/** Applies layers to any sink. */
export function applyTo(
  sink: TreeSink,
  layers: readonly Uint8Array[],
  options: Partial<ApplyOptions> = {},
): readonly Warning[] {
  const warnings: Warning[] = []
  const applier = new LayerApplier(sink, {
    limits: defaultLimits,
    warn: warning => void warnings.push(warning),
    ...options,
  })
  for (const [index, layer] of layers.entries()) applyLayer(applier, layer, index + 1)
  applier.finish()
  return warnings
}

function applyLayer(applier: LayerApplier, layer: Uint8Array, number: number): void {
  const reader = new TarReader(applier.beginLayer(number))
  reader.push(layer)
  reader.finish()
  applier.endLayer()
}

/** path → inode for every path but the root; the root is '.'. */
export function flatten(tree: ImageTree): Map<string, TreeInode> {
  const rows = new Map<string, TreeInode>([['.', tree.root]])
  const visit = (path: string, inode: TreeInode): void => {
    if (path !== '') rows.set(path, inode)
    if (inode.kind === 'directory') for (const [name, child] of inode.children) visit(joinPath(path, name), child)
  }
  visit('', tree.root)
  return rows
}
