export { LayerApplier, type ApplyOptions, type LayerCounts, tooManyEntries } from './applier.ts'
export { type Attributes, impliedAttributes, type Xattrs } from './attributes.ts'
export { decodeTree, type EncodedTree, encodeTree } from './encode-tree.ts'
export { type DecodeOptions, decodeEntry, type FileEntry, type LayerEntry, type NodeEntry } from './entry.ts'
export { type Isolation, type LayerAlone, NeedsLayersBelow } from './layer-alone.ts'
export { type LayerPatch, type MergedLayer, mergeLayer } from './merge-layer.ts'
export { DirectoryNode, nodeAt, type Place, SymlinkNode, type TreeNode, walkDirectories } from './nodes.ts'
export type { RemovalCause, TreeSink } from './tree-sink.ts'
export {
  type HiddenFile,
  ImageTree,
  type LayerChange,
  type LayerSummary,
  type TreeDirectory,
  type TreeFile,
  type TreeInode,
  type TreeSpecial,
  type TreeSymlink,
} from './image-tree.ts'
