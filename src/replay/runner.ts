import type { Replay, Scenario } from '../scenario/index.ts'

/** Something that scenarios run on. */
export type Runner = {
  readonly name: RunnerName
  /** One line for people: "kernel 6.18.44". */
  readonly title: string
  /** Its layers lie on a file system that lists and numbers as a tmpfs does. */
  readonly isLikeTmpfs: boolean
  /** Scenarios asked for at once are run one after the other, in the order in which they were asked for. */
  run(scenario: Scenario): Promise<Replay>
  /** Whether it runs scenarios with `userNamespace`; absent: it does. */
  readonly hasUserNamespaces?: () => Promise<boolean>
  close(): Promise<void>
}

/** Where scenarios run. */
export type RunnerName = 'emulator' | 'host' | 'kernel' | 'kernel-ext4'

/** The clock of this machine, in nanoseconds since 1970, as far as Date knows it. */
export function hostClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}
