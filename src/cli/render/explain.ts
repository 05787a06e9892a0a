import type { Explanation, FileExplanation, NumberedRule } from '../../commands/index.ts'
import { escapeControls, type Json, unreachable } from '../../errors/index.ts'
import type { Term } from '../../explain/index.ts'
import { wrap } from '../help.ts'
import type { View } from './view.ts'

const lineWidth = 100

/** A heading, what it means, and the statements with their rules; with -v the rules themselves and their evidence. */
export function renderExplanation(explanation: Explanation, view: View): string[] {
  const { rules } = explanation
  return [
    ...body(explanation, view),
    ...(view.verbosity > 0 || saysByRules(explanation) ? ruleLines(rules, view) : []),
    ...seeAlsoLines(explanation),
  ]
}

/** The JSON of `ovl explain`. */
export function explanationToJson(explanation: Explanation): { readonly [key: string]: Json } {
  const rules = explanation.rules.map(ruleToJson)
  if (explanation.kind === 'term') return { kind: 'term', ...termToJson(explanation.term), rules }
  if (explanation.kind !== 'file') return { ...explanation, rules }
  const marks = explanation.marks.map(({ term, ...mark }) => ({ ...mark, term: termToJson(term) }))
  return { kind: 'file', path: explanation.path, type: explanation.type, marks, rules }
}

function seeAlsoLines(explanation: Explanation): string[] {
  const words = explanation.kind === 'term' ? explanation.term.seeAlso : []
  return words.length === 0 ? [] : [`see also: ${words.join(', ')}`]
}

/** The circumstances of an errno name their rules; everything else is said by the rules themselves. */
function saysByRules(explanation: Explanation): boolean {
  return explanation.kind !== 'term' || explanation.term.circumstances === undefined
}

function body(explanation: Explanation, view: View): string[] {
  switch (explanation.kind) {
    case 'term':
      return termLines(explanation.term, view)
    case 'code':
      return [
        view.style('heading', `${explanation.code}: ${explanation.title}`),
        `  an error of ovl, exit status ${explanation.exitStatus}`,
      ]
    case 'finding':
      return [
        view.style('heading', `${explanation.code}: ${explanation.title}`),
        ...indent(explanation.meaning, 2),
        ...(explanation.fix === null ? [] : indent(`ovl doctor --fix: ${explanation.fix}`, 2)),
      ]
    case 'rule':
      return []
    case 'file':
      return fileLines(explanation, view)
    default:
      return unreachable(explanation)
  }
}

function termLines({ names, title, meaning, circumstances = [] }: Term, view: View): string[] {
  const width = Math.max(0, ...circumstances.map(({ text }) => text.length))
  return [
    view.style('heading', `${names[0]}: ${title}`),
    ...indent(meaning, 2),
    ...circumstances.map(
      ({ text, rule }) =>
        `  - ${text.padEnd(Math.min(width, lineWidth - 16))}   ${view.style('marker', `rule ${rule}`)}`,
    ),
  ]
}

function fileLines({ path, type, marks }: FileExplanation, view: View): string[] {
  const name = escapeControls(path)
  if (marks.length === 0) return [`${name}: ${type} without a mark: it shows as it is, and hides what is beneath`]
  return marks.flatMap(({ name: mark, value, sizeBytes, term }) => {
    const content = value === null ? (sizeBytes === 0 ? '' : ` (${sizeBytes} bytes)`) : ` = "${escapeControls(value)}"`
    const what = mark === type ? '' : `${type}, `
    return [`${name}: ${what}${escapeControls(mark)}${content}`, ...termLines(term, view)]
  })
}

/** Rules with their numbers; with -v their evidence. */
export function ruleLines(rules: readonly NumberedRule[], { verbosity }: View): string[] {
  return rules.flatMap(({ number, text, checks, source }) => {
    const evidence = [...checks, ...(source === undefined ? [] : [source])].join(', ')
    return [...hanging(`rule ${number}`, text), ...(verbosity === 0 ? [] : hanging('', `evidence: ${evidence}`))]
  })
}

function hanging(label: string, text: string): string[] {
  return wrap(text, lineWidth - 10).map((line, i) => (i === 0 ? label : '').padEnd(10) + line)
}

function indent(text: string, columns: number): string[] {
  return wrap(text, lineWidth - columns).map(line => ' '.repeat(columns) + line)
}

function termToJson({ names, kind, title, meaning, circumstances = [], seeAlso }: Term): {
  readonly [key: string]: Json
} {
  return {
    name: names[0] ?? '',
    what: kind,
    title,
    meaning,
    circumstances: circumstances.map(each => ({ ...each })),
    seeAlso,
  }
}

function ruleToJson({ number, text, checks, source }: NumberedRule): Json {
  return { number, text, checks, ...(source === undefined ? {} : { source }) }
}
