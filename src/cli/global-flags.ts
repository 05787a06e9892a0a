// The flags that every command takes, before or after the verb, and what they mean together.

import { defaultLimits, type Limits, nearest, OvlError, quote } from '../errors/index.ts'
import { type CommandSpec, type FlagSpec, type FlagValues } from './spec.ts'

/** Values of --color. */
export const colorModes = ['auto', 'always', 'never'] as const
/** Values of --progress. */
export const progressModes = ['auto', 'plain', 'json', 'none'] as const
/** Values of --format. */
export const formats = ['text', 'json'] as const

/** When text is coloured. */
export type ColorMode = (typeof colorModes)[number]
/** How work in progress is shown. */
export type ProgressMode = (typeof progressModes)[number]
/** How the answer is printed. */
export type Format = (typeof formats)[number]

/** What the global flags of one command line say together. */
export type Settings = {
  readonly quiet: boolean
  /** How often -v was given. */
  readonly verbosity: number
  readonly debug: boolean
  readonly color: ColorMode
  readonly progress: ProgressMode
  readonly format: Format
  readonly noTrunc: boolean
  readonly limits: Limits
}

/** The flags of every command, in the order of the help. */
export const globalFlags: readonly FlagSpec[] = [
  { long: '--json', text: 'print JSON: the same as --format json' },
  { long: '--format', value: 'FORMAT', choices: formats, text: 'text (the default) or json' },
  { long: '--no-trunc', text: 'print digests in full' },
  { long: '--quiet', short: '-q', text: 'no progress, no summary, no warnings' },
  { long: '--verbose', short: '-v', text: 'say more: every warning, the causes of an error, details and times' },
  { long: '--debug', text: 'print the stack of an error' },
  { long: '--progress', value: 'MODE', choices: progressModes, text: 'auto (the default), plain, json or none' },
  { long: '--color', value: 'WHEN', choices: colorModes, text: 'auto (the default), always or never' },
  {
    long: '--limit',
    value: 'NAME=N',
    text: 'change a limit on hostile input: entries, size, ratio, path, pax, json, nesting; N may end in K, M, G or T',
  },
]

/** The flags of every command that this one does not give a meaning of its own, such as --format of `ovl copy`. */
export function globalFlagsOf(spec: CommandSpec): readonly FlagSpec[] {
  return globalFlags.filter(({ long }) => spec.flags.every(own => own.long !== long))
}

/** Reads the global flags of a command line. Errors: USAGE for a value that is not in the list. */
export function readSettings(flags: FlagValues): Settings {
  // Other values are a command's own: the parser has checked them.
  const format = formats.find(each => each === flags.text('--format')) ?? 'text'
  return {
    quiet: flags.has('--quiet'),
    verbosity: flags.has('--quiet') ? 0 : flags.all('--verbose').length,
    debug: flags.has('--debug'),
    color: oneOf(colorModes, flags.text('--color'), '--color') ?? 'auto',
    progress: flags.has('--quiet') ? 'none' : (oneOf(progressModes, flags.text('--progress'), '--progress') ?? 'auto'),
    format: flags.has('--json') ? 'json' : format,
    noTrunc: flags.has('--no-trunc'),
    limits: readLimits(flags.all('--limit')),
  }
}

/** The value if it is one of the choices. Errors: USAGE naming the choices. */
export function oneOf<T extends string>(choices: readonly T[], value: string | undefined, flag: string): T | undefined {
  if (value === undefined) return undefined
  const choice = choices.find(candidate => candidate === value)
  if (choice !== undefined) return choice
  throw new OvlError('USAGE', `${flag} takes ${listOr(choices)}, not ${quote(value)}`, { data: { flag, value } })
}

const limitNames: Readonly<Record<string, keyof Limits>> = {
  entries: 'entries',
  size: 'sizeBytes',
  ratio: 'ratio',
  path: 'pathBytes',
  pax: 'paxBytes',
  json: 'jsonBytes',
  nesting: 'indexNesting',
}

/** Applies `name=value` pairs, separated by commas, over the default limits. Errors: USAGE. */
export function readLimits(texts: readonly string[]): Limits {
  const limits: Record<keyof Limits, number> = { ...defaultLimits }
  for (const pair of texts.flatMap(text => text.split(','))) {
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const key = Object.hasOwn(limitNames, name) ? limitNames[name] : undefined
    if (key === undefined) throw unknownLimit(name)
    limits[key] = readCount(name, value)
  }
  return limits
}

function unknownLimit(name: string): OvlError {
  const names = Object.keys(limitNames)
  const near = nearest(name, names)
  return new OvlError(
    'USAGE',
    `Unknown limit ${quote(name)}${near === undefined ? `: there are ${names.join(', ')}` : `. Did you mean ${quote(near)}?`}`,
  )
}

const factors: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

function readCount(name: string, value: string): number {
  const match = /^(\d{1,15})([kmgt]?)(?:i?b)?$/i.exec(value)
  const count = Number(match?.[1]) * (factors[match?.[2]?.toLowerCase() ?? ''] ?? 1)
  if (match !== null && Number.isSafeInteger(count) && count > 0) return count
  throw new OvlError('USAGE', `--limit ${name} needs a number above 0, not ${quote(value)}`, { data: { name, value } })
}

function listOr(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
