// What a running command has at hand: its settings, the two streams, warnings, progress and the signal to stop.

import type { Json } from '../errors/index.ts'
import type { Settings } from './global-flags.ts'
import { createProgress, type Progress, type ProgressTarget } from './progress.ts'
import { catchSignals, type Interruption } from './signals.ts'
import { createStyle, type Environment, type Style } from './style.ts'
import { createWarnings, type Warnings } from './warnings.ts'

/** The parts of `process` that the command line uses. */
export type ProcessLike = {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: OutputStream
  readonly stderr: OutputStream
  readonly env: Environment
}

export type OutputStream = ProgressTarget & {
  write(content: string | Uint8Array, done?: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export type Session = {
  readonly settings: Settings
  /** Colours for standard output. */
  readonly style: Style
  readonly progress: Progress
  readonly warnings: Warnings
  readonly interruption: Interruption
  /** Temporary files and directories that a second Ctrl-C would leave behind. */
  readonly leftovers: Set<string>
  readonly stdin: NodeJS.ReadStream
  readonly stdoutIsTerminal: boolean
  /** Prints lines of the answer. Rejects with EPIPE when the reader went away. */
  print(lines: readonly string[]): Promise<void>
  /** Prints the answer as one JSON document. */
  printJson(schema: string, answer: { readonly [key: string]: Json }): Promise<void>
  /** Writes bytes of the answer; the region must not change before the promise settles. */
  write(bytes: Uint8Array): Promise<void>
}

export function createSession(settings: Settings, io: ProcessLike): Session {
  const { stdout, stderr, env } = io
  // A closed pipe is reported to the writer below; without a listener Node would end the process on it.
  stdout.on('error', () => undefined)
  stderr.on('error', () => undefined)
  const progress = createProgress({ mode: settings.progress, target: stderr, env })
  const leftovers = new Set<string>()
  const silent = settings.quiet || settings.format === 'json'
  const write = (content: string | Uint8Array): Promise<void> => writeAll(stdout, content)
  return {
    settings,
    style: createStyle(settings.color, stdout, env),
    progress,
    warnings: createWarnings({ print: silent ? null : line => progress.print(line), verbosity: settings.verbosity }),
    interruption: catchSignals({ leftovers: () => [...leftovers], print: line => void stderr.write(`${line}\n`) }),
    leftovers,
    stdin: io.stdin,
    stdoutIsTerminal: stdout.isTTY === true,
    print: lines => write(lines.map(line => `${line}\n`).join('')),
    printJson: (schema, answer) => write(`${JSON.stringify({ schema, ...answer }, null, 2)}\n`),
    write,
  }
}

function writeAll(stream: OutputStream, content: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(content, error => (error ? reject(error) : resolve()))
  })
}
