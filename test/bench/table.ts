// The bench on a terminal: one table of contenders, one of targets.

import type { Contender } from './contenders.ts'
import { least, median, type Sample } from './measure.ts'
import type { Samples, Verdict } from './targets.ts'

/** Contenders that ran, with the ratio of their median wall time to that of the first row. */
export function renderContenders(contenders: readonly Contender[], samples: Samples): string {
  const ran = contenders.flatMap(({ name, title }) => {
    const own = samples.get(name)
    return own === undefined ? [] : [{ title, own }]
  })
  const first = wall(ran[0]?.own ?? [])
  const rows = ran.map(({ title, own }) => [
    title,
    String(own.length),
    least(wall(own)).toFixed(0),
    median(wall(own)).toFixed(0),
    (median(own.map(({ cpuMs }) => cpuMs)) / 1000).toFixed(2),
    (Math.max(...own.map(({ peakRssBytes }) => peakRssBytes)) / 2 ** 20).toFixed(0),
    (median(wall(own)) / median(first)).toFixed(2),
  ])
  return align([['', 'runs', 'min ms', 'median ms', 'CPU s', 'peak MiB', 'ratio'], ...rows])
}

/** Targets with what was measured and `ok`, `MISSED` or `not run`. */
export function renderTargets(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ target, limit, measured, met }) => [
    target,
    measured === null ? '-' : measured.toFixed(2),
    `<= ${limit}`,
    met === null ? 'not run' : met ? 'ok' : 'MISSED',
  ])
  return align([['target', 'measured', 'limit', ''], ...rows])
}

function wall(samples: readonly Sample[]): readonly number[] {
  return samples.map(({ wallMs }) => wallMs)
}

/** Columns padded to their widest cell: the first to the left, the others to the right. */
function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  const cell = (text: string, column: number) =>
    column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)
  return rows.map(row => row.map(cell).join('  ').trimEnd()).join('\n')
}
