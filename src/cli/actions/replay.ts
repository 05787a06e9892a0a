import { loadCommand, type RandomReplay, type ReplayOptions, type ReplayReport } from '../../commands/index.ts'
import { exitStatus, nearest, OvlError, quote } from '../../errors/index.ts'
import { type RunnerName, runnerNames } from '../../replay/index.ts'
import { renderRandomReplay, renderReplay, replayToJsonLines, scenarioText } from '../render/replay.ts'
import type { Session } from '../session.ts'
import type { Action, Call } from '../spec.ts'

/** Runs scenario files or random scenarios; the exit status says whether all runners agree. */
export const replayAction: Action = (call, session) => {
  const isRandom = call.flags.has('--random')
  if (isRandom && call.positionals.length > 0) {
    throw new OvlError('USAGE', 'replay runs either files or --random scenarios, not both', {
      data: { arguments: [...call.positionals] },
    })
  }
  if (isRandom) return replayRandomly(call, session)
  const other = ['--seed', '--keep'].find(flag => call.flags.has(flag))
  if (other !== undefined) throw new OvlError('USAGE', `${other} is for --random`, { data: { flag: other } })
  if (call.positionals.length === 0) {
    throw new OvlError('USAGE', 'replay needs FILE, or --random', { facts: ['Usage: ovl replay [flags] FILE…'] })
  }
  return replayGivenFiles(call, session)
}

async function replayGivenFiles(call: Call, session: Session): Promise<number> {
  const { replayFiles } = await loadCommand.replay()
  const shrink = call.flags.has('--shrink')
  const isEqual = await replayFiles(call.positionals, {
    ...readOptions(call, { session, otherwise: ['emulator'] }),
    onReport: report => printReport(report, { session, shrink }),
  })
  return isEqual ? exitStatus.done : exitStatus.checkFailed
}

/** Progress and the last line go to the error stream; what differs is the answer. */
async function replayRandomly(call: Call, session: Session): Promise<number> {
  const { replayRandom } = await loadCommand.replay()
  const count = readNumber(call, { flag: '--random', otherwise: 1, most: 2 ** 32 })
  const seed = readNumber(call, { flag: '--seed', otherwise: anySeed(), most: 2 ** 32 - 1 })
  const shrink = call.flags.has('--shrink')
  const started = performance.now()
  if (count > 1) session.progress.announce(`${count} random scenarios from seed ${seed}`)
  const result: RandomReplay = await replayRandom({
    ...readOptions(call, { session, otherwise: ['emulator', 'kernel'] }),
    count,
    seed,
    keep: call.flags.text('--keep') ?? null,
    onReport: report => printReport(report, { session, shrink }),
    onProgress: done =>
      session.progress.showOnly({
        key: 'replay',
        label: `from seed ${seed}`,
        doneBytes: done,
        totalBytes: count,
        unit: 'scenarios',
        json: { seed },
      }),
  })
  session.progress.stop()
  const summary = { ...result, seed, milliseconds: performance.now() - started }
  if (session.settings.format === 'json') {
    await session.print([
      JSON.stringify({ schema: 'ovl.replay-random/1', seed, done: result.done, different: result.different }),
    ])
  } else if (!session.settings.quiet) await session.print(renderRandomReplay(summary))
  return result.different.length === 0 ? exitStatus.done : exitStatus.checkFailed
}

/** A smaller scenario is the whole answer: it can be saved as it is. */
async function printReport(
  report: ReplayReport,
  { session, shrink }: { readonly session: Session; readonly shrink: boolean },
): Promise<void> {
  session.progress.stop()
  if (shrink && report.shrunk !== null) return session.print([scenarioText(report.shrunk)])
  if (session.settings.format === 'json') return session.print(replayToJsonLines(report))
  if (!session.settings.quiet) await session.print(renderReplay(report, session.view))
}

type Defaults = { readonly session: Session; readonly otherwise: readonly RunnerName[] }

function readOptions(
  { flags }: Call,
  { session, otherwise }: Defaults,
): ReplayOptions & { readonly signal: AbortSignal } {
  return {
    on: readRunners(flags.all('--on')) ?? otherwise,
    exact: flags.has('--exact'),
    shrink: flags.has('--shrink'),
    signal: session.interruption.signal,
  }
}

/** Errors: USAGE. */
function readRunners(texts: readonly string[]): readonly RunnerName[] | null {
  if (texts.length === 0) return null
  const words = texts.flatMap(text => text.split(','))
  return [...new Set(words)].map(word => {
    const name = runnerNames.find(known => known === word)
    if (name !== undefined) return name
    const near = nearest(word, runnerNames)
    throw new OvlError('USAGE', `--on takes ${runnerNames.join(', ')}, not ${quote(word)}`, {
      data: { value: word },
      ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
    })
  })
}

function readNumber(
  { flags }: Call,
  { flag, otherwise, most }: { readonly flag: string; readonly otherwise: number; readonly most: number },
): number {
  const text = flags.text(flag)
  if (text === undefined) return otherwise
  const number = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (number >= 0 && number <= most) return number
  throw new OvlError('USAGE', `${flag} takes a whole number up to ${most}, not ${quote(text)}`, {
    data: { value: text },
  })
}

function anySeed(): number {
  return Math.floor(Math.random() * 2 ** 32)
}
