// Runs the steps of a scenario on a file system, and says what each answered.
import { FsError, type Json } from '../errors/index.ts'
import { type Credentials, type FileHandle, type FileSystem, root } from '../fs/index.ts'
import type { Step } from './scenario.ts'
import { StatLabels } from './stat-json.ts'
import { readStep } from './step-syntax.ts'
import type { StepContext } from './step-table.ts'

/** What a step answered. */
export type StepResult = { readonly ok: Json } | { readonly errno: string }

/** How to run steps. */
export type RunOptions = {
  readonly umask?: string
  /** Who makes the steps that name nobody. Default: root. */
  readonly superuser?: Credentials
  /** When the run began, by the clock of the file system. */
  readonly startedNs: bigint
  /**
   * Unmounts and mounts again, and gives the new file system. An FsError of it is the step's answer, and the last one:
   * nothing is mounted any more. Absent: ENOSYS.
   */
  readonly remount?: () => FileSystem
  /** Told before each step. */
  readonly onStep?: (index: number) => void
}

/** What became of the steps. */
export type StepsRun = {
  /** One for each step; fewer when a remount failed. */
  readonly results: readonly StepResult[]
  /** Mounted in the end; null when a remount failed. */
  readonly fs: FileSystem | null
}

/** Runs steps one after the other; files that stay open are closed in the end. Errors: those that are no FsError. */
export function runSteps(fs: FileSystem, steps: readonly Step[], options: RunOptions): StepsRun {
  const run = new Run(fs, options)
  try {
    const results: StepResult[] = []
    for (const [index, step] of steps.entries()) {
      if (run.fs === null) break
      options.onStep?.(index)
      results.push(run.step(step))
    }
    return { results, fs: run.fs }
  } finally {
    run.closeHandles()
  }
}

class Run {
  fs: FileSystem | null
  readonly #options: RunOptions
  readonly #umask: number
  readonly #handles = new Map<string, FileHandle>()
  readonly #labels: StatLabels

  constructor(fs: FileSystem, options: RunOptions) {
    this.fs = fs
    this.#options = options
    this.#umask = Number.parseInt(options.umask ?? '022', 8)
    this.#labels = new StatLabels(options.startedNs)
  }

  step(step: Step): StepResult {
    const { operation, values, caller, order } = readStep(step)
    if (this.fs === null) return { errno: 'ENODEV' }
    const context: StepContext = {
      fs: this.fs.as({ ...this.#whoIs(caller), umask: this.#umask }),
      handles: this.#handles,
      labels: this.#labels,
      order,
      remount: () => this.#remount(),
    }
    try {
      return { ok: operation.run(context, values) }
    } catch (error) {
      if (error instanceof FsError) return { errno: error.code }
      throw error
    }
  }

  #whoIs(caller: Credentials | null): Credentials {
    const { superuser = root } = this.#options
    if (caller === null || superuser.namespace === undefined) return caller ?? superuser
    return { ...caller, namespace: superuser.namespace }
  }

  closeHandles(): void {
    for (const handle of this.#handles.values()) handle.close()
    this.#handles.clear()
  }

  /** As umount(2): not while a file is open. */
  #remount(): void {
    if (this.#handles.size > 0) throw new FsError('EBUSY', 'umount')
    const { remount } = this.#options
    if (remount === undefined) throw new FsError('ENOSYS', 'umount')
    this.fs = null
    this.fs = remount()
    this.#labels.remounted()
  }
}
