// `ovl replay`: scenarios on the emulator and on real mounts, and whether those agree.
import fs from 'node:fs'
import path from 'node:path'
import { isCode, OvlError } from '../errors/index.ts'
import { hostPath } from '../host/index.ts'
import { type Runner, type RunnerName, withRunners } from '../replay/index.ts'
import {
  compareReplays,
  type CompareOptions,
  type Difference,
  formatScenario,
  kindOfDifference,
  orderDecides,
  parseScenario,
  randomScenario,
  type Replay,
  type Scenario,
  shrinkScenario,
} from '../scenario/index.ts'

/** Where scenarios run, and what is said about them. */
export type ReplayOptions = {
  /** With several, each is compared with the first kernel among them, or else with the first. */
  readonly on: readonly RunnerName[]
  /** Listings with overlayfs' bookkeeping. */
  readonly exact: boolean
  /** Makes scenarios on which runners disagree as small as can be. */
  readonly shrink: boolean
  readonly signal?: AbortSignal
}

/** A scenario on all runners. */
export type ReplayReport = {
  /** The file, or `seed N` of a random one. */
  readonly name: string
  readonly scenario: Scenario
  readonly runs: readonly { readonly runner: RunnerName; readonly title: string; readonly replay: Replay }[]
  /** Empty: all agree. */
  readonly disagreements: readonly Disagreement[]
  /** The smallest scenario found that they disagree on, when that was asked for. */
  readonly shrunk: Scenario | null
}

/** Two runners that do not agree. */
export type Disagreement = { readonly titles: readonly [string, string]; readonly difference: Difference }

/**
 * Runs scenario files, in order; each is told of when it is done. True when all runners agree on all.
 * Errors: those of `parseScenario`, INPUT_NOT_FOUND, READ_FAILED, NEEDS_PRIVILEGE, UNSUPPORTED.
 */
export async function replayFiles(
  files: readonly string[],
  options: ReplayOptions & { readonly onReport: (report: ReplayReport) => Promise<void> },
): Promise<boolean> {
  // All are read before the first is run: a mistake in the last one shows at once.
  const scenarios = files.map(file => ({ name: file, scenario: parseScenario(readFile(file), file) }))
  return withRunners(options.on, options, async runners => {
    let isEqual = true
    for (const { name, scenario } of scenarios) {
      options.signal?.throwIfAborted()
      const report = await finish(runners, start(runners, { name, scenario, options }))
      isEqual &&= report.disagreements.length === 0
      await options.onReport(report)
    }
    return isEqual
  })
}

/** Which random scenarios to run. */
export type RandomReplayOptions = ReplayOptions & {
  readonly count: number
  /** Of the first scenario; the next one has the next number. */
  readonly seed: number
  /** Where scenarios go that runners disagree on. */
  readonly keep: string | null
  readonly onReport: (report: ReplayReport) => Promise<void>
  readonly onProgress?: (done: number) => void
}

/** What became of random scenarios. */
export type RandomReplay = {
  readonly done: number
  /** Seeds of those that runners disagree on. */
  readonly different: readonly number[]
  readonly titles: readonly string[]
}

/** Scenarios that runners in other processes have before the first is compared: so that neither waits for the other. */
const askedAhead = 8

/**
 * Runs random scenarios; those that runners disagree on are reported.
 * Errors: NEEDS_PRIVILEGE, UNSUPPORTED; those of writing to `keep`.
 */
export async function replayRandom(options: RandomReplayOptions): Promise<RandomReplay> {
  const { count, seed, keep } = options
  if (keep !== null) fs.mkdirSync(hostPath(keep), { recursive: true })
  return withRunners(options.on, options, async runners => {
    const userNamespaces = await haveUserNamespaces(runners)
    const different: number[] = []
    const ahead: { readonly own: number; readonly started: Started }[] = []
    let next = 0
    for (let done = 0; done < count; done++) {
      options.signal?.throwIfAborted()
      for (; next < count && ahead.length < askedAhead; next++) {
        const own = (seed + next) % 2 ** 32
        const task = { name: `seed ${own}`, scenario: randomScenario(own, { userNamespaces }), options }
        ahead.push({ own, started: start(runners, task) })
      }
      const current = ahead.shift()
      if (current === undefined) break
      const report = await finish(runners, current.started)
      options.onProgress?.(done + 1)
      if (report.disagreements.length === 0) continue
      different.push(current.own)
      if (keep !== null) keepScenario(keep, current.own, report.shrunk ?? report.scenario)
      await options.onReport(report)
    }
    return { done: count, different, titles: runners.map(({ title }) => title) }
  })
}

