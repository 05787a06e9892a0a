import { expect } from 'chai'
import fc from 'fast-check'
import { isCode, OvlError } from '../../src/errors/index.ts'
import { parseJson } from '../../src/oci/index.ts'

const parse = (text: string | Uint8Array, maxBytes = 1 << 20): unknown =>
  parseJson(typeof text === 'string' ? new TextEncoder().encode(text) : text, { where: 'json/index.json', maxBytes })

function messageOf(text: string | Uint8Array): string {
  try {
    parse(text)
  } catch (error) {
    if (isCode(error, 'BAD_JSON')) return (error as Error).message
    throw error
  }
  throw new Error('it was accepted')
}

describe('parseJson()', () => {
  // What stands after "Cannot read json/index.json: not valid JSON at line "
  const mistakes: readonly (readonly [string, string])[] = [
    ['{"schemaVersion":2,\n', '2 column 1: the file ends early'],
    ['', '1 column 1: the file is empty'],
    [' \n ', '2 column 2: the file is empty'],
    ['{"a":"b', '1 column 8: the file ends early'],
    ['{"a":"b\\', '1 column 9: the file ends early'],
    ['{"a":tr', '1 column 8: the file ends early'],
    ['[1,2', '1 column 5: the file ends early'],
    ['{"a":1}x', '1 column 8: expected nothing more'],
    ['{"a":1}{', '1 column 8: expected nothing more'],
    ['{"a":1,}', '1 column 8: expected name'],
    ['[1,]', '1 column 4: expected value'],
    ['{"a" 1}', '1 column 6: expected colon'],
    ['{a:1}', '1 column 2: expected name or }'],
    ['[1 2]', '1 column 4: expected comma or ]'],
    ['{"a":1 "b":2}', '1 column 8: expected comma or }'],
    ['{"a":01}', '1 column 6: expected value'],
    ["{'a':1}", '1 column 2: expected name or }'],
    ['{"a":"\n"}', '1 column 6: expected value'],
    ['{"a":1]', '1 column 7: expected comma or }'],
    ['// c\n{}', '1 column 1: expected value'],
    ['\ufeff{}', '1 column 1: expected value'],
    ['NaN', '1 column 1: expected value'],
  ]
  for (const [text, place] of mistakes) {
    it(`says where ${JSON.stringify(text)} goes wrong`, () => {
      expect(messageOf(text)).to.equal(`Cannot read json/index.json: not valid JSON at line ${place}`)
    })
  }

  it('refuses bytes that are no UTF-8', () => {
    expect(messageOf(Uint8Array.of(0x22, 0xff, 0x22))).to.equal(
      'Cannot read json/index.json: not valid JSON: it is not UTF-8 text',
    )
  })

  it('refuses a document beyond the limit before it looks at it', () => {
    expect(() => parse('[1,2,3]', 6))
      .to.throw(OvlError, 'Cannot read json/index.json: 7 bytes are too many for a JSON document')
      .with.property('code', 'LIMIT_EXCEEDED')
  })

  it('needs no stack for nesting', () => {
    expect(messageOf('['.repeat(200_000))).to.match(/column 200001: the file ends early$/)
  })

  it('accepts what JSON.parse accepts and finds a place in everything else', () => {
    const snippet = fc.stringMatching(/^[[\]{}:,"\\ \n0-9a-fntrlsu.eE+-]{0,24}$/)
    const cut = fc.tuple(fc.json(), fc.nat(40)).map(([text, length]) => text.slice(0, length))
    fc.assert(
      fc.property(fc.oneof(snippet, cut, fc.json()), text => {
        let expected: unknown
        try {
          expected = JSON.parse(text)
        } catch {
          expect(messageOf(text)).to.match(/at line [0-9]+ column [0-9]+: (?:expected |the file )/)
          return
        }
        expect(parse(text)).to.deep.equal(expected)
      }),
      { numRuns: 2000 },
    )
  })
})
