import type { OverlayFinding, OverlayReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { findingCodes } from '../../overlay/index.ts'
import { jsonName } from '../../path/index.ts'
import { wrap } from '../help.ts'
import { renderTable } from '../table.ts'
import { countText } from '../wording.ts'
import type { View } from './view.ts'

/** Findings of one code that are printed without -v. */
const shownOfCode = 20

/** A line for each finding, the worst first, and how many there are. */
export function renderOverlayReport(report: OverlayReport, view: View): string[] {
  const { findings, mountedOn } = report
  const rank = { error: 0, warning: 1, note: 2 } as const
  const sorted = findings.toSorted((a, b) => rank[a.severity] - rank[b.severity])
  const counts = new Map<string, number>()
  const shown = sorted.filter(({ code }) => {
    const count = (counts.get(code) ?? 0) + 1
    counts.set(code, count)
    return view.verbosity > 0 || count <= shownOfCode
  })
  const hidden = findings.length - shown.length
  return [
    ...renderTable(
      [{}, {}, {}],
      shown.map(finding => findingCells(finding, view)),
    ),
    ...(hidden === 0 ? [] : [`  … and ${hidden} more like these: -v prints all`]),
    ...(view.verbosity === 0 ? [] : meanings(findings)),
    ...(mountedOn === null ? [] : [`it is mounted on ${escapeControls(mountedOn)}: the workdir was not checked`]),
    `${title(report)}: ${summary(report)}`,
  ]
}

/** What -v adds: each code once, with what it means. */
function meanings(findings: readonly OverlayFinding[]): string[] {
  const codes = [...new Set(findings.map(({ code }) => code))]
  return codes.flatMap(code => [
    `${code}: ${findingCodes[code].title}`,
    ...wrap(findingCodes[code].meaning, 100).map(line => `  ${line}`),
  ])
}

/** The JSON of `ovl doctor --overlay`. */
export function overlayReportToJson(report: OverlayReport): { readonly [key: string]: Json } {
  const { upper, lower, data, work, userxattr, mountedOn, findings, ok } = report
  return {
    upper: upper === null ? null : jsonName(upper),
    lower: lower.map(jsonName),
    data: data.map(jsonName),
    work: work === null ? null : jsonName(work),
    userxattr,
    mountedOn: mountedOn === null ? null : jsonName(mountedOn),
    ok,
    findings: findings.map(({ directory, path, ...finding }) => ({
      ...finding,
      directory: directory === null ? null : jsonName(directory),
      path: jsonName(path),
      meaning: findingCodes[finding.code].meaning,
      rules: [...findingCodes[finding.code].rules],
      mend: finding.mend === null ? null : { ...finding.mend },
    })),
  }
}

function findingCells({ code, severity, directory, path, fact, mend }: OverlayFinding, { style }: View): string[] {
  const place = directory === null ? '' : `${escapeControls(join(directory, path))} `
  const rules = findingCodes[code].rules
  const numbers = rules.length === 0 ? '' : `, rule ${rules.join(' ')}`
  const word =
    severity === 'error'
      ? style('bad', severity)
      : severity === 'warning'
        ? style('changed', severity)
        : style('marker', severity)
  return [word, `${place}${escapeControls(fact)}${mendText(mend)}`, `[${code}${numbers}]`]
}

function join(directory: string, path: string): string {
  return path === '' ? directory : `${directory.replace(/\/+$/, '')}/${path}`
}

function mendText(mend: OverlayFinding['mend']): string {
  if (mend === null || mend.state === 'possible') return ''
  if (mend.state === 'failed') return ` -> could not be mended: ${mend.reason ?? 'unknown'}`
  return ` -> ${mend.state}: ${mend.action}`
}

function title({ upper, lower, data }: OverlayReport): string {
  const layers = lower.length + data.length
  const first = escapeControls(lower[0] ?? '')
  const stack = layers === 1 ? first : `${first} and ${countText(layers - 1, 'layer')} beneath`
  return upper === null ? stack : `${escapeControls(upper)} over ${stack}`
}

function summary({ findings }: OverlayReport): string {
  if (findings.length === 0) return 'nothing is wrong'
  const count = (severity: OverlayFinding['severity']): number => findings.filter(f => f.severity === severity).length
  const parts = (['error', 'warning', 'note'] as const).flatMap(severity =>
    count(severity) === 0 ? [] : [countText(count(severity), severity)],
  )
  const mended = findings.filter(({ mend }) => mend?.state === 'done').length
  const upperOnly = findings.filter(({ mend, role }) => mend?.state === 'possible' && role !== 'lowerdir').length
  const inLower = findings.filter(({ mend, role }) => mend?.state === 'possible' && role === 'lowerdir').length
  return [
    parts.join(', '),
    ...(mended === 0 ? [] : [`${mended} mended`]),
    ...(upperOnly === 0 ? [] : [`--fix mends ${upperOnly}`]),
    ...(inLower === 0 ? [] : [`--fix=lower mends ${inLower} in lower layers`]),
  ].join('; ')
}
