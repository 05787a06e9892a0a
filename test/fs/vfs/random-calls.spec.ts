// The Vfs over a file system in memory beside the kernel's over tmpfs: the same random calls of several users, the same
// answers, and the same tree in the end.

import { expect } from 'chai'
import fc from 'fast-check'
import type { FileSystem } from '../../../src/fs/index.ts'
import { type CallAs, CallRunner, describeTimes } from '../../support/file-system-calls.ts'
import { randomCalls } from '../../support/random-calls.ts'
import { look, needsTmpfs, openTmpfs } from '../../support/tmpfs.ts'

const runs = process.env['OVL_SLOW'] === undefined ? 300 : 10_000

describe('Vfs', () => {
  before(function () {
    needsTmpfs(this)
  })

  it('answers random calls of several users as the kernel does', function () {
    this.timeout(1_200_000)
    fc.assert(
      fc.property(randomCalls, calls => compareOnTmpfs(calls)),
      { numRuns: runs },
    )
  })
})

function compareOnTmpfs(calls: readonly CallAs[]): void {
  const tmpfs = openTmpfs()
  const { kernel, memory } = tmpfs
  const [asKernel, asVfs] = [kernel, memory].map(fileSystem => new CallRunner(fileSystem))
  try {
    for (const fileSystem of [kernel, memory]) fileSystem.chmod('/', 0o1777)
    for (const [at, call] of calls.entries()) {
      expect(asVfs?.run(call), `${at}: ${describeCall(call)}`).to.deep.equal(asKernel?.run(call))
    }
    expect(tree(memory)).to.deep.equal(tree(kernel))
  } finally {
    asKernel?.close()
    asVfs?.close()
    tmpfs.close()
  }
}

/** The times first: looking changes them. */
function tree(fileSystem: FileSystem): unknown {
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

function describeCall({ as, call }: CallAs): string {
  const values = Object.entries(call).map(([key, value]) => `${key}=${describeValue(value)}`)
  return `${as.uid}${as.capable ? '' : ' without capabilities'}, ${values.join(' ')}`
}

function describeValue(value: unknown): string {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof Uint8Array ? `[${value.join()}]` : JSON.stringify(value)
}
