// What `ovl replay` prints: one line where runners agree, the first step and the trees where they do not.
import type { Disagreement, ReplayReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import {
  formatScenario,
  type NotRun,
  replaySchema,
  type Scenario,
  type Step,
  type StepResult,
} from '../../scenario/index.ts'
import { renderTable } from '../table.ts'
import { countText, durationText } from '../wording.ts'
import type { View } from './view.ts'

/** A line for each file and runner, in the order of `--on`. */
export function replayToJsonLines({ name, runs }: ReplayReport): string[] {
  return runs.map(({ runner, replay }) => JSON.stringify({ schema: replaySchema, file: name, runner, ...replay }))
}

/** A scenario file, for printing as lines. */
export function scenarioText(scenario: Scenario): string {
  return formatScenario(scenario).trimEnd()
}

/** Lines for people. */
export function renderReplay(report: ReplayReport, view: View): string[] {
  const { name, runs, disagreements } = report
  const [first] = runs
  if (runs.length === 1 && first !== undefined) return renderOne(report, view)
  if (disagreements.length > 0) return disagreements.flatMap(each => renderDisagreement(report, each, view))
  const done = first?.replay.steps.length ?? 0
  const titles = runs.map(({ title }) => title).join(', ')
  const refused = first?.replay.mount
  const steps = refused === undefined ? countText(done, 'step') : `the mount (${refused})`
  const all = refused === undefined ? `${done} of ${steps}` : steps
  return [`${escapeControls(name)}: ${all} equal (${titles})`]
}

/** The last line of a run of random scenarios. */
export function renderRandomReplay(result: {
  readonly done: number
  readonly different: readonly number[]
  readonly titles: readonly string[]
  readonly seed: number
  readonly milliseconds: number
}): string[] {
  const { done, different, titles, seed, milliseconds } = result
  const verdict = different.length === 0 ? `${done} of ${done} equal` : `${different.length} of ${done} differ`
  const where = `${titles.join(', ')}; seed ${seed}; ${durationText(milliseconds)}`
  return [`random scenarios: ${verdict} (${where})`]
}

const mostTreeLines = 20

function renderDisagreement(
  { name, scenario, runs }: ReplayReport,
  { titles, difference }: Disagreement,
  view: View,
): string[] {
  const { mount, step, merged, upper } = difference
  const count = scenario.steps.length
  const runners = runs.map(({ runner }) => runner).join(',')
  const what = mount !== null ? 'the mount' : step !== null ? `step ${step.index + 1} of ${count}` : 'the tree'
  const lines = [`${escapeControls(name)}: ${view.style('bad', `${what} differs`)}`]
  if (mount !== null)
    lines.push(
      ...answers(
        titles,
        mount.map(errno => errno ?? 'ok'),
      ),
    )
  if (mount === null && step !== null) {
    lines.push(`  ${step.index + 1}  ${stepText(scenario.steps[step.index] ?? [''])}`)
    lines.push(...answers(titles, step.results.map(answerText)))
  }
  lines.push(...treeLines('merged', merged), ...treeLines('upper', upper))
  const seed = /^seed (\d+)$/.exec(name)?.[1]
  if (seed !== undefined) lines.push(`  again: ovl replay --random 1 --seed ${seed} --on ${runners}`)
  return lines
}

function answers(titles: readonly string[], texts: readonly string[]): string[] {
  return renderTable(
    [{}, {}],
    titles.map((title, index) => [`     ${title}`, texts[index] ?? '']),
  )
}

function treeLines(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const shown = lines.slice(0, mostTreeLines).map(line => `     ${escapeControls(line)}`)
  const more = lines.length - shown.length
  return [
    `  ${title}: ${countText(lines.length, 'difference')}`,
    ...shown,
    ...(more > 0 ? [`     and ${more} more`] : []),
  ]
}

/** Each step with its answer; with -v the trees as well. */
function renderOne({ name, scenario, runs }: ReplayReport, view: View): string[] {
  const [run] = runs
  if (run === undefined) return []
  const { mount, steps, merged, upper } = run.replay
  if (mount !== undefined) return [`${escapeControls(name)}: the mount is refused: ${mount} (${run.title})`]
  const rows = steps.map((result, index) => [
    String(index + 1),
    stepText(scenario.steps[index] ?? ['']),
    'errno' in result ? view.style('changed', result.errno) : answerText(result),
  ])
  const lines = [
    `${escapeControls(name)}: ${countText(steps.length, 'step')} (${run.title})`,
    ...renderTable([{ align: 'right' }, {}, {}], rows).map(line => `  ${line}`),
  ]
  if (view.verbosity === 0) return lines
  return [...lines, ...listing('merged', merged), ...listing('upper', upper)]
}

function listing(title: string, tree: { readonly [path: string]: unknown } | null): string[] {
  if (tree === null) return []
  const rows = Object.entries(tree).map(([path, node]) => [
    `    /${escapeControls(path)}`,
    escapeControls(JSON.stringify(node)),
  ])
  return [`  ${title}`, ...renderTable([{}, {}], rows)]
}

/** `rename /d /e`: words where they are plain, else as JSON. */
function stepText([operation, ...args]: Step): string {
  return [operation, ...args.map(wordText)].join(' ')
}

function wordText(value: Json): string {
  if (typeof value === 'string' && /^[\w./|:+-]+$/.test(value)) return value
  return escapeControls(JSON.stringify(value))
}

const longestAnswer = 200

function answerText(result: StepResult | NotRun): string {
  if ('notRun' in result) return 'not run'
  if ('errno' in result) return result.errno
  if (result.ok === null) return 'ok'
  const text = escapeControls(JSON.stringify(result.ok))
  return text.length > longestAnswer ? `${text.slice(0, longestAnswer)}…` : text
}
