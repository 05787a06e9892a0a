import { expect } from 'chai'
import { baseName, cleanLayerPath, joinPath, parentPath } from '../../src/path/index.ts'

const table: [string, string, boolean][] = [
  ['a/b', 'a/b', false],
  ['/a', 'a', false],
  ['./a/./b//c', 'a/b/c', false],
  ['a/', 'a', false],
  ['./', '', false],
  ['/', '', false],
  ['', '', false],
  ['.', '', false],
  ['a/../../b', 'b', true],
  ['../../etc/passwd', 'etc/passwd', true],
  ['dne/../.wh.etc', '.wh.etc', true],
  ['..', '', true],
  ['a..b/..c/...', 'a..b/..c/...', false],
  ['.a/b.', '.a/b.', false],
]

describe('cleanLayerPath()', () => {
  for (const [name, path, dotdot] of table) {
    it(`reads ${JSON.stringify(name)} as ${JSON.stringify(path)}`, () =>
      expect(cleanLayerPath(name)).to.deep.equal({ path, dotdot }))
  }
})

describe('parentPath(), baseName(), joinPath()', () => {
  for (const path of ['a', 'a/b', 'a/b/c']) {
    it(`take ${path} apart and together again`, () => expect(joinPath(parentPath(path), baseName(path))).to.equal(path))
  }
})
