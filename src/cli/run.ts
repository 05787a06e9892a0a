// One run of the program: words in, exit status out. The only place that turns errors into text and status.

import { exitStatus, OvlError } from '../errors/index.ts'
import { isClosedPipe, toOvlError } from './failure.ts'
import { readSettings, type Settings } from './global-flags.ts'
import { renderCommandHelp, renderOverview } from './help.ts'
import { readVersion } from './version.ts'
import { type Invocation, parseCommandLine } from './parse.ts'
import { errorToJson, renderError } from './render/error.ts'
import { createSession, type ProcessLike, type Session } from './session.ts'
import { createStyle } from './style.ts'
import { commandTree } from './tree/index.ts'

/** Runs the command line and resolves to the exit status of the process; never rejects. */
export async function run(argv: readonly string[], io: ProcessLike): Promise<number> {
  let settings: Settings | undefined
  try {
    const invocation = parseCommandLine(argv, commandTree)
    settings = readSettings(invocation.flags)
    return await runInvocation(invocation, settings, io)
  } catch (error) {
    if (isClosedPipe(error)) return exitStatus.done
    const failure = toOvlError(error)
    reportFailure(failure, settings ?? guessSettings(argv), io)
    return failure.exitStatus
  }
}

async function runInvocation(invocation: Invocation, settings: Settings, io: ProcessLike): Promise<number> {
  const session = createSession(settings, io)
  try {
    return await dispatch(invocation, session)
  } catch (error) {
    const status = session.interruption.exitStatus()
    if (status === undefined || isClosedPipe(error)) throw error
    session.progress.stop()
    reportFailure(toInterruption(error), settings, io)
    return status
  } finally {
    session.progress.stop()
    session.interruption.release()
    const held = session.warnings.summary()
    if (held !== undefined && !settings.quiet && settings.format === 'text') session.progress.print(held)
  }
}

async function dispatch(invocation: Invocation, session: Session): Promise<number> {
  if (invocation.kind === 'call') {
    const action = await invocation.spec.load()
    return action(invocation, session)
  }
  await session.print(invocation.kind === 'version' ? [`ovl ${readVersion()}`] : helpLines(invocation))
  return exitStatus.done
}

function helpLines(invocation: Exclude<Invocation, { kind: 'call' }>): string[] {
  return invocation.kind === 'help' ? renderCommandHelp(invocation.spec) : renderOverview(commandTree)
}

/** After Ctrl-C any error is a consequence of it, except one that says itself what was cleaned up. */
function toInterruption(error: unknown): OvlError {
  if (error instanceof OvlError && error.code === 'INTERRUPTED') return error
  return new OvlError('INTERRUPTED', 'interrupted', { cause: error })
}

function reportFailure(error: OvlError, settings: Settings, io: ProcessLike): void {
  const { stderr, env } = io
  if (settings.format === 'json') {
    stderr.write(`${JSON.stringify(errorToJson(error, settings.debug))}\n`)
    return
  }
  const style = createStyle(settings.color, stderr, env)
  const lines = renderError(error, { verbosity: settings.verbosity, debug: settings.debug, style })
  stderr.write(lines.map(line => `${line}\n`).join(''))
}

/** The settings for an error in the command line itself, when it could not be parsed. */
function guessSettings(argv: readonly string[]): Settings {
  const json = argv.some(
    (word, i) => word === '--json' || word === '--format=json' || (word === 'json' && argv[i - 1] === '--format'),
  )
  const words = new Set(argv)
  return readSettings({
    has: long => (long === '--json' ? json : long === '--debug' && words.has(long)),
    text: () => undefined,
    all: () => [],
  })
}
