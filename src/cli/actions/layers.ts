import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { layersToJson, renderLayers } from '../render/layers.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions } from './image-options.ts'

/** Prints a line about each layer. */
export const layersAction: Action = async (call, session) => {
  const { reportLayers } = await loadCommand.layers()
  const report = await reportLayers(argumentAt(call, 0), readImageOptions(call, session))
  await session.answer('ovl.layers/1', {
    text: view => renderLayers(report, view),
    json: () => layersToJson(report),
  })
  return exitStatus.done
}
