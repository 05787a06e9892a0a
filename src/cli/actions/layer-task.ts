import type { ImageOptions } from '../../commands/index.ts'
import type { Task } from '../progress.ts'
import { shortDigest } from '../wording.ts'

type Layer = Parameters<NonNullable<ImageOptions['onReading']>>[0]

/** A layer that is being read, as progress shows it. */
export function layerTask(layer: Layer, doneBytes: number): Task {
  const { number, count, diffID, blob } = layer
  const name = diffID === null ? '' : shortDigest(diffID, false)
  // Only an uncompressed layer says beforehand how long it is.
  const isPlain = layer.mediaType === null || layer.mediaType.endsWith('.tar')
  return {
    key: String(number),
    label: `${number}/${count}  ${name}`,
    doneBytes,
    totalBytes: isPlain ? Math.max(blob.size, doneBytes) : null,
    json: { layer: number, of: count, diffID },
  }
}
