// `ovl layers`: what each layer adds, replaces and removes, and how much of it later layers hide.

import type { Image } from '../image/index.ts'
import type { Digest, HistoryEntry } from '../oci/index.ts'
import { readImageTree } from '../unpack/index.ts'
import { type ImageOptions, reportReading } from './image-options.ts'
import { withImage } from './with-image.ts'

/** One layer and what it does to the tree. */
export type LayerRow = {
  readonly number: number
  readonly diffID: Digest | null
  readonly digest: Digest | null
  readonly mediaType: string | null
  /** Bytes as stored, and after decompression. */
  readonly storedBytes: number
  readonly uncompressedBytes: number
  readonly entries: number
  readonly whiteouts: number
  readonly opaques: number
  readonly added: number
  readonly replaced: number
  readonly removed: number
  /** Regular files of this layer that the merged tree does not show, and their bytes. */
  readonly hiddenFiles: number
  readonly hiddenBytes: number
  readonly history: HistoryEntry | null
}

/** What `ovl layers` tells. */
export type LayersReport = {
  readonly title: string
  readonly layers: readonly LayerRow[]
  /** The whole history, with the entries that made no layer. */
  readonly history: readonly HistoryEntry[]
}

/** Reads every layer once and reports on each. Errors: those of `openImage` and `readImageTree`. */
export function reportLayers(argument: string, options: ImageOptions): Promise<LayersReport> {
  return withImage(argument, options, image => describeLayers(image, options))
}

async function describeLayers(image: Image, options: ImageOptions): Promise<LayersReport> {
  const read: Omit<LayerRow, 'added' | 'replaced' | 'removed' | 'hiddenFiles' | 'hiddenBytes'>[] = []
  const reading = reportReading(image, options)
  const tree = await readImageTree(image, {
    ...options,
    onLayer: (layer, { counts, uncompressedBytes }) => {
      reading(layer)
      const { number, diffID, descriptor, mediaType, blob, history } = layer
      read.push({
        number,
        diffID,
        digest: descriptor?.digest ?? null,
        mediaType,
        storedBytes: blob.size,
        uncompressedBytes,
        entries: counts.entries,
        whiteouts: counts.whiteouts,
        opaques: counts.opaques,
        history,
      })
    },
  })
  const summaries = tree.summaries()
  const layers = read.map((row, i) => {
    const { added = 0, replaced = 0, removed = 0, hiddenFiles = 0, hiddenBytes = 0 } = summaries[i] ?? {}
    return { ...row, added, replaced, removed, hiddenFiles, hiddenBytes }
  })
  return { title: image.title, layers, history: image.config.parsed.history }
}
