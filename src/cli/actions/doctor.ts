import { loadCommand } from '../../commands/index.ts'
import { exitStatus, type ExitStatus, OvlError } from '../../errors/index.ts'
import { cleanToJson, renderClean } from '../render/clean.ts'
import { machineToJson, renderMachine } from '../render/doctor.ts'
import { overlayReportToJson, renderOverlayReport } from '../render/doctor-overlay.ts'
import type { AnswerForms, Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'

/** Looks at the machine, at an overlay, or for leftovers; the exit status is the verdict. */
export const doctorAction: Action = (call, session) => {
  const mode = readMode(call)
  if (mode === 'overlay') return examineOverlay(call, session)
  const directory = call.positionals[0] ?? '.'
  return mode === 'clean' ? cleanDirectory(directory, call, session) : examineMachine(directory, session)
}

async function examineMachine(directory: string, session: Session): Promise<ExitStatus> {
  const { examineMachine: examine } = await loadCommand.doctor()
  const report = await examine(directory)
  const forms = { text: () => renderMachine(report), json: () => machineToJson(report) }
  return answer(session, report.problems.length === 0, { schema: 'ovl.doctor/1', forms })
}

async function cleanDirectory(directory: string, { flags }: Call, session: Session): Promise<ExitStatus> {
  const { clean } = await loadCommand.clean()
  const report = await clean(directory, { dryRun: flags.has('--dry-run') })
  const forms = { text: () => renderClean(report), json: () => cleanToJson(report) }
  return answer(session, report.ok, { schema: 'ovl.doctor-clean/1', forms })
}

async function examineOverlay({ flags }: Call, session: Session): Promise<ExitStatus> {
  const { examineOverlay: examine } = await loadCommand.doctorOverlay()
  const report = await examine({
    upper: flags.text('--upper') ?? null,
    lower: flags.all('--lower'),
    work: flags.text('--work') ?? null,
    userxattr: flags.has('--userxattr'),
    fix: flags.has('--fix-lower') ? 'lower' : flags.has('--fix') ? 'upper' : 'no',
    dryRun: flags.has('--dry-run'),
  })
  const forms: AnswerForms = {
    text: view => renderOverlayReport(report, view),
    json: () => overlayReportToJson(report),
  }
  return answer(session, report.ok, { schema: 'ovl.doctor-overlay/1', forms })
}

async function answer(
  session: Session,
  ok: boolean,
  { schema, forms }: { readonly schema: string; readonly forms: AnswerForms },
): Promise<ExitStatus> {
  if (!session.settings.quiet) await session.answer(schema, forms)
  return ok ? exitStatus.done : exitStatus.checkFailed
}

const overlayFlags = ['--upper', '--lower', '--work', '--userxattr', '--fix', '--fix-lower']

/** Errors: USAGE for flags that do not go together. */
function readMode({ flags, positionals }: Call): 'machine' | 'overlay' | 'clean' {
  if (flags.has('--overlay')) {
    if (flags.has('--clean')) throw misused('--overlay and --clean exclude each other')
    if (positionals.length > 0)
      throw misused('--overlay takes its directories from --upper, --lower and --work, not from DIR')
    if (flags.has('--dry-run') && !flags.has('--fix') && !flags.has('--fix-lower'))
      throw misused('--dry-run needs --fix or --clean')
    return 'overlay'
  }
  const stray = overlayFlags.find(flag => flags.has(flag))
  if (stray !== undefined) throw misused(`${stray === '--fix-lower' ? '--fix=lower' : stray} needs --overlay`)
  if (flags.has('--clean')) return 'clean'
  if (flags.has('--dry-run')) throw misused('--dry-run needs --fix or --clean')
  return 'machine'
}

function misused(message: string): OvlError {
  return new OvlError('USAGE', message, { hint: 'ovl help doctor' })
}
