// The shape of a command as data: the parser, the help, the documents and the completion are all made from it.

import type { Session } from './session.ts'

/** The sections of `ovl help`, in this order. */
export const commandGroups = ['Images', 'Bundles', 'Overlay', 'Other'] as const

/** A section of `ovl help`. */
export type CommandGroup = (typeof commandGroups)[number]

/** A positional argument. */
export type ArgumentSpec = {
  /** In capitals, as the usage line shows it. */
  readonly name: string
  readonly text: string
  readonly optional?: boolean
  /** One or more of them. Only the last argument can be so. */
  readonly many?: boolean
  /** Everything behind `--`: any number of words. Only the last argument can be one. */
  readonly rest?: boolean
}

/** A flag, as parser and help see it. */
export type FlagSpec = {
  /** With its dashes: `--platform`. */
  readonly long: string
  readonly short?: string
  /** Placeholder of the value, in capitals; a flag without one is a switch. */
  readonly value?: string
  /** The only values that are accepted. */
  readonly choices?: readonly string[]
  /** Values that a switch takes after "=", never as the next argument: `--force=any`. */
  readonly inlineChoices?: readonly string[]
  readonly text: string
}

/** A command line and what it is for. */
export type ExampleSpec = { readonly command: string; readonly text: string }

/** A command as data. */
export type CommandSpec = {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly group: CommandGroup
  /** One line for the list of commands; no capital, no full stop. */
  readonly summary: string
  /** Paragraphs that `ovl help <command>` prints below the usage line. */
  readonly description: string
  readonly arguments: readonly ArgumentSpec[]
  readonly flags: readonly FlagSpec[]
  /** Three of them, each a command that works as written. */
  readonly examples: readonly ExampleSpec[]
  /** Imports the code of the command; called only when the command runs. */
  readonly load: () => Promise<Action>
}

/** Runs a parsed command line and resolves to the exit status: ovl's own, or that of a command it ran. */
export type Action = (call: Call, session: Session) => Promise<number>

/** A parsed command line. */
export type Call = {
  readonly positionals: readonly string[]
  /** The words behind `--`, for a command that takes them. */
  readonly rest: readonly string[]
  readonly flags: FlagValues
}

/** The flags of one call: reads the last value, or all of them. */
export type FlagValues = {
  has(long: string): boolean
  text(long: string): string | undefined
  all(long: string): readonly string[]
}

/** The usage line: `ovl unpack [flags] IMAGE BUNDLE`. */
export function usageLine(spec: CommandSpec): string {
  return ['ovl', spec.name, '[flags]', ...spec.arguments.map(argumentLabel)].join(' ')
}

/** An argument as the usage shows it: `IMAGE`, `[PATH]`, `FILE…`, `[-- COMMAND…]`. */
export function argumentLabel({ name, optional, many, rest }: ArgumentSpec): string {
  const label = rest === true ? `-- ${name}…` : many === true ? `${name}…` : name
  return optional === true ? `[${label}]` : label
}

/** A flag as the usage shows it: `-n, --dry-run`, `--platform OS/ARCH`. */
export function flagLabel(flag: FlagSpec): string {
  const inline = flag.inlineChoices === undefined ? '' : `[=${flag.inlineChoices.join('|')}]`
  const value = flag.value === undefined ? '' : ` ${flag.value}`
  return `${flag.short === undefined ? '' : `${flag.short}, `}${flag.long}${inline}${value}`
}