async function haveUserNamespaces(runners: readonly Runner[]): Promise<boolean> {
  const answers = await Promise.all(runners.map(async runner => runner.hasUserNamespaces?.() ?? true))
  return answers.every(Boolean)
}

function keepScenario(directory: string, seed: number, scenario: Scenario): void {
  fs.writeFileSync(hostPath(path.join(directory, `seed-${seed}.json`)), formatScenario(scenario))
}

function readFile(file: string): Uint8Array {
  try {
    return fs.readFileSync(hostPath(file))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new OvlError('INPUT_NOT_FOUND', `Cannot read ${file}: no such file`, { cause })
    throw new OvlError('READ_FAILED', `Cannot read ${file}: ${code ?? 'unknown error'}`, { cause })
  }
}

type Task = { readonly name: string; readonly scenario: Scenario; readonly options: ReplayOptions }

/** A scenario that is on its way. */
type Started = Task & { readonly compare: () => Promise<Comparison> }
type Comparison = Pick<ReplayReport, 'runs' | 'disagreements'>

/** Asks runners in other processes, so that they work while this one does. */
function start(runners: readonly Runner[], task: Task): Started {
  const asked = runners.map(runner => ({ runner, answer: isElsewhere(runner) ? runner.run(task.scenario) : null }))
  // An error of one is thrown when it is its turn; until then it must not count as unhandled.
  for (const { answer } of asked) answer?.catch(() => undefined)
  const compare = async (): Promise<Comparison> => {
    const runs: ReplayReport['runs'][number][] = []
    for (const { runner, answer } of asked) {
      runs.push({ runner: runner.name, title: runner.title, replay: await (answer ?? runner.run(task.scenario)) })
    }
    return { runs, disagreements: compareAll(runners, runs, task.scenario) }
  }
  return { ...task, compare }
}

async function finish(
  runners: readonly Runner[],
  { name, scenario, options, compare }: Started,
): Promise<ReplayReport> {
  const { runs, disagreements } = await compare()
  const [first] = disagreements
  if (!options.shrink || first === undefined) return { name, scenario, runs, disagreements, shrunk: null }
  const kind = kindOfDifference(scenario, first.difference)
  const shrunk = await shrinkScenario(scenario, async candidate => {
    options.signal?.throwIfAborted()
    return (await kindsOn(runners, { name, scenario: candidate, options })).includes(kind)
  })
  return { name, scenario, runs, disagreements, shrunk }
}

function compareAll(
  runners: readonly Runner[],
  runs: ReplayReport['runs'],
  scenario: Scenario,
): readonly Disagreement[] {
  const reference = Math.max(0, runners.findIndex(isElsewhere))
  const other = runs[reference]
  return runs.flatMap((run, index) => {
    if (other === undefined || index === reference) return []
    const acrossFileSystems = [runners[index], runners[reference]].some(runner => runner?.isLikeTmpfs === false)
    const compare = (options: CompareOptions): Difference | null =>
      compareReplays({ name: run.title, ...run }, { name: other.title, ...other }, options)
    const strict = compare({ acrossFileSystems })
    // Most agree, so that the places are looked for only then.
    const difference =
      strict !== null && acrossFileSystems
        ? compare({ acrossFileSystems, orderDecides: orderDecides(scenario) })
        : strict
    return difference === null ? [] : [{ titles: [run.title, other.title] as const, difference }]
  })
}

function isElsewhere({ name }: Runner): boolean {
  return name === 'kernel' || name === 'kernel-ext4'
}

/** The kinds of difference between the runners. What cannot be built is no smaller form of a scenario: none. */
async function kindsOn(runners: readonly Runner[], task: Task): Promise<readonly string[]> {
  try {
    const { disagreements } = await start(runners, task).compare()
    return disagreements.map(({ difference }) => kindOfDifference(task.scenario, difference))
  } catch (error) {
    if (isCode(error, 'INTERRUPTED')) throw error
    return [] // a link to what was left away, a directory over a file: whoever meets it first refuses it
  }
}
