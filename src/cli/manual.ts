// The documents that are made from the command tree and the table of error codes: docs/cli and docs/errors.md.
// `node scripts/generate-docs.mjs` writes them; a test compares.

import { errorCodes } from '../errors/index.ts'
import { findingCodes, overlayRules } from '../overlay/index.ts'
import { globalFlags } from './global-flags.ts'
import { type CommandSpec, type FlagSpec, flagLabel, usageLine } from './spec.ts'
import { exitMeanings, topics } from './topics.ts'
import { commandTree } from './tree/index.ts'

const generated =
  '<!-- Written by scripts/generate-docs.mjs: change the command tree in src/cli/tree/, not this file. -->'

/** Every generated document: its path in the repository and its text. */
export function renderManual(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/cli/README.md', overviewPage()],
    ...commandTree.map(spec => [`docs/cli/${spec.name}.md`, commandPage(spec)] as const),
    ...topics.map(
      topic => [`docs/cli/topic-${topic.name}.md`, page(`ovl help ${topic.name}`, fenced(topic.lines()))] as const,
    ),
    ['docs/errors.md', errorsPage()],
    ['docs/doctor.md', findingsPage()],
    ['docs/overlayfs/rules.md', rulesPage()],
  ])
}

function overviewPage(): string {
  const commands = commandTree.map(spec => `| [\`ovl ${spec.name}\`](${spec.name}.md) | ${cell(spec.summary)} |`)
  const topicRows = topics.map(
    topic => `| [\`ovl help ${topic.name}\`](topic-${topic.name}.md) | ${cell(topic.summary)} |`,
  )
  return page('The command line', [
    '`ovl <command> [flags] <input> [<output>]`. The answer goes to standard output; progress, warnings and errors go to',
    'standard error. `ovl help <command>` prints what stands in these pages.',
    '',
    '| command | |',
    '|---|---|',
    ...commands,
    ...topicRows,
    '',
    '## Flags of every command',
    '',
    'They may stand before or after the command.',
    '',
    ...flagTable(globalFlags),
  ])
}

function commandPage(spec: CommandSpec): string {
  return page(`ovl ${spec.name}`, [
    ...fenced([usageLine(spec)]),
    '',
    ...(spec.aliases === undefined ? [] : [`Alias: ${spec.aliases.map(alias => `\`ovl ${alias}\``).join(', ')}.`, '']),
    spec.description,
    '',
    ...(spec.arguments.length === 0 ? [] : [...argumentTable(spec), '']),
    '## Examples',
    '',
    ...fenced(spec.examples.flatMap(example => [`# ${example.text}`, example.command])),
    '',
    ...(spec.flags.length === 0 ? [] : ['## Flags', '', ...flagTable(spec.flags), '']),
    'The [flags of every command](README.md#flags-of-every-command) apply too.',
  ])
}

function errorsPage(): string {
  const codes = Object.entries(errorCodes).map(([code, row]) => `| \`${code}\` | ${row.exit} | ${cell(row.title)} |`)
  return page('Errors and exit status', [
    'An error names what could not be done, the fact, and a code in brackets that scripts may rely on; with `--json` it is one',
    'JSON object on standard error, `{"error": {"code", "message", "data", "facts", "hint", "cause"}}`.',
    '',
    '| exit status | meaning |',
    '|---|---|',
    ...exitMeanings.map(([status, meaning]) => `| ${status} | ${cell(meaning)} |`),
    '',
    '| code | exit status | meaning |',
    '|---|---|---|',
    ...codes,
  ])
}

function findingsPage(): string {
  const codes = Object.entries(findingCodes).flatMap(([code, { severity, title, meaning, rules, fix }]) => [
    `### ${code}`,
    '',
    `${severity}: ${title}.${rules.length === 0 ? '' : ` Rules ${rules.join(', ')}.`}`,
    '',
    `${meaning}${fix === null ? '' : ` \`--fix\`: ${fix}.`}`,
    '',
  ])
  return page('What ovl doctor finds in an overlay', [
    '`ovl doctor --overlay --upper U --lower L:… [--work W]` prints a line for each finding, with its path, its code and the',
    '[rules of overlayfs](overlayfs/rules.md) behind it; `-v` adds what it means, `--json` all of it. An error makes something fail, a warning is',
    'lost or shows wrongly, a note is good to know. `--fix` mends what can be mended without changing what the overlay shows;',
    'only names that can be listed but not opened disappear.',
    '',
    'A mark is judged by the layers beneath it, so all of them must be named. Marks of lower layers are mended with',
    '`--fix=lower` only: other overlays may use the same layers. Nothing is mended while the overlay is mounted.',
    '',
    '## Findings',
    '',
    ...codes,
  ])
}

function rulesPage(): string {
  const rows = Object.entries(overlayRules).map(([number, { text, checks, source }]) => {
    const where = source === undefined ? '' : ` (${source})`
    return `| ${number} | ${cell(text)} | ${cell(checks.join(', '))}${cell(where)} |`
  })
  return page('The rules of overlayfs', [
    'What the kernel does, measured with Linux 6.18: the emulator follows these rules, `ovl doctor` and `ovl explain` cite',
    'them by number. Evidence: the checks that show a rule by their ids, and where the kernel decides',
    'it, below fs/overlayfs/.',
    '',
    '| rule | | evidence |',
    '|---|---|---|',
    ...rows,
  ])
}

function page(title: string, lines: readonly string[]): string {
  return `${[`# ${title}`, '', generated, '', ...lines].join('\n')}\n`
}

function fenced(lines: readonly string[]): string[] {
  return ['```', ...lines, '```']
}

function argumentTable(spec: CommandSpec): string[] {
  const rows = spec.arguments.map(argument => `| \`${argument.name}\` | ${cell(argument.text)} |`)
  return ['| argument | |', '|---|---|', ...rows]
}

function flagTable(flags: readonly FlagSpec[]): string[] {
  return ['| flag | |', '|---|---|', ...flags.map(flag => `| \`${cell(flagLabel(flag))}\` | ${cell(flag.text)} |`)]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
