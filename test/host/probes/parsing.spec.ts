import { expect } from 'chai'
import { parseSubordinate } from '../../../src/host/probes/user.ts'
import { parseVersion } from '../../../src/host/probes/tools.ts'

describe('parseVersion()', () => {
  const outputs: readonly (readonly [name: string, output: string, version: string | null])[] = [
    ['runc', 'runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\nspec: 1.0.2-dev\n', '1.1.5+ds1'],
    ['fuse-overlayfs', 'fusermount3 version: 3.14.0\nfuse-overlayfs: version 1.10\n', '1.10'],
    ['buildah', 'buildah version 1.28.2 (image-spec 1.1.0-rc2, runtime-spec 1.0.2-dev)', '1.28.2'],
    ['umoci', 'umoci version 0.4.7+ds-3+b7', '0.4.7+ds-3+b7'],
    ['crun', 'crun version v1.14.1', '1.14.1'],
    ['tool', 'build 7 of an unknown version', null],
    ['tool', '', null],
  ]
  for (const [name, output, version] of outputs) {
    it(`finds ${version ?? 'nothing'} in what ${name} prints`, () =>
      expect(parseVersion(name, output)).to.equal(version))
  }
})

describe('parseSubordinate()', () => {
  const text = '# none\nann:100000:65536\n1000:300000:10\nbob:1:1\nann:bad:1\nann:5:0\n'
  it('takes the lines of a user by name and by uid', () => {
    expect(parseSubordinate(text, 'ann', 1000)).to.deep.equal([
      { first: 100000, count: 65536 },
      { first: 300000, count: 10 },
    ])
    expect(parseSubordinate(text, null, 1000)).to.deep.equal([{ first: 300000, count: 10 }])
    expect(parseSubordinate(text, 'eve', 1)).to.deep.equal([])
  })
})
