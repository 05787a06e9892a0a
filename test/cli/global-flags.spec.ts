import { expect } from 'chai'
import { readLimits } from '../../src/cli/global-flags.ts'
import { defaultLimits, OvlError } from '../../src/errors/index.ts'

describe('readLimits()', () => {
  it('applies pairs over the defaults, the last one wins', () => {
    expect(readLimits(['entries=5,size=2G', 'path=64k', 'entries=7'])).to.deep.equal({
      ...defaultLimits,
      entries: 7,
      sizeBytes: 2 * 2 ** 30,
      pathBytes: 65536,
    })
  })

  it('reads KiB and MB as powers of two', () => {
    expect(readLimits(['pax=2KiB,json=1MB'])).to.include({ paxBytes: 2048, jsonBytes: 2 ** 20 })
  })

  for (const text of [
    '',
    'entries',
    'entries=',
    'entries=-1',
    'entries=0',
    'entries=1e3',
    'constructor=1',
    'size=99999999T',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => readLimits([text]))
        .to.throw(OvlError)
        .with.property('code', 'USAGE')
    })
  }
})
