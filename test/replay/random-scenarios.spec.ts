// The emulator beside the kernel, on scenarios that nobody has seen before: other ones in each run. A difference is
// printed with the command that repeats it; its scenario, made small by --shrink, becomes a file of fixtures/scenarios.

import { expect } from 'chai'
import { loadCommand, type ReplayReport } from '../../src/commands/index.ts'
import { formatScenario } from '../../src/scenario/index.ts'
import { kernelRunnerFor } from '../support/kernel-runner.ts'

const count = process.env['OVL_SLOW'] === '1' ? 20_000 : 1000

describe('random scenarios', () => {
  before(async function () {
    const runner = await kernelRunnerFor(this)
    await runner.close()
  })

  it(`${count} of them have one answer on emulator and kernel`, async function () {
    this.timeout(1_800_000)
    const seed = Number(process.env['OVL_SEED'] ?? Math.floor(Math.random() * 2 ** 32))
    console.log(`      from seed ${seed} (OVL_SEED)`)
    const reports: ReplayReport[] = []
    const { replayRandom } = await loadCommand.replay()
    const { done } = await replayRandom({
      count,
      seed,
      on: ['emulator', 'kernel'],
      exact: true,
      shrink: true,
      keep: null,
      onReport: async report => void reports.push(report),
    })
    expect(done).to.equal(count)
    const found = reports.map(({ name, scenario, shrunk, disagreements }) => {
      const differences = disagreements.map(({ difference }) => JSON.stringify(difference))
      return [name, ...differences, formatScenario(shrunk ?? scenario)].join('\n')
    })
    expect(found, found.join('\n')).to.deep.equal([])
  })
})
