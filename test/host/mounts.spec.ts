import { expect } from 'chai'
import { findMount, isInside, parseMounts, readMounts } from '../../src/host/index.ts'

const sample =
  String.raw`22 1 254:0 / / rw,relatime - ext4 /dev/vda rw
23 22 0:21 / /proc rw,nosuid shared:5 master:1 - proc proc rw
40 22 0:35 / /mnt/with\040space\134and\011tab ro,noatime shared:9 - tmpfs none rw,size=16k
41 40 254:0 /srv/bind /mnt/with\040space\134and\011tab/in rw - ext4 /dev/vda rw
42 22 0:36 / /mnt/caf` +
  '\xe9' +
  String.raw` rw - overlay overlay rw,lowerdir=/a\054x:/b,upperdir=/u
43 22 0:37 / /mnt/x rw - tmpfs first rw
44 43 0:38 / /mnt/x rw - tmpfs second rw
not a mount at all
45 22 0:39 / /short
`

describe('parseMounts()', () => {
  const mounts = parseMounts(Buffer.from(sample, 'latin1'))

  it('reads every field, with any number of tags', () => {
    expect(mounts.map(({ id }) => id)).to.deep.equal([22, 23, 40, 41, 42, 43, 44])
    expect(mounts[1]).to.deep.equal({
      id: 23,
      parentId: 22,
      device: '0:21',
      root: '/',
      mountPoint: '/proc',
      options: ['rw', 'nosuid'],
      tags: ['shared:5', 'master:1'],
      type: 'proc',
      source: 'proc',
      superOptions: ['rw'],
    })
  })

  it('undoes octal escapes and keeps bytes that are no UTF-8', () => {
    expect(mounts[2]?.mountPoint).to.equal('/mnt/with space\\and\ttab')
    expect(mounts[4]?.mountPoint).to.equal('/mnt/caf\udce9')
    expect(mounts[4]?.superOptions).to.deep.equal(['rw', 'lowerdir=/a,x:/b', 'upperdir=/u'])
  })

  const places: readonly [string, number][] = [
    ['/', 22],
    ['/etc', 22],
    ['/process', 22],
    ['/proc/1/fd', 23],
    ['/mnt/with space\\and\ttab/file', 40],
    ['/mnt/with space\\and\ttab/in', 41],
    ['/mnt/x/y', 44],
  ]
  for (const [path, id] of places) {
    it(`finds ${JSON.stringify(path)} on mount ${id}`, () => expect(findMount(mounts, path)?.id).to.equal(id))
  }

  it('agrees with this machine: the root is mounted', () => {
    expect(findMount(readMounts(), '/')?.mountPoint).to.equal('/')
  })
})

describe('isInside()', () => {
  const cases: readonly [string, string, boolean][] = [
    ['/a', '/a', true],
    ['/a/b', '/a', true],
    ['/ab', '/a', false],
    ['/a', '/a/b', false],
    ['/a', '/', true],
  ]
  for (const [path, directory, want] of cases) {
    it(`${path} in ${directory}: ${want}`, () => expect(isInside(path, directory)).to.equal(want))
  }
})
