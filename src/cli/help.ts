// Help texts, made from the command tree: the overview, one page per command, and topics.

import { globalFlagsOf } from './global-flags.ts'
import { commandGroups, type CommandSpec, type FlagSpec, flagLabel, usageLine } from './spec.ts'
import { renderTable } from './table.ts'

const lineWidth = 100

/** What `ovl` alone prints. */
export function renderOverview(tree: readonly CommandSpec[]): string[] {
  const lines = [
    'Usage: ovl <command> [flags]',
    '',
    'Unpack container images; mount, compare and explain overlay filesystems.',
    '',
  ]
  for (const group of commandGroups) {
    const rows = tree.filter(spec => spec.group === group).map(spec => [`  ${spec.name}`, overviewText(spec)])
    if (rows.length > 0) lines.push(group, ...renderTable([{}, {}], rows), '')
  }
  lines.push(
    'Examples:',
    ...tree
      .flatMap(spec => spec.examples.slice(0, 1))
      .slice(0, 3)
      .map(example => `  ${example.command}`),
    '',
  )
  lines.push(
    'ovl help <command> explains a command; ovl help images | overlay | formats | json | exit-status, a topic.',
  )
  return lines
}

/** What `ovl help <command>` and `ovl <command> --help` print. */
export function renderCommandHelp(spec: CommandSpec): string[] {
  const aliases = spec.aliases === undefined ? [] : [`Alias: ${spec.aliases.join(', ')}`]
  return [
    `Usage: ${usageLine(spec)}`,
    ...aliases,
    '',
    ...spec.description.split('\n').flatMap(paragraph => wrap(paragraph, lineWidth)),
    ...section(
      'Arguments',
      spec.arguments.map(argument => [`  ${argument.name}`, argument.text]),
    ),
    ...section(
      'Examples',
      spec.examples.map(example => [`  ${example.command}`, `# ${example.text}`]),
    ),
    ...section('Flags', flagRows(spec.flags)),
    ...section('Flags of every command', flagRows(globalFlagsOf(spec))),
  ]
}

function overviewText(spec: CommandSpec): string {
  return spec.aliases === undefined ? spec.summary : `${spec.summary}   (alias: ${spec.aliases.join(', ')})`
}

function section(title: string, rows: readonly string[][]): string[] {
  if (rows.length === 0) return []
  const first = rows.reduce((widest, row) => Math.max(widest, row[0]?.length ?? 0), 0)
  const lines = rows.flatMap(([label = '', text = '']) =>
    wrap(text, Math.max(40, lineWidth - first - 2)).map((line, i) => (i === 0 ? label : '').padEnd(first + 2) + line),
  )
  return ['', `${title}:`, ...lines]
}

function flagRows(flags: readonly FlagSpec[]): string[][] {
  return flags.map(flag => [`  ${flag.short === undefined ? '    ' : ''}${flagLabel(flag)}`, flag.text])
}

/** Breaks a paragraph at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
