// The layers of an image, collected base first, each in overlay form: what `ovl unpack` writes to lower/1…n, in
// memory. A layer is applied alone; only where a hard link leads to a lower layer must its tar be read a second time.

import type { Warn } from '../../errors/index.ts'
import type { TarHandler } from '../../tar/index.ts'
import { type ApplyOptions, LayerApplier, type LayerCounts } from '../applier.ts'
import { decodeTree, encodeTree } from '../encode-tree.ts'
import { mergeLayer } from '../merge-layer.ts'
import { DirectoryNode } from '../nodes.ts'
import { LayerTree } from './layer-tree.ts'

/** How entries are read. */
export type LayerStackOptions = Omit<ApplyOptions, 'isolation'>

/** A layer that is being read: feed `handler` from a `TarReader`, then call `finish` once. */
export type LayerReading = {
  readonly handler: TarHandler
  finish(): LayerCounts
}

/**
 * Collects layers. For each, base first: `read(number)`; when that throws NeedsLayersBelow while the tar is fed, feed
 * it again to `read(number, { again: true })`.
 */
export class LayerStack {
  /** Base first. */
  readonly layers: LayerTree[] = []
  /** How many of the lowest layers are hidden altogether by an opaque root above them (rule 10). */
  hiddenLayers = 0
  readonly #options: LayerStackOptions
  /** The merged tree of the layers that were read. */
  readonly #merged = new DirectoryNode(0)

  constructor(options: LayerStackOptions) {
    this.#options = options
  }

  /** Errors of `handler` and `finish`: those of `LayerApplier`, NeedsLayersBelow. */
  read(number: number, { again = false }: { readonly again?: boolean } = {}): LayerReading {
    const tree = new LayerTree(number)
    // The applier changes what it is given, and a layer that fails must leave the merged tree as it was.
    const below = again || this.#options.keepDirlinks === true ? decodeTree(encodeTree(this.#merged)) : null
    const applier = new LayerApplier(tree, {
      ...this.#options,
      isolation: {
        below,
        copyUp: (path, from) => {
          const lower = this.layers[from - 1]
          if (lower !== undefined) tree.copyUp(path, lower)
        },
      },
    })
    return {
      handler: applier.beginLayer(number),
      finish: () => {
        const counts = applier.endLayer()
        this.#add(tree, applier, this.#options.warn)
        return counts
      },
    }
  }

  #add(tree: LayerTree, applier: LayerApplier, warn: Warn): void {
    const { patches, hidesAllBelow } = mergeLayer(this.#merged, applier.layerAlone(), { warn })
    tree.apply(patches)
    if (hidesAllBelow) this.hiddenLayers = this.layers.length
    this.layers.push(tree)
  }
}
