import { crc32 } from 'node:zlib'
import { expect } from 'chai'
import { type Inflater, openEngineInflater } from '../../../src/host/decoders/inflate.ts'
import { isTrustworthy } from '../../../src/host/decoders/inflater-trial.ts'

type Step = Inflater['step']

describe('isTrustworthy()', () => {
  it('is true for an inflater that works', () => {
    expect(isTrustworthy(doctored(() => ({})))).to.equal(true)
  })

  it('is true for one that takes up to 8 bytes after the end and shows them', () => {
    let held = new Uint8Array()
    const greedy = doctored(good => ({
      get held() {
        return held
      },
      step(...place) {
        const { consumed, produced } = good.step(...place) as { consumed: number; produced: number }
        const [input, inStart, inEnd] = place
        if (good.ended) held = input.slice(inStart + consumed, Math.min(inEnd, inStart + consumed + 8))
        return { consumed: consumed + held.length, produced }
      },
      reset() {
        held = new Uint8Array()
        good.reset()
      },
    }))
    expect(isTrustworthy(greedy)).to.equal(true)
  })

  const wrong: readonly [string, (good: Inflater) => Partial<Inflater>][] = [
    ['never ends', () => ({ ended: false })],
    ['does not start again', () => ({ reset: () => {} })],
    ['ends at once', () => ({ ended: true })],
    ['computes another CRC', () => ({ crc: crc32('') })],
    ['holds what was never there', () => ({ held: Uint8Array.of(0xa1) })],
    ['moves nothing', () => ({ step: () => ({ consumed: 0, produced: 0 }) })],
    ['consumes one byte too much', changedSteps(result => void result.consumed++)],
    ['tells of one byte too many', changedSteps(result => void result.produced++)],
    ['writes before its output', changedSteps((_, _input, _start, _end, output) => void output.subarray(0, 1).fill(1))],
    ['writes after its output', changedSteps((_, _input, _start, _end, output) => void output.subarray(-1).fill(1))],
    ['writes something else', changedSteps((_, _input, _start, _end, output, at) => void output.fill(1, at, at + 1))],
    ['refuses nothing', good => ({ step: (...place) => stepOrIdle(good, place) })],
  ]
  for (const [name, change] of wrong) {
    it(`is false for one that ${name}`, () => expect(isTrustworthy(doctored(change))).to.equal(false))
  }
})

/** zlib's inflater with something done otherwise. */
function doctored(change: (good: Inflater) => Partial<Inflater>): Inflater {
  const good = openEngineInflater()
  if (good === null) throw new Error('no engine in this Node')
  const fresh: Inflater = {
    backend: 'library',
    get ended() {
      return good.ended
    },
    get crc() {
      return good.crc
    },
    held: good.held,
    step: (...place) => good.step(...place),
    reset: () => good.reset(),
    close: () => good.close(),
  }
  return Object.defineProperties(fresh, Object.getOwnPropertyDescriptors(change(good)))
}

function changedSteps(change: (result: { consumed: number; produced: number }, ...place: Parameters<Step>) => void) {
  return (good: Inflater): Partial<Inflater> => ({
    step(...place) {
      const result = good.step(...place) as { consumed: number; produced: number }
      change(result, ...place)
      return result
    },
  })
}

function stepOrIdle(good: Inflater, place: Parameters<Step>): ReturnType<Step> {
  try {
    return good.step(...place)
  } catch {
    return { consumed: 0, produced: 0 }
  }
}
