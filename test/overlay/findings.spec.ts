import { expect } from 'chai'
import fc from 'fast-check'
import { findingCodes, overlayRules, parseOrigin } from '../../src/overlay/index.ts'

describe('findings', () => {
  for (const [code, { rules, title, meaning }] of Object.entries(findingCodes)) {
    it(`${code} cites rules that are written down, and explains itself`, () => {
      for (const rule of rules) expect(overlayRules, String(rule)).to.have.property(String(rule))
      expect(title).to.match(/^[a-z].*[^.]$/)
      expect(meaning).to.match(/^\S.*\.$/)
    })
  }
})

describe('overlayRules', () => {
  it('holds the rules 1 to 160 without a gap', () => {
    expect(Object.keys(overlayRules)).to.deep.equal(Array.from({ length: 160 }, (_, index) => String(index + 1)))
  })

  for (const [number, { text, checks }] of Object.entries(overlayRules))
    it(`${number} is a sentence with evidence`, () => {
      expect(text).to.match(/^\S.*\.$/)
      expect(checks).to.have.length.above(0)
      for (const id of checks) expect(id).to.match(/^[A-Z]\d\d/)
    })
})

describe('parseOrigin()', () => {
  const valid = Uint8Array.of(0, 0xfb, 29, 0, 1, ...Array<number>(16).fill(7), 1, 2, 3, 4, 5, 6, 7, 8)

  it('reads a handle', () => {
    const handle = parseOrigin(valid)
    expect(handle).to.deep.equal({
      type: 1,
      uuid: new Uint8Array(16).fill(7),
      bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
      isUpper: false,
    })
    expect(parseOrigin(valid.with(3, 4))).to.have.property('isUpper', true)
    expect(parseOrigin(new Uint8Array(0))).to.equal('unknown')
  })

  const bad: readonly (readonly [name: string, value: Uint8Array])[] = [
    ['another version', valid.with(0, 1)],
    ['no magic', valid.with(1, 0)],
    ['a wrong length', valid.with(2, 28)],
    ['an unknown flag', valid.with(3, 8)],
    ['the other byte order', valid.with(3, 1)],
    ['a header alone', Uint8Array.of(0, 0xfb, 21, ...Array<number>(18).fill(0))],
  ]
  for (const [name, value] of bad) it(`refuses ${name}`, () => expect(parseOrigin(value)).to.equal(null))

  it('takes any bytes', () => fc.assert(fc.property(fc.uint8Array(), bytes => void parseOrigin(bytes))))
})
