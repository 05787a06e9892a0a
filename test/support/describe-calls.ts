// Calls of CallRunner and what they leave, for people and for comparing.

import type { FileSystem } from '../../src/fs/index.ts'
import { type CallAs, describeTimes } from './file-system-calls.ts'
import { look } from './tmpfs.ts'

/** Everything below the root that compares from run to run. The times first: looking changes them. */
export function describeTree(fileSystem: FileSystem): unknown {
  return { times: timesBelow(fileSystem, '/'), objects: look(fileSystem).map(withoutNumbers) }
}

function timesBelow(fileSystem: FileSystem, at: string): readonly unknown[] {
  const stat = fileSystem.lstat(at)
  const own = [at, describeTimes(stat)]
  if ((stat.mode & 0o170000) !== 0o040000) return [own]
  const names = fileSystem.readdir(at).map(({ name }) => `${at === '/' ? '' : at}/${name}`)
  return [own, ...names.flatMap(name => timesBelow(fileSystem, name))]
}

/** Inode numbers count objects that calls of the test made and threw away, and a kernel counts by processor. */
function withoutNumbers(seen: object): unknown {
  return JSON.parse(
    JSON.stringify(seen, (key, value: unknown) => (key === 'ino' || key === 'offset' ? undefined : value)),
  )
}

/** Who calls what, in a line. */
export function describeCall({ as, call }: CallAs): string {
  const values = Object.entries(call).map(([key, value]) => `${key}=${describeValue(value)}`)
  return `${as.uid}${as.capable ? '' : ' without capabilities'}, ${values.join(' ')}`
}

function describeValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? `[${value.join()}]` : JSON.stringify(value)
}
