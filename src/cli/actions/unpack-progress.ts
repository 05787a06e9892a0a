import type { UnpackCommandOptions } from '../../commands/index.ts'
import type { Task } from '../progress.ts'
import { layerLine } from '../render/unpack.ts'
import type { Session } from '../session.ts'
import { shortDigest } from '../wording.ts'

type UnpackProgress = Parameters<NonNullable<UnpackCommandOptions['onProgress']>>[0]
type Layer = UnpackProgress['layer']

/** Shows how far each layer is. */
export function showUnpackProgress({ progress, settings }: Session): (event: UnpackProgress) => void {
  return event => {
    const { layer } = event
    if (event.kind === 'reading') progress.update(taskOf(layer, event.uncompressedBytes))
    else
      progress.finish(
        taskOf(layer, event.unpacked.uncompressedBytes),
        layerLine(event.unpacked, layer.count, settings.noTrunc),
      )
  }
}

function taskOf(layer: Layer, doneBytes: number): Task {
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
