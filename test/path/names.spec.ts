import { expect } from 'chai'
import fc from 'fast-check'
import { comparePaths, decodeName, encodeName, jsonName, nameByteLength } from '../../src/path/index.ts'

const bytes = (...values: number[]) => Uint8Array.from(values)

describe('decodeName()', () => {
  const table: [string, Uint8Array, string][] = [
    ['ASCII', bytes(0x61, 0x62), 'ab'],
    ['UTF-8', new TextEncoder().encode('é日😀'), 'é日😀'],
    ['Latin-1', bytes(0x63, 0xe9), 'c\udce9'],
    ['bytes that start no sequence', bytes(0xff, 0xfe, 0x80), '\udcff\udcfe\udc80'],
    ['a truncated sequence', bytes(0xe6, 0x97), '\udce6\udc97'],
    ['an encoded surrogate (CESU)', bytes(0xed, 0xa0, 0x80), '\udced\udca0\udc80'],
    ['an overlong slash', bytes(0xc0, 0xaf), '\udcc0\udcaf'],
    ['a byte order mark', bytes(0xef, 0xbb, 0xbf, 0x61), '\ufeffa'],
    ['valid beside invalid', bytes(0xc3, 0xa9, 0xc3, 0x28), 'é\udcc3('],
  ]
  for (const [what, input, want] of table) {
    it(`keeps ${what}`, () => {
      expect(decodeName(input)).to.equal(want)
      expect(encodeName(want)).to.deep.equal(input)
    })
  }

  it('is undone by encodeName() for all bytes, and nameByteLength() counts them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), input => {
        const name = decodeName(input)
        expect(encodeName(name)).to.deep.equal(input)
        expect(nameByteLength(name)).to.equal(input.length)
      }),
      { numRuns: 2000 },
    )
  })

  it('is undone by encodeName() for text with stray bytes', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }).map(s => new TextEncoder().encode(s)),
      fc.uint8Array({ maxLength: 3 }),
    )
    fc.assert(
      fc.property(fc.array(piece), pieces => {
        const input = Uint8Array.from(pieces.flatMap(p => [...p]))
        expect(encodeName(decodeName(input))).to.deep.equal(input)
        expect(nameByteLength(decodeName(input))).to.equal(input.length)
      }),
    )
  })
})

describe('jsonName()', () => {
  it('gives text as it is and other bytes as base64', () => {
    expect(jsonName('é')).to.equal('é')
    expect(jsonName('a\udcff')).to.deep.equal({ base64: 'Yf8=' })
  })
})

describe('comparePaths()', () => {
  it('orders as the bytes do', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), fc.uint8Array({ maxLength: 8 }), (a, b) => {
        expect(Math.sign(comparePaths(decodeName(a), decodeName(b)))).to.equal(Buffer.compare(a, b))
      }),
      { numRuns: 5000 },
    )
  })
})
