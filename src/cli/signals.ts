// Ctrl-C and its kin. The first signal asks the command to stop and clean up; the second stops at once and says what
// could not be removed.

import { OvlError } from '../errors/index.ts'

/** Signals that ask the process to end, and which of them came. */
export type Interruption = {
  readonly signal: AbortSignal
  /** Exit status for the signal that came, undefined when none did. */
  exitStatus(): number | undefined
  /**
   * Runs what neither waits nor writes. Nobody would hear of a signal meanwhile, so it ends the process, as if nobody
   * listened.
   */
  letGo<T>(run: () => T): T
  /** Stops listening. */
  release(): void
}

const exitStatusOf = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

type Signal = keyof typeof exitStatusOf

/** What the second signal reports. */
export type InterruptionOptions = {
  /** Temporary files and directories that exist now. */
  readonly leftovers: () => readonly string[]
  /** Writes one line to the error stream. */
  readonly print: (line: string) => void
}

/** Listens for SIGINT, SIGTERM and SIGHUP until released. */
export function catchSignals(options: InterruptionOptions): Interruption {
  const controller = new AbortController()
  let received: Signal | undefined
  const listener = (signal: Signal): void => {
    if (received !== undefined) stopAtOnce(signal, options)
    received = signal
    controller.abort(new OvlError('INTERRUPTED', 'interrupted'))
  }
  const signals: readonly Signal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const listen = (): void => {
    for (const signal of signals) process.on(signal, listener)
  }
  const release = (): void => {
    for (const signal of signals) process.off(signal, listener)
  }
  listen()
  return {
    signal: controller.signal,
    exitStatus: () => (received === undefined ? undefined : exitStatusOf[received]),
    letGo: run => {
      controller.signal.throwIfAborted()
      release()
      try {
        return run()
      } finally {
        listen()
      }
    },
    release,
  }
}

function stopAtOnce(signal: Signal, options: InterruptionOptions): never {
  const left = options.leftovers()
  options.print(left.length === 0 ? 'ovl: stopped at once' : `ovl: stopped at once; left behind: ${left.join(', ')}`)
  process.exit(exitStatusOf[signal])
}
