// A HostFs beside the kernel's own calls on another directory of the same kind of file system: what Vfs and HostFs make
// of a call of any user must be what the kernel answers to that user, and leave the same tree.

import { expect } from 'chai'
import fc from 'fast-check'
import fs from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { FileSystem } from '../../../src/fs/index.ts'
import { loadKernelCalls, openHostFs } from '../../../src/host/index.ts'
import { openKernelFs } from '../../../src/replay/index.ts'
import { describeCall, describeTree } from '../../support/describe-calls.ts'
import { type CallAs, CallRunner } from '../../support/file-system-calls.ts'
import { Stage } from '../../support/overlay-stage.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'
import { randomCalls } from '../../support/random-calls.ts'

const numRuns = process.env['OVL_SLOW'] === undefined ? 100 : 3000
const kinds = ['tmpfs', 'ext4'] as const
const hashSeed = '11111111-2222-4333-8444-555555555555'
type Kind = (typeof kinds)[number]

for (const kind of kinds) {
  describe(`HostFs on ${kind} beside the kernel`, function () {
    this.timeout(600_000)
    let stage: Stage
    let round = 0

    before(function () {
      skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root and koffi')
      stage = new Stage()
      for (const side of ['host', 'kernel']) {
        skipUnless(this, mountKind(stage, kind, side), `no ${kind} can be mounted`, { optional: true })
      }
    })
    after(() => stage?.remove())

    it('answers random calls of several users alike', () => {
      fc.assert(
        fc.property(randomCalls, all => {
          const calls = all.filter(call => !isEmptyRead(call) && (kind === 'tmpfs' || !isOfTmpfs(call)))
          round++
          const kernelFs = openKernelFs(freshDirectory(stage.at('kernel', `${round}`)))
          const hostFs = openHostFs(freshDirectory(stage.at('host', `${round}`)))
          try {
            const kernel = outcomes(kernelFs, calls)
            const host = outcomes(hostFs, calls)
            const wrong = calls.findIndex((_, at) => !isDeepStrictEqual(host.answers[at], kernel.answers[at]))
            const story = calls
              .slice(0, wrong < 0 ? calls.length : wrong + 1)
              .map(describeCall)
              .join('\n')
            expect(host.answers[wrong], story).to.deep.equal(kernel.answers[wrong])
            expect(host.tree, story).to.deep.equal(kernel.tree)
          } finally {
            kernelFs.close()
            hostFs.close()
            // On tmpfs flags may forbid it; all of that is unmounted in the end.
            if (kind === 'ext4') for (const side of ['host', 'kernel']) removeDirectory(stage.at(side, `${round}`))
          }
        }),
        { numRuns, ...(process.env['SEED'] !== undefined && { seed: Number(process.env['SEED']) }) },
      )
    })
  })
}

function mountKind(stage: Stage, kind: Kind, name: string): boolean {
  stage.make(name)
  // The order of names follows the seed.
  if (kind === 'ext4') return stage.mountImage(['mkfs.ext4', '-q', '-E', `hash_seed=${hashSeed}`], name)
  stage.mount('-t', 'tmpfs', 'none', name)
  return true
}

function freshDirectory(directory: string): string {
  fs.mkdirSync(directory)
  fs.chmodSync(directory, 0o1777)
  return directory
}

/** Reading nothing sets the access time on tmpfs, but not here: node:fs does not ask the kernel. */
function isEmptyRead({ call }: CallAs): boolean {
  return call.op === 'read' && call.number === 0
}

/**
 * When an owner outside of the group removes an ACL that is not there, tmpfs clears the setgid bit and ext4 does not;
 * ext4 has flags of its own, which say how the file is stored; after its directories were read to the end, read(2) on
 * them fails with EINVAL.
 */
function isOfTmpfs({ as, call }: CallAs): boolean {
  if (call.op === 'setFlags' || call.op === 'getFlags' || call.op === 'freaddir') return true
  return !as.capable && 'name' in call && call.name === 'system.posix_acl_access' && !call.op.includes('get')
}

function removeDirectory(directory: string): void {
  fs.rmSync(directory, { recursive: true })
}

type Outcomes = { readonly answers: readonly unknown[]; readonly tree: unknown }

function outcomes(fileSystem: FileSystem, calls: readonly CallAs[]): Outcomes {
  const runner = new CallRunner(fileSystem)
  try {
    const answers = calls.map(call => runner.run(call))
    return { answers, tree: describeTree(fileSystem) }
  } finally {
    runner.close()
  }
}
