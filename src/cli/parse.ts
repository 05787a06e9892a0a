// From the words of a command line to an invocation. commander does the splitting; what it complains about is said
// in ovl's own words, with the nearest command or flag.

import { Command, CommanderError, Option } from 'commander'
import { nearest, OvlError, quote } from '../errors/index.ts'
import { globalFlags, globalFlagsOf, oneOf } from './global-flags.ts'
import { type CommandSpec, type FlagSpec, type FlagValues, argumentLabel, usageLine } from './spec.ts'

/** What a command line asks for. */
export type Invocation =
  | { readonly kind: 'overview'; readonly flags: FlagValues }
  | { readonly kind: 'version'; readonly flags: FlagValues }
  | { readonly kind: 'help'; readonly spec: CommandSpec; readonly flags: FlagValues }
  | {
      readonly kind: 'call'
      readonly spec: CommandSpec
      readonly positionals: readonly string[]
      readonly rest: readonly string[]
      readonly flags: FlagValues
    }

const rootFlags: readonly FlagSpec[] = [
  { long: '--help', short: '-h', text: 'print help' },
  { long: '--version', short: '-V', text: 'print the version' },
]

const helpFlag: FlagSpec = { long: '--help', short: '-h', text: 'print this help' }

/** Parses the words after `ovl`. Errors: USAGE for unknown commands and flags, missing values and arguments. */
export function parseCommandLine(argv: readonly string[], tree: readonly CommandSpec[]): Invocation {
  const values = new Map<string, string[]>()
  const flags = readFlags(values)
  let called: { spec: CommandSpec; positionals: readonly string[] } | undefined
  const program = createCommand('ovl', [...rootFlags, ...globalFlags], values)
  // Unknown flags are let through here so that in `ovl unpak --flat` the command is what is complained about.
  program.allowUnknownOption().argument('[command...]')
  program.action((words: string[]) => {
    if (words[0] !== undefined)
      throw words[0].startsWith('-') ? misplacedFlag(words[0], tree) : unknownCommand(words[0], tree)
  })
  let current: CommandSpec | undefined
  for (const spec of tree) {
    // To build all commands takes 10 ms.
    if (![spec.name, ...(spec.aliases ?? [])].some(name => argv.includes(name))) continue
    const command = createCommand(spec.name, [...spec.flags, ...globalFlagsOf(spec), helpFlag], values)
    command.aliases([...(spec.aliases ?? [])])
    command.argument('[arguments...]').action((positionals: string[]) => {
      called = { spec, positionals }
    })
    command.exitOverride(error => {
      current = spec
      throw error
    })
    program.addCommand(command)
  }
  try {
    program.parse(rewriteInlineChoices(argv, tree), { from: 'user' })
  } catch (error) {
    throw error instanceof CommanderError ? usageError(error, current) : error
  }
  checkChoices(values, called?.spec)
  if (called === undefined) return { kind: flags.has('--version') ? 'version' : 'overview', flags }
  if (flags.has('--help')) return { kind: 'help', spec: called.spec, flags }
  const { spec } = called
  const words = splitRest(argv, called.positionals, spec)
  checkArguments(spec, words.positionals)
  return { kind: 'call', spec, ...words, flags }
}

function createCommand(name: string, flags: readonly FlagSpec[], values: Map<string, string[]>): Command {
  const command = new Command(name)
  command.helpOption(false).helpCommand(false).showSuggestionAfterError(false).exitOverride()
  command.configureOutput({ writeErr: () => undefined, writeOut: () => undefined })
  for (const flag of flags) {
    addFlag(command, flag, values)
    for (const choice of flag.inlineChoices ?? [])
      addFlag(command, { long: `${flag.long}-${choice}`, text: '' }, values)
  }
  return command
}

function addFlag(command: Command, flag: FlagSpec, values: Map<string, string[]>): void {
  const names = flag.short === undefined ? flag.long : `${flag.short}, ${flag.long}`
  const option = new Option(flag.value === undefined ? names : `${names} <${flag.value}>`)
  command.addOption(option)
  // Listening instead of opts(): repeated switches count, and a flag may stand before or after the verb.
  command.on(`option:${option.name()}`, (value: string | null) => {
    values.set(flag.long, [...(values.get(flag.long) ?? []), value ?? ''])
  })
}

/** A global flag may stand before the command that gives it other values, so this waits until the command is known. */
function checkChoices(values: ReadonlyMap<string, readonly string[]>, spec: CommandSpec | undefined): void {
  const flags = spec === undefined ? globalFlags : [...spec.flags, ...globalFlagsOf(spec)]
  for (const { long, choices } of flags)
    for (const value of choices === undefined ? [] : (values.get(long) ?? [])) oneOf(choices ?? [], value, long)
}

