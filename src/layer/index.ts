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
export {
  type BeforeAfter,
  type Change,
  type ChangeTime,
  isOnlyParent,
  type WhiteoutForm,
  type XattrChange,
} from './changes/change.ts'
export {
  type Changeset,
  diffTrees,
  type DiffTreesOptions,
  diffUpper,
  type DiffUpperOptions,
  type TreeSource,
} from './changes/changeset.ts'
export { encodeLayer, encodeLayerBytes, type EncodeOptions, type LayerEncoder } from './changes/encode-layer.ts'
export { layerEntries, type LayerEntryOptions, type WrittenEntry } from './changes/layer-entries.ts'
export {
  type ContentReader,
  type NamedObject,
  type ViewObject,
  type TreeView,
  viewFileSystem,
} from './changes/tree-view.ts'
export type { MarkStyle } from './changes/upper-marks.ts'
export {
  applyChanges,
  type ApplyChangesOptions,
  applyChangesInTurns,
  writeUpper,
  writeUpperInTurns,
} from './changes/write-tree.ts'
export { childrenOf, type ContentPlace, LayerInode, type LayerInodeContent } from './layer-fs/inode.ts'
export type { LayerContent } from './layer-fs/layer-file.ts'
export { LayerFs } from './layer-fs/layer-fs.ts'
export { type LayerReading, LayerStack, type LayerStackOptions } from './layer-fs/layer-stack.ts'
export { LayerSuperBlock, type LayerSuperBlockOptions } from './layer-fs/layer-super-block.ts'
export { LayerTree } from './layer-fs/layer-tree.ts'
export { changedWhileRead, readFailure } from './changes/read-failure.ts'
export { type BatchTaker, type LayerBatch, LayerPlanner } from './changes/plan-layer.ts'
export { OtherStyle, streamUpper, type StreamUpperOptions } from './changes/stream-upper.ts'
