import type { PlayOptions } from '../scenario/index.ts'
import { openEmulatorRunner, openHostRunner } from './emulator-runner.ts'
import { openKernelRunner } from './kernel/kernel-runner.ts'
import type { Runner, RunnerName } from './runner.ts'

/** Every runner. */
export const runnerNames = ['emulator', 'host', 'kernel', 'kernel-ext4'] as const satisfies readonly RunnerName[]

const openers: { readonly [name in RunnerName]: (options: PlayOptions) => Runner | Promise<Runner> } = {
  emulator: openEmulatorRunner,
  host: openHostRunner,
  kernel: options => openKernelRunner('tmpfs', options),
  'kernel-ext4': options => openKernelRunner('ext4', options),
}

/** Runs something with these runners and closes them. Errors: NEEDS_PRIVILEGE, UNSUPPORTED, and those of `use`. */
export async function withRunners<T>(
  names: readonly RunnerName[],
  options: PlayOptions,
  use: (runners: readonly Runner[]) => Promise<T>,
): Promise<T> {
  const runners: Runner[] = []
  try {
    for (const name of names) runners.push(await openers[name](options))
    return await use(runners)
  } finally {
    await Promise.all(runners.map(runner => runner.close()))
  }
}