/** `--force=any` becomes `--force-any`: commander would take the next word as the value of an optional one. */
function rewriteInlineChoices(argv: readonly string[], tree: readonly CommandSpec[]): string[] {
  const rewrites = new Map<string, string>()
  for (const flag of tree.flatMap(spec => spec.flags)) {
    for (const choice of flag.inlineChoices ?? []) rewrites.set(`${flag.long}=${choice}`, `${flag.long}-${choice}`)
  }
  const end = argv.indexOf('--')
  return argv.map((word, i) => (end >= 0 && i > end ? word : (rewrites.get(word) ?? word)))
}

function readFlags(values: ReadonlyMap<string, readonly string[]>): FlagValues {
  return {
    has: long => values.has(long),
    text: long => values.get(long)?.at(-1),
    all: long => values.get(long) ?? [],
  }
}

type Words = { readonly positionals: readonly string[]; readonly rest: readonly string[] }

/** Words behind "--" are arguments like others, other than for a command that runs them as a command. */
function splitRest(argv: readonly string[], positionals: readonly string[], spec: CommandSpec): Words {
  const end = argv.indexOf('--')
  if (end < 0 || spec.arguments.at(-1)?.rest !== true) return { positionals, rest: [] }
  const count = argv.length - end - 1
  return { positionals: positionals.slice(0, positionals.length - count), rest: argv.slice(end + 1) }
}

function checkArguments(spec: CommandSpec, positionals: readonly string[]): void {
  const expected = spec.arguments.filter(argument => argument.rest !== true)
  const takesMany = expected.at(-1)?.many === true
  const needed = expected.filter(argument => argument.optional !== true).length
  if (positionals.length >= needed && (positionals.length <= expected.length || takesMany)) return
  const names = expected.map(argumentLabel)
  const wants = names.length === 0 ? 'takes no argument' : `needs ${names.join(' and ')}`
  const count = `${positionals.length} argument${positionals.length === 1 ? '' : 's'}`
  throw new OvlError('USAGE', `${spec.name} ${wants}, got ${count}`, {
    facts: [`Usage: ${usageLine(spec)}`],
    data: { command: spec.name, arguments: [...positionals] },
  })
}

/** The error for a word that is no command; also for `ovl help WORD`. */
export function unknownCommand(word: string, tree: readonly CommandSpec[]): OvlError {
  const near = nearest(
    word,
    tree.flatMap(spec => [spec.name, ...(spec.aliases ?? [])]),
  )
  const message = `Unknown command ${quote(word)}.`
  const data = { command: word }
  if (near !== undefined) return new OvlError('USAGE', `${message} Did you mean ${quote(near)}?`, { data })
  return new OvlError('USAGE', message, { data, hint: 'ovl help lists the commands' })
}

/** A flag before the command that is not one of the global ones. */
function misplacedFlag(word: string, tree: readonly CommandSpec[]): OvlError {
  const long = word.split('=')[0] ?? word
  const owner = tree.find(spec => spec.flags.some(flag => flag.long === long || flag.short === long))
  if (owner === undefined) return unknownFlag(word, undefined)
  return new OvlError('USAGE', `Unknown flag ${quote(word)} before a command`, {
    hint: `it belongs behind the command: ovl ${owner.name} ${long} …`,
    data: { flag: word },
  })
}

function unknownFlag(flag: string, spec: CommandSpec | undefined): OvlError {
  const known = [...(spec?.flags ?? []), ...globalFlags, ...rootFlags]
  const near = nearest(
    flag.split('=')[0] ?? flag,
    known.map(candidate => candidate.long),
  )
  return new OvlError(
    'USAGE',
    `Unknown flag ${quote(flag)}.${near === undefined ? '' : ` Did you mean ${quote(near)}?`}`,
    {
      ...usageFacts(spec),
      data: { flag, ...(spec === undefined ? {} : { command: spec.name }) },
    },
  )
}

function usageError(error: CommanderError, spec: CommandSpec | undefined): OvlError {
  // commander hands over the offending flag only inside its message.
  const flag = /'([^]*)'/.exec(error.message)?.[1] ?? ''
  if (error.code === 'commander.unknownOption') return unknownFlag(flag, spec)
  if (error.code === 'commander.optionMissingArgument') {
    const long = flag.split(' ').find(word => word.startsWith('--')) ?? flag
    return new OvlError('USAGE', `${long} needs a value`, { ...usageFacts(spec), data: { flag: long } })
  }
  return new OvlError('USAGE', error.message.replace(/^error: /, ''), usageFacts(spec))
}

function usageFacts(spec: CommandSpec | undefined): { facts: string[] } {
  return { facts: [`Usage: ${spec === undefined ? 'ovl <command> [flags]' : usageLine(spec)}`] }
}
