// The process of a kernel runner: scenarios come in on standard input, a line each, and what became of them goes out on
// standard output, a line each. It ends with its input; all it mounted ends with it.
import fs from 'node:fs'
import type { PlayOptions, Scenario } from '../../scenario/index.ts'
import { KernelStage, type StageKind } from './kernel-stage.ts'
import { LineReader } from './line-reader.ts'

/** A line of input. */
export type KernelQuestion = { readonly scenario: Scenario; readonly options: PlayOptions }
/** A line of output. */
export type KernelAnswer = { readonly ok: unknown } | { readonly error: string }

const lines = new LineReader(0)
const stage = attempt(() => new KernelStage((process.argv[2] ?? 'tmpfs') as StageKind))
answer('error' in stage ? stage : { ok: null })
if ('ok' in stage) {
  for (let line = lines.next(); line !== null; line = lines.next()) {
    const { scenario, options } = JSON.parse(line) as KernelQuestion
    answer(attempt(() => stage.ok.run(scenario, options)))
  }
}

function attempt<T>(act: () => T): { readonly ok: T } | { readonly error: string } {
  try {
    return { ok: act() }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}

/** Whole lines, however little a pipe takes at once. */
function answer(value: KernelAnswer): void {
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`)
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at)
}
