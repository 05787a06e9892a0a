import { Vfs } from '../../fs/index.ts'
import { LayerSuperBlock, type LayerSuperBlockOptions } from './layer-super-block.ts'
import type { LayerTree } from './layer-tree.ts'

/**
 * One layer of an image as a read-only file system that was never extracted: what `ovl unpack` would write to lower/N,
 * marks of overlayfs included. An overlay of all layers is the merged image.
 */
export class LayerFs extends Vfs {
  declare readonly superBlock: LayerSuperBlock

  constructor(tree: LayerTree, options: LayerSuperBlockOptions) {
    super(new LayerSuperBlock(tree, options))
  }
}
