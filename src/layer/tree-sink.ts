import type { LayerPath } from '../path/index.ts'
import type { Attributes } from './attributes.ts'
import type { FileEntry, NodeEntry } from './entry.ts'

/** Why something leaves the tree: a marker hides it, an entry takes its place, or its directory leaves. */
export type RemovalCause = 'whiteout' | 'opaque' | 'replaced' | 'parent'

/**
 * Where a tree is written: a directory on disk, a tree in memory. The applier decides everything; a sink carries out.
 *
 * Promises of the applier: calls come in an order that can be carried out one by one; every parent is a directory
 * that this sink has made and not removed; a `make…` call finds its name free; no path ever passes through a symlink.
 */
export interface TreeSink {
  /** A new directory. Its attributes may change until `finishDirectory` tells the final ones. */
  makeDirectory(path: LayerPath): void
  /** An entry of the layer describes this directory: its attributes are replaced as a whole (rule 13). */
  describeDirectory(path: LayerPath, attributes: Attributes): void
  /** Opens a new file; `writeFile` calls follow in ascending order, then one `closeFile`. */
  makeFile(path: LayerPath, entry: FileEntry): void
  writeFile(chunk: Uint8Array, start: number, end: number, fileOffset: number): void
  closeFile(): void
  makeSymlink(path: LayerPath, attributes: Attributes, target: string): void
  /** A further name for the inode at `target`, which may itself be a symlink. */
  makeHardLink(path: LayerPath, target: LayerPath): void
  makeNode(path: LayerPath, entry: NodeEntry): void
  /** Removes a name; a directory is empty by then, its content was removed with the cause 'parent'. */
  remove(path: LayerPath, what: { readonly directory: boolean; readonly cause: RemovalCause }): void
  /** Once for every directory, children before parents, when all layers are applied: the attributes to give it. */
  finishDirectory(path: LayerPath, attributes: Attributes): void
}
