// One run of the program: words in, exit status out. The only place that turns errors into text and status.

import { exitStatus, type Json, OvlError, ovlVersion } from '../errors/index.ts'
import { isClosedPipe, toOvlError } from './failure.ts'
import { colorModes, formats, readSettings, type Settings } from './global-flags.ts'
import { renderCommandHelp, renderOverview } from './help.ts'
import { sizeText } from './wording.ts'
import { type Invocation, parseCommandLine } from './parse.ts'
import { errorToJson, renderError } from './render/error.ts'
import { createSession, type ProcessLike, type Session } from './session.ts'
import { createStyle } from './style.ts'
import { commandTree } from './tree/index.ts'

/** Runs the command line and resolves to the exit status of the process; never rejects. */
export async function run(argv: readonly string[], io: ProcessLike): Promise<number> {
  process.once('uncaughtException', error => stopOnBug(error, argv, io))
  try {
    const invocation = parseCommandLine(argv, commandTree)
    return await runInvocation(invocation, createSession(readSettings(invocation.flags), io), io)
  } catch (error) {
    const failure = toOvlError(error)
    reportFailure(failure, guessSettings(argv), io)
    return failure.exitStatus
  }
}

/** An error that no promise carried: the state of the program is unknown, so it ends here. */
function stopOnBug(error: unknown, argv: readonly string[], io: ProcessLike): never {
  const failure = toOvlError(error)
  reportFailure(failure, guessSettings(argv), io)
  process.exit(failure.exitStatus)
}

async function runInvocation(invocation: Invocation, session: Session, io: ProcessLike): Promise<number> {
  try {
    const status = await dispatch(invocation, session)
    printHeldWarnings(session)
    return status
  } catch (error) {
    if (isClosedPipe(error)) return exitStatus.done
    const signalStatus = session.interruption.exitStatus()
    const failure = signalStatus === undefined ? toOvlError(error) : toInterruption(error)
    printHeldWarnings(session)
    reportFailure(failure, session.settings, io, session.warnings.toJSON())
    return signalStatus ?? failure.exitStatus
  } finally {
    session.progress.stop()
    session.interruption.release()
  }
}

function printHeldWarnings({ warnings, settings, progress }: Session): void {
  progress.stop()
  const held = warnings.summary()
  if (held !== undefined && !settings.quiet && settings.format === 'text') progress.print(held)
}

async function dispatch(invocation: Invocation, session: Session): Promise<number> {
  if (invocation.kind === 'call') {
    const action = await invocation.spec.load()
    return action(invocation, session)
  }
  await session.print(invocation.kind === 'version' ? [`ovl ${ovlVersion}`] : helpLines(invocation))
  return exitStatus.done
}

function helpLines(invocation: Exclude<Invocation, { kind: 'call' }>): string[] {
  return invocation.kind === 'help' ? renderCommandHelp(invocation.spec) : renderOverview(commandTree)
}

/** After Ctrl-C any error is a consequence of it, except one that says itself what was cleaned up. */
function toInterruption(error: unknown): OvlError {
  if (!(error instanceof OvlError) || error.code !== 'INTERRUPTED') {
    return new OvlError('INTERRUPTED', 'interrupted', { cause: error })
  }
  const { unpackedBytes } = error.data
  const size = typeof unpackedBytes === 'number' ? ` (${sizeText(unpackedBytes)})` : ''
  return new OvlError('INTERRUPTED', `${error.message}${size}`, { data: error.data, cause: error.cause })
}

function reportFailure(error: OvlError, settings: Settings, { stderr, env }: ProcessLike, warnings: Json = []): void {
  if (settings.format === 'json') {
    stderr.write(`${JSON.stringify({ ...errorToJson(error, settings.debug), warnings })}\n`)
    return
  }
  const style = createStyle(settings.color, stderr, env)
  const lines = renderError(error, { verbosity: settings.verbosity, debug: settings.debug, style })
  stderr.write(lines.map(line => `${line}\n`).join(''))
}

/** The settings for an error in the command line itself: what can be seen without parsing it. */
function guessSettings(argv: readonly string[]): Settings {
  const text = (long: string): string | undefined =>
    argv.find(word => word.startsWith(`${long}=`))?.slice(long.length + 1) ??
    argv[argv.indexOf(long) + 1 || argv.length]
  const guesses: Readonly<Record<string, string | undefined>> = {
    '--color': colorModes.find(mode => mode === text('--color')),
    '--format': formats.find(format => format === text('--format')),
  }
  return readSettings({ has: long => argv.includes(long), text: long => guesses[long], all: () => [] })
}
