import type { UnpackCommandOptions } from '../../commands/index.ts'
import { layerLine } from '../render/unpack.ts'
import type { Session } from '../session.ts'
import { layerTask } from './layer-task.ts'

type UnpackProgress = Parameters<NonNullable<UnpackCommandOptions['onProgress']>>[0]

/** Shows how far each layer is. */
export function showUnpackProgress({ progress, settings }: Session): (event: UnpackProgress) => void {
  return event => {
    const { layer } = event
    if (event.kind === 'reading') progress.update(layerTask(layer, event.uncompressedBytes))
    else
      progress.finish(
        layerTask(layer, event.unpacked.uncompressedBytes),
        layerLine(event.unpacked, layer.count, settings.noTrunc),
      )
  }
}
