import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { oneOf } from '../global-flags.ts'
import { inspectionToJson, renderInspection } from '../render/inspect.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions } from './image-options.ts'

/** Prints what an image is, or one of its documents. */
export const inspectAction: Action = async (call, session) => {
  const { inspectImage, rawDocuments, readRawDocument } = await loadCommand.inspect()
  const image = argumentAt(call, 0)
  const raw = oneOf(rawDocuments, call.flags.text('--raw'), '--raw')
  if (raw !== undefined) {
    await session.write(await readRawDocument(image, raw, readImageOptions(call, session)))
    return exitStatus.done
  }
  const inspection = await inspectImage(image, readImageOptions(call, session))
  await session.answer('ovl.inspect/1', {
    text: view => renderInspection(inspection, view),
    json: () => inspectionToJson(inspection),
  })
  return exitStatus.done
}
