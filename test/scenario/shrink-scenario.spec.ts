import { expect } from 'chai'
import { MemoryFs } from '../../src/fs/index.ts'
import { emulateScenario, randomScenario, type Scenario, shrinkScenario } from '../../src/scenario/index.ts'

const large: Scenario = {
  schema: 'ovl.scenario/1',
  title: 'large',
  options: { redirect_dir: 'on', xino: 'auto' },
  lower: [
    { 'd/a': { type: 'file', content: 'x', mode: '0600', uid: 5, mtime: '3' }, 'd/b': 'x', e: { type: 'dir' } },
    { 'd/c': 'x', f: { type: 'file', content: '' }, g: { link: 'f' } },
    { dataOnly: { h: 'x' } },
  ],
  upper: { 'd/u': 'x', i: { type: 'symlink', target: 'd' } },
  umask: '077',
  steps: [
    ['lstat', '/d', { as: { uid: 1000 } }],
    ['unlink', '/d/b'],
    ['mkdir', '/n', '0755'],
    ['chmod', '/d/a', '0644', { as: { uid: 5 } }],
    ['readdir', '/'],
  ],
}

async function hasWhiteout(candidate: Scenario): Promise<boolean> {
  if (JSON.stringify(candidate.upper ?? {}) !== '{}') return false
  const { upper } = emulateScenario(candidate)
  return Object.values(upper ?? {}).some(({ type }) => type === 'whiteout')
}

describe('shrinkScenario()', () => {
  it('takes away all that does not matter', async () => {
    const small = await shrinkScenario(large, async ({ steps, lower }) => {
      return steps.some(([name]) => name === 'chmod') && lower.some(layer => Object.hasOwn(layer, 'd/a'))
    })
    expect(small).to.deep.equal({
      schema: 'ovl.scenario/1',
      title: 'large',
      options: {},
      lower: [{ 'd/a': 'x' }],
      upper: {},
      steps: [['chmod', '/d/a', '0644']],
    })
  })

  it('keeps what belongs together', async () => {
    const small = await shrinkScenario(large, async ({ lower, options }) => {
      const [, second] = lower
      return second !== undefined && Object.hasOwn(second, 'g') && options.xino === 'auto'
    })
    expect(small.lower).to.deep.equal([{}, { f: '', g: { link: 'f' } }])
    expect([small.options, small.steps]).to.deep.equal([{ xino: 'auto' }, []])
  })

  it('ends with the given scenario where nothing can go, and asks about each thing', async () => {
    let questions = 0
    const small = await shrinkScenario(large, async () => {
      questions++
      return false
    })
    expect(small).to.deep.equal(large)
    expect(questions).to.be.greaterThan(20)
  })

  it('finds the step of a random scenario that makes a whiteout', async () => {
    for (let seed = 0, found = 0; found < 5; seed++) {
      const scenario = { ...randomScenario(seed), upper: {} }
      if (!(await hasWhiteout(scenario))) continue
      found++
      const { steps } = await shrinkScenario(scenario, hasWhiteout)
      expect(steps.length, JSON.stringify(steps)).to.be.within(1, 2)
      expect(['unlink', 'rmdir', 'rename']).to.include(steps.at(-1)?.[0])
    }
  })

  it('runs on file systems that it is given', () => {
    const layers = new MemoryFs()
    emulateScenario(large, { place: { layers, nowNs: () => layers.superBlock.now() } })
    expect(layers.readdir('/').map(({ name }) => name)).to.have.members(['l1', 'l2', 'l3', 'u', 'w', 'm'])
  })
})
