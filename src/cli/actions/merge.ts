import { loadCommand } from '../../commands/index.ts'
import { exitStatus, OvlError } from '../../errors/index.ts'
import { ownWorkspaces } from '../../host/index.ts'
import { mergedToJson, renderMerged } from '../render/merge.ts'
import type { Action } from '../spec.ts'
import { readEpoch } from './commit.ts'
import { argumentAt } from './image-options.ts'

/** Merges directories; an archive may go to standard output, and then nothing else does. */
export const mergeAction: Action = async (call, session) => {
  const { flags } = call
  const output = argumentAt(call, 0)
  if (output === '-' && session.stdoutIsTerminal) {
    throw new OvlError('USAGE', 'Cannot write a tar archive to standard output: it is a terminal', {
      hint: 'send it into a file or a pipe: ovl merge --lower DIR - | tar tv',
    })
  }
  const { merge } = await loadCommand.merge()
  session.findLeftovers(() => ownWorkspaces(output))
  const report = await merge(output, {
    lower: flags.all('--lower'),
    upper: flags.text('--upper') ?? null,
    userxattr: flags.has('--userxattr'),
    format: flags.text('--format') === undefined ? null : flags.text('--format') === 'tar' ? 'tar' : 'dir',
    force: flags.has('--force'),
    sparse: flags.has('--sparse'),
    latestTimeSec: readEpoch(flags.text('--epoch')),
    writeOutput: bytes => session.write(bytes),
    warn: session.warnings.warn,
    signal: session.interruption.signal,
  })
  session.progress.stop()
  if (output === '-') {
    if (!session.settings.quiet && session.settings.format === 'text') session.progress.print(renderMerged(report))
    return exitStatus.done
  }
  if (session.settings.quiet && session.settings.format === 'text') return exitStatus.done
  await session.answer('ovl.merge/1', { text: () => [renderMerged(report)], json: () => mergedToJson(report) })
  return exitStatus.done
}
