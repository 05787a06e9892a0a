// Runners of scenarios for tests.

import { openKernelRunner, type Runner } from '../../src/replay/index.ts'
import { isCode } from '../../src/errors/index.ts'
import { readScenario } from '../../src/scenario/index.ts'
import { isRoot, skipUnless } from './probe.ts'

const smallest = readScenario({ schema: 'ovl.scenario/1', lower: [{}], upper: {} })

/** A runner of real mounts; skips where nothing can be mounted. The caller closes it. */
export async function kernelRunnerFor(context: Mocha.Context, kind: 'tmpfs' | 'ext4' = 'tmpfs'): Promise<Runner> {
  skipUnless(context, isRoot(), 'needs root')
  const runner = await openRunner(kind)
  skipUnless(context, runner !== null, `nothing can be mounted here (${kind})`, { optional: true })
  if (runner === null) throw new Error('Cannot mount')
  const { mount } = await runner.run(smallest)
  if (mount !== undefined) await runner.close()
  skipUnless(context, mount === undefined, `overlays cannot be mounted here (${mount})`, { optional: true })
  return runner
}

async function openRunner(kind: 'tmpfs' | 'ext4'): Promise<Runner | null> {
  try {
    return await openKernelRunner(kind)
  } catch (error) {
    if (isCode(error, 'UNSUPPORTED')) return null
    throw error
  }
}
