import { expect } from 'chai'
import { compareReplays, kindOfDifference, orderDecides, type Replay, type Scenario } from '../../src/scenario/index.ts'

const run: Replay = {
  steps: [{ ok: null }, { ok: { type: 'file', ino: 'i1' } }],
  merged: { '': { type: 'dir' } },
  upper: { '': { type: 'dir', xattrs: { 'trusted.overlay.uuid': '*' } } },
}
const scenario: Scenario = {
  schema: 'ovl.scenario/1',
  title: '',
  options: {},
  lower: [{}],
  steps: [
    ['chmod', '/a', '0644'],
    ['lstat', '/a'],
  ],
}

/** A run that differs, the kind of its difference, and whether ignoring numbers makes it equal. */
const differences: readonly (readonly [Partial<Replay>, string])[] = [
  [{ mount: 'EINVAL', steps: [], merged: null }, 'mount: ok, EINVAL'],
  [{ steps: [{ errno: 'EROFS' }, { errno: 'EROFS' }] }, 'chmod: ok, EROFS'],
  [{ steps: [{ ok: null }] }, 'lstat: ok, not run'],
  [{ steps: [{ ok: null }, { ok: { type: 'dir', ino: 'i1' } }] }, 'lstat: ok, ok'],
  [{ merged: { '': { type: 'dir', mode: '0700' } } }, 'merged'],
  [{ merged: null }, 'merged'],
  [{ upper: { '': { type: 'dir' } } }, 'upper'],
  [{ upper: null }, 'upper'],
]

function compare(replay: Replay, acrossFileSystems = false): ReturnType<typeof compareReplays> {
  return compareReplays({ name: 'a', replay: run }, { name: 'b', replay }, { acrossFileSystems })
}

function both(a: Replay, b: Replay, acrossFileSystems = false): unknown {
  return compareReplays({ name: 'a', replay: a }, { name: 'b', replay: b }, { acrossFileSystems })
}

/** A run that lists these names. */
function listed(...names: readonly string[]): Replay {
  return { ...run, steps: [{ ok: null }, { ok: names }] }
}

/** A run that tells this time. */
function at(mtime?: string): Replay {
  const time = mtime === undefined ? {} : { mtime }
  return { ...run, steps: [{ ok: { type: 'file', ...time } }], merged: { f: { type: 'file', ...time } } }
}

/** A run with bookkeeping of overlayfs in its listing. */
function exact(origin: string, nlink: string): Replay {
  return {
    ...run,
    upper: { f: { type: 'file', xattrs: { 'trusted.overlay.origin': origin, 'trusted.overlay.nlink': nlink } } },
  }
}

describe('compareReplays()', () => {
  for (const [change, kind] of differences) {
    it(`finds a difference of the kind "${kind}"`, () => {
      const difference = compare({ ...run, ...change })
      expect(difference && kindOfDifference(scenario, difference)).to.equal(kind)
    })
  }

  it('finds none between equal runs', () => {
    expect(compare(structuredClone(run))).to.equal(null)
  })

  it('looks at inode labels unless they mean nothing', () => {
    const other: Replay = { ...run, steps: [{ ok: null }, { ok: { type: 'file', ino: 'i2' } }] }
    expect(compare(other)?.step?.index).to.equal(1)
    expect(compare(other, true)).to.equal(null)
  })

  it('looks at the order of names unless the file systems have their own', () => {
    expect(both(listed('a', 'b'), listed('b', 'a'))).not.to.equal(null)
    expect(both(listed('a', 'b'), listed('b', 'a'), true)).to.equal(null)
    expect(both(listed('a', 'b'), listed('b', 'c'), true)).not.to.equal(null)
  })

  it('looks at times that both tell where the file systems have their own', () => {
    expect(both(at('5'), at())).not.to.equal(null)
    expect(both(at('5'), at(), true)).to.equal(null)
    expect(both(at('5'), at('6'), true)).to.deep.include({ merged: ['f: mtime "5" (a), "6" (b)'] })
    expect(both(at('5'), at('6'), true)).to.have.nested.property('step.index', 0)
  })

  it('leaves out what the order of names decides, and nothing else', () => {
    const places = orderDecides({
      ...scenario,
      lower: [{ 'd/good': '', 'e/f': '', d: { type: 'dir' } }, { 'd/other': '' }],
      upper: {
        d: { type: 'dir', xattrs: { 'trusted.overlay.impure': 'y' } },
        'd/bad': { type: 'dir', xattrs: { 'trusted.overlay.redirect': '' } },
      },
      steps: [
        ['readdir', '/e'],
        ['readdir', '/d'],
      ],
    })
    expect([[...places.steps], [...places.directories]]).to.deep.equal([[1], ['d']])
    const refused = { ...run, steps: [{ ok: [] }, { errno: 'EINVAL' }], merged: { d: { errno: 'EINVAL' } } }
    const shown: Replay = {
      ...run,
      steps: [{ ok: [] }, { ok: ['good'] }],
      merged: { d: { type: 'dir' }, 'd/good': {} },
    }
    const across = (a: Replay, b: Replay): unknown =>
      compareReplays(
        { name: 'a', replay: a },
        { name: 'b', replay: b },
        { acrossFileSystems: true, orderDecides: places },
      )
    expect(across(refused, shown)).to.equal(null)
    expect(across(refused, { ...shown, merged: { dd: { type: 'dir' } } })).to.deep.include({ step: null })
    expect(across(refused, { ...shown, steps: [{ ok: ['f'] }, { ok: [] }] })).to.have.nested.property('step.index', 0)
  })

  it('does not compare identities of an exact listing, and does compare the rest', () => {
    expect(both(exact('1', 'U+0'), exact('2', 'U+0'))).to.equal(null)
    expect(both(exact('1', 'U+0'), exact('', 'U+0'))).not.to.equal(null)
    expect(both(exact('1', 'U+0'), exact('1', 'U-1'))).not.to.equal(null)
  })
})
