// What a running command has at hand: its settings, the two streams, warnings, progress and the signal to stop.

import type { Json } from '../errors/index.ts'
import type { ProgressMode, Settings } from './global-flags.ts'
import { createProgress, type Progress, type ProgressTarget } from './progress.ts'
import { catchSignals, type Interruption } from './signals.ts'
import type { View } from './render/view.ts'
import { type ColorTarget, createStyle, type Environment } from './style.ts'
import { createWarnings, type Warnings } from './warnings.ts'

/** The parts of `process` that the command line uses. */
export type ProcessLike = {
  readonly stdin: ColorTarget
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Environment
}

/** Standard output or standard error. */
export type OutputStream = ProgressTarget & {
  write(content: string | Uint8Array, done?: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Everything a command may use besides its arguments. */
export type Session = {
  readonly settings: Settings
  /** How text is printed. */
  readonly view: View
  readonly progress: Progress
  readonly warnings: Warnings
  readonly interruption: Interruption
  readonly stdoutIsTerminal: boolean
  readonly stdinIsTerminal: boolean
  /** Adds a search for temporary files and directories that a second Ctrl-C leaves behind. */
  findLeftovers(find: () => readonly string[]): void
  /** Prints lines of text. Rejects with EPIPE when the reader went away. */
  print(lines: readonly string[]): Promise<void>
  /** Prints the answer in the format that is asked for; JSON gets the schema in front and the warnings behind. */
  answer(schema: string, forms: AnswerForms): Promise<void>
  /** Writes bytes of the answer; they must not change before the promise settles. */
  write(bytes: Uint8Array): Promise<void>
}

/** An answer, made only in the form that is printed. */
export type AnswerForms = {
  readonly text: (view: View) => readonly string[]
  readonly json: () => { readonly [key: string]: Json }
}

/** Opens a session; its `interruption` must be released at the end. */
export function createSession(settings: Settings, io: ProcessLike): Session {
  const { stdout, stderr, env } = io
  // A closed pipe is reported to the writer below; without a listener Node would end the process on it.
  stdout.on('error', () => undefined)
  stderr.on('error', () => undefined)
  const progress = createProgress({ mode: progressMode(settings), target: stderr, env })
  const finders: (() => readonly string[])[] = []
  const silent = settings.quiet || settings.format === 'json'
  const view = { ...settings, style: createStyle(settings.color, stdout, env) }
  const warnings = createWarnings({
    print: silent ? null : line => progress.print(line),
    verbosity: settings.verbosity,
  })
  const write = (content: string | Uint8Array): Promise<void> => writeAll(stdout, content)
  const print = (lines: readonly string[]): Promise<void> => write(lines.map(line => `${line}\n`).join(''))
  return {
    settings,
    view,
    progress,
    warnings,
    interruption: catchSignals({
      leftovers: () => finders.flatMap(find => find()),
      print: line => void stderr.write(`${line}\n`),
    }),
    findLeftovers: find => void finders.push(find),
    stdoutIsTerminal: stdout.isTTY === true,
    stdinIsTerminal: io.stdin.isTTY === true,
    print,
    answer: (schema, { text, json }) => {
      progress.stop()
      if (settings.format === 'text') return print(text(view))
      return write(`${JSON.stringify({ schema, ...json(), warnings: warnings.toJSON() }, null, 2)}\n`)
    },
    write,
  }
}

/** With JSON output, standard error is for JSON too: progress is shown there only when asked for. */
function progressMode({ progress, format }: Settings): ProgressMode {
  return progress === 'auto' && format === 'json' ? 'none' : progress
}

function writeAll(stream: OutputStream, content: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(content, error => (error ? reject(error) : resolve()))
  })
}
