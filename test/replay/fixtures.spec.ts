import { expect } from 'chai'
import fs from 'node:fs'
import path from 'node:path'
import { openHostRunner, type Runner } from '../../src/replay/index.ts'
import { compareReplays, emulateScenario, parseScenario, type Replay, type Scenario } from '../../src/scenario/index.ts'
import { projectRoot } from '../support/cli.ts'
import { kernelRunnerFor } from '../support/kernel-runner.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const directory = path.join(projectRoot, 'fixtures/scenarios')
const names = fs.readdirSync(directory).filter(name => name.endsWith('.json'))

function scenarioOf(name: string): Scenario {
  return parseScenario(fs.readFileSync(path.join(directory, name)), name)
}

/** What the kernel named in it answered: scripts/record-scenarios.mjs. */
function recordedAnswer(name: string): Replay {
  return JSON.parse(fs.readFileSync(path.join(directory, 'answers', name), 'utf8')) as Replay
}

function expectEqual(name: string, replay: Replay, { acrossFileSystems = false } = {}): void {
  const recorded = { name: 'recorded', replay: recordedAnswer(name) }
  // What a run holds in memory is what its JSON says.
  const run = { name: 'run', replay: JSON.parse(JSON.stringify(replay)) as Replay }
  expect(compareReplays(run, recorded, { acrossFileSystems }), name).to.equal(null)
}

async function runAll(runner: Runner): Promise<void> {
  try {
    const hasUserNamespaces = (await runner.hasUserNamespaces?.()) ?? true
    for (const name of names) {
      if (scenarioOf(name).userNamespace === true && !hasUserNamespaces) continue
      expectEqual(name, await runner.run(scenarioOf(name)), { acrossFileSystems: !runner.isLikeTmpfs })
    }
  } finally {
    await runner.close()
  }
}

describe('fixtures/scenarios', () => {
  it('are enough to show each concept, and all have a recorded answer', () => {
    expect(names.length).to.be.greaterThan(35)
    expect(fs.readdirSync(path.join(directory, 'answers'))).to.deep.equal(names)
  })

  for (const name of names) {
    const { title } = scenarioOf(name)
    it(`${name}: ${title}: the emulator answers as recorded`, () =>
      expectEqual(name, emulateScenario(scenarioOf(name))))
  }

  it('get the recorded answers from the kernel of this machine', async function () {
    const runner = await kernelRunnerFor(this)
    await runAll(runner)
  })

  it('get the recorded answers from the kernel with layers on ext4', async function () {
    const runner = await kernelRunnerFor(this, 'ext4')
    await runAll(runner)
  })

  it('get the recorded answers from the emulator on directories of this machine', async function () {
    skipUnless(this, isRoot(), 'needs root')
    await runAll(openHostRunner())
  })
})
