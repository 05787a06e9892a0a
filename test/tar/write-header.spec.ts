// The fast way of writing headers gives the bytes of the other one, for what it writes itself and for what it leaves.

import { expect } from 'chai'
import fc from 'fast-check'
import { encodeTarHeader, headerRoomBytes, type TarEntry, tarType, writeTarHeader } from '../../src/tar/index.ts'

const ascii = fc.stringMatching(/^[a-z /.-]{0,12}$/)
const long = fc
  .tuple(fc.stringMatching(/^[a-z/]{80,110}$/), fc.constantFrom('', '/', 'é', '/x'))
  .map(parts => parts.join(''))
const name = fc.oneof({ weight: 4, arbitrary: ascii.map(text => `n${text}`) }, long)
const number = (limit: number) => fc.oneof(fc.nat({ max: 5000 }), fc.constantFrom(0, 7, 8, limit - 1, limit, limit + 1))

const entries: fc.Arbitrary<TarEntry> = fc.record(
  {
    name,
    type: fc.constantFrom(...Object.values(tarType).filter(type => type !== tarType.gnuSparse)),
    mode: fc.nat({ max: 0o177777 }),
    uid: number(8 ** 7),
    gid: number(8 ** 7),
    linkName: fc.oneof(ascii, long),
    size: number(8 ** 11),
    mtimeSec: fc.oneof(number(8 ** 11), fc.constantFrom(-1, -1_000_000)),
    mtimeNsec: fc.oneof(fc.constant(0), fc.nat({ max: 999_999_999 }), fc.constantFrom(1, 100_000_000, 999_999_990)),
    devMajor: fc.constantFrom(0, 8),
    devMinor: fc.constantFrom(0, 1),
    xattrs: fc.constantFrom(new Map(), new Map([['user.a', Uint8Array.of(1, 10)]])),
    userName: fc.constantFrom('', 'root'),
  },
  { requiredKeys: ['name', 'type', 'mode', 'uid', 'gid'] },
)

describe('writeTarHeader()', () => {
  it('gives what encodeTarHeader() gives', () => {
    fc.assert(
      fc.property(entries, entry => {
        const target = new Uint8Array(headerRoomBytes + 20).fill(0xaa)
        const written = writeTarHeader(entry, target, 7)
        const got = typeof written === 'number' ? target.subarray(7, 7 + written) : written
        expect(Buffer.from(got).equals(Buffer.from(encodeTarHeader(entry)))).to.equal(true)
      }),
      { numRuns: 5000 },
    )
  }).timeout(20_000)

  it('refuses what encodeTarHeader() refuses', () => {
    const entry = { name: 'a\0b', type: tarType.file, mode: 0, uid: 0, gid: 0 }
    expect(() => writeTarHeader(entry, new Uint8Array(headerRoomBytes), 0))
      .to.throw()
      .with.property('code', 'BAD_ENTRY')
  })
})
