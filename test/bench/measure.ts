// One run of one command, measured from outside (measure.py), so that every contender is treated alike.

import { spawnSync } from 'node:child_process'

/** What one run took: wall clock, CPU of all its processes, the peak of its largest process. */
export type Sample = { readonly wallMs: number; readonly cpuMs: number; readonly peakRssBytes: number }

/** Runs a command; an exit status other than 0 is an error that shows what the command said. */
export function measure(command: readonly string[]): Sample {
  const { output, status, error } = spawnSync('python3', ['test/bench/measure.py', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (error !== undefined) throw error
  const [, , said, report] = output
  const { status: commandStatus, ...sample } = parse(report ?? '')
  if (status !== 0 || commandStatus !== 0) {
    throw new Error(`Cannot measure ${command.join(' ')}: exit status ${commandStatus}\n${said?.slice(-2000)}`)
  }
  return sample
}

/** Smallest value: the run that the rest of the machine disturbed least. */
export function least(values: readonly number[]): number {
  return Math.min(...values)
}

/** Middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  const high = sorted[Math.ceil((sorted.length - 1) / 2)] ?? Number.NaN
  return (low + high) / 2
}

function parse(report: string): Sample & { readonly status: number } {
  if (report === '') return { status: -1, wallMs: 0, cpuMs: 0, peakRssBytes: 0 }
  return JSON.parse(report) as Sample & { status: number }
}
