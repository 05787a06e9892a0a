// The Vfs over a file system in memory beside the kernel's over tmpfs: the same random calls of several users, the same
// answers, and the same tree in the end.

import { expect } from 'chai'
import fc from 'fast-check'
import { describeCall, describeTree } from '../../support/describe-calls.ts'
import { type CallAs, CallRunner } from '../../support/file-system-calls.ts'
import { randomCalls } from '../../support/random-calls.ts'
import { needsTmpfs, openTmpfs } from '../../support/tmpfs.ts'

const runs = process.env['OVL_SLOW'] === undefined ? 200 : 10_000

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
    expect(describeTree(memory)).to.deep.equal(describeTree(kernel))
  } finally {
    asKernel?.close()
    asVfs?.close()
    tmpfs.close()
  }
}
