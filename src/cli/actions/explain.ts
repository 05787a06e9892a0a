import { loadCommand } from '../../commands/index.ts'
import { exitStatus, OvlError } from '../../errors/index.ts'
import { explanationToJson, renderExplanation } from '../render/explain.ts'
import { pathReportToJson, renderPathReport } from '../render/explain-path.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'
import { argumentAt, readImageOptions } from './image-options.ts'

/** Prints what a word or a file means, or why a path looks as it does. */
export const explainAction: Action = async (call, session) => {
  const hasDirectories = call.flags.has('--lower') || call.flags.has('--upper')
  if (call.positionals.length > 1 || hasDirectories) return explainPath(call, session, hasDirectories)
  const stray = ['--ops', '--exists'].find(flag => call.flags.has(flag))
  if (stray !== undefined) throw new OvlError('USAGE', `${stray} is about a path: ovl explain ${stray} SOURCE PATH`)
  const { explain } = await loadCommand.explain()
  const explanation = explain(argumentAt(call, 0))
  await session.answer('ovl.explain/1', {
    text: view => renderExplanation(explanation, view),
    json: () => explanationToJson(explanation),
  })
  return exitStatus.done
}

async function explainPath(call: Call, session: Session, hasDirectories: boolean): Promise<number> {
  if (hasDirectories && call.positionals.length > 1)
    throw new OvlError('USAGE', 'Either SUBJECT or --lower and --upper say what to look into, not both')
  const { explainPathOf } = await loadCommand.explainPath()
  const report = await explainPathOf({
    ...readImageOptions(call, session),
    source: hasDirectories ? null : argumentAt(call, 0),
    directories: {
      upper: call.flags.text('--upper') ?? null,
      lower: call.flags.all('--lower'),
      userxattr: call.flags.has('--userxattr'),
    },
    path: argumentAt(call, hasDirectories ? 0 : 1),
    operations: call.flags.has('--ops'),
  })
  // As test(1): the exit status alone.
  const isQuestion = call.flags.has('--exists') && session.settings.quiet
  if (isQuestion) return report.node === null ? exitStatus.checkFailed : exitStatus.done
  await session.answer('ovl.explain/1', {
    text: view => renderPathReport(report, view),
    json: () => pathReportToJson(report),
  })
  return call.flags.has('--exists') && report.node === null ? exitStatus.checkFailed : exitStatus.done
}
