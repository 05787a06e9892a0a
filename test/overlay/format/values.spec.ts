import { expect } from 'chai'
import fc from 'fast-check'
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../../../src/fs/index.ts'
import {
  formatNlink,
  formatOrigin,
  formatProtattr,
  indexName,
  parseIndexName,
  parseNlink,
  parseOrigin,
  parseProtattr,
} from '../../../src/overlay/index.ts'

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

describe('overlay.origin', () => {
  const handle = fc.record({
    type: fc.nat(255),
    uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 128 }),
    isUpper: fc.boolean(),
  })

  it('is read as it was written', () =>
    fc.assert(fc.property(handle, value => void expect(parseOrigin(formatOrigin(value))).to.deep.equal(value))))

  it('names index entries in lowercase hexadecimal', () => {
    expect(indexName(Uint8Array.of(0, 0xfb, 0x1d, 4))).to.equal('00fb1d04')
    expect(parseIndexName('00fb1D04')).to.deep.equal(Uint8Array.of(0, 0xfb, 0x1d, 4))
    expect(parseIndexName('00fg')).to.equal(null)
    fc.assert(fc.property(fc.uint8Array(), value => void expect(parseIndexName(indexName(value))).to.deep.equal(value)))
  })
})

describe('overlay.nlink', () => {
  const cases: readonly (readonly [value: string, count: number | null])[] = [
    ['U+1', 3],
    ['U-1', 1],
    ['L-4', 1],
    ['L+0', 5],
    ['U+1\n', 3],
    ['U-2', null],
    ['X+1', null],
    ['U1', null],
    ['U+', null],
    ['', null],
    ['U+1x', null],
    ['U+2147483648', null],
    ['U+0000000000001', null],
  ]
  for (const [value, count] of cases)
    it(`${JSON.stringify(value)} means ${count}`, () =>
      expect(parseNlink(bytes(value), { upper: 2, lower: 5 })).to.equal(count))

  it('is written with its sign', () => {
    const written = [formatNlink('upper', 1), formatNlink('upper', 0), formatNlink('lower', -2)]
    expect(written.map(value => new TextDecoder().decode(value))).to.deep.equal(['U+1', 'U+0', 'L-2'])
  })
})

describe('overlay.protattr', () => {
  const cases: readonly (readonly [value: string, flags: number | null])[] = [
    ['a', FS_APPEND_FL],
    ['i', FS_IMMUTABLE_FL],
    ['ai', FS_APPEND_FL | FS_IMMUTABLE_FL],
    ['', null],
    ['ax', null],
    ['a'.repeat(33), null],
  ]
  for (const [value, flags] of cases)
    it(`${JSON.stringify(value)} means ${flags}`, () => expect(parseProtattr(bytes(value))).to.equal(flags))

  it('holds letters of the flags alone', () => {
    const written = [FS_APPEND_FL, FS_IMMUTABLE_FL | 0x8_0000, FS_APPEND_FL | FS_IMMUTABLE_FL].map(formatProtattr)
    expect(written).to.deep.equal([bytes('a'), bytes('i'), bytes('ai')])
    expect(formatProtattr(0x8_0000)).to.equal(null)
  })
})
