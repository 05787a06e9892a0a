import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { listingToJson, renderListing } from '../render/ls.ts'
import type { Action } from '../spec.ts'
import { argumentAt, readImageOptions, readLayerNumber } from './image-options.ts'

/** Prints one line per entry. */
export const lsAction: Action = async (call, session) => {
  const { listImage } = await loadCommand.list()
  const path = call.positionals[1]
  const entries = await listImage(argumentAt(call, 0), {
    ...readImageOptions(call, session),
    ...(path === undefined ? {} : { path }),
    ...readLayerNumber(call),
    recursive: call.flags.has('--recursive'),
    deleted: call.flags.has('--deleted'),
  })
  await session.answer('ovl.ls/1', {
    text: view => renderListing(entries, view),
    json: () => listingToJson(entries),
  })
  return exitStatus.done
}
