import { expect } from 'chai'
import { isCode } from '../../src/errors/index.ts'
import { type LayerName, parseLayerName } from '../../src/path/index.ts'

const table: [string, LayerName | 'BAD_WHITEOUT'][] = [
  ['a', { kind: 'plain', name: 'a' }],
  ['.wh', { kind: 'plain', name: '.wh' }],
  ['a.wh.b', { kind: 'plain', name: 'a.wh.b' }],
  ['.wh.a', { kind: 'whiteout', hides: 'a' }],
  ['.wh..a', { kind: 'whiteout', hides: '.a' }],
  ['.wh....', { kind: 'whiteout', hides: '...' }],
  ['.wh..wh', { kind: 'whiteout', hides: '.wh' }],
  ['.wh..wh..opq', { kind: 'opaque' }],
  ['.wh..wh..opqX', { kind: 'reserved', name: '.wh..wh..opqX' }], // a prefix test would erase the parent
  ['.wh..wh.aufs', { kind: 'reserved', name: '.wh..wh.aufs' }],
  ['.wh..wh.', { kind: 'reserved', name: '.wh..wh.' }],
  ['.wh.', 'BAD_WHITEOUT'],
  ['.wh..', 'BAD_WHITEOUT'],
  ['.wh...', 'BAD_WHITEOUT'],
]

describe('parseLayerName()', () => {
  for (const [base, want] of table) {
    it(`reads ${base} as ${typeof want === 'string' ? want : want.kind}`, () => {
      if (typeof want !== 'string') return expect(parseLayerName(base)).to.deep.equal(want)
      return expect(() => parseLayerName(base))
        .to.throw()
        .and.satisfy((e: unknown) => isCode(e, want))
    })
  }
})
