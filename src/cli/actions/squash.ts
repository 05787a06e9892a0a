import { loadCommand } from '../../commands/index.ts'
import { exitStatus } from '../../errors/index.ts'
import { renderSquashed, squashToJson } from '../render/squash.ts'
import type { Action } from '../spec.ts'
import { readWriteOptions } from './commit.ts'
import { argumentAt, readImageOptions } from './image-options.ts'
import { readImageOutput } from './image-output.ts'

/** Squashes an image; the digest alone goes to standard output. */
export const squashAction: Action = async (call, session) => {
  const { squash } = await loadCommand.squash()
  const { copyLeftovers } = await loadCommand.copy()
  const [source, destination] = [argumentAt(call, 0), argumentAt(call, 1)]
  const output = readImageOutput(destination, session, 'squash IMAGE')
  session.findLeftovers(() => copyLeftovers(destination))
  const report = await squash(source, destination, {
    ...readImageOptions(call, session),
    ...readWriteOptions(call, session, 'ovl squash'),
    ...output,
  })
  session.progress.stop()
  if (!session.settings.quiet && session.settings.format === 'text') session.progress.print(renderSquashed(report))
  if (output.writeOutput !== undefined) return exitStatus.done
  await session.answer('ovl.squash/1', { text: () => [report.digest], json: () => squashToJson(report) })
  return exitStatus.done
}
