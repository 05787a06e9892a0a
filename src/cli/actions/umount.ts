import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { renderUnmount, unmountToJson } from '../render/mount.ts'
import type { Action } from '../spec.ts'
import { argumentAt } from './image-options.ts'

/** Unmounts an overlay. */
export const umountAction: Action = async (call, session) => {
  const { unmount } = await loadCommand.umount()
  const report = unmount(argumentAt(call, 0), { lazy: call.flags.has('--lazy') })
  if (!session.settings.quiet || session.settings.format === 'json') {
    await session.answer('ovl.umount/1', { text: () => renderUnmount(report), json: () => unmountToJson(report) })
  }
  return exitStatus.done
}
