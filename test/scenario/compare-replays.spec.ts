import { expect } from 'chai'
import { compareReplays, kindOfDifference, type Replay, type Scenario } from '../../src/scenario/index.ts'

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

  it('does not compare identities of an exact listing, and does compare the rest', () => {
    expect(both(exact('1', 'U+0'), exact('2', 'U+0'))).to.equal(null)
    expect(both(exact('1', 'U+0'), exact('', 'U+0'))).not.to.equal(null)
    expect(both(exact('1', 'U+0'), exact('1', 'U-1'))).not.to.equal(null)
  })
})
