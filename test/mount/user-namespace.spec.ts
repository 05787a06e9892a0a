import { expect } from 'chai'
import { parseSubordinateIds } from '../../src/mount/user-namespace.ts'

describe('parseSubordinateIds()', () => {
  const user = { name: 'ann', id: 1000 }
  const cases: readonly (readonly [text: string, want: readonly (readonly [number, number])[]])[] = [
    ['', []],
    ['ann:100000:65536\n', [[100_000, 65_536]]],
    [
      'bob:1:2\nann:100000:65536\n1000:300000:10\n',
      [
        [100_000, 65_536],
        [300_000, 10],
      ],
    ],
    ['ann\nann:1\nann:x:1\nann:1:0\n#ann:1:1\n', []],
    ['anna:1:1\n10000:1:1\n', []],
  ]
  for (const [text, want] of cases) {
    it(JSON.stringify(text), () => {
      expect(parseSubordinateIds(text, user)).to.deep.equal(want.map(([first, count]) => ({ first, count })))
    })
  }
})
