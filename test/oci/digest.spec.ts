import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { chainIDs, type Digest, digestAlgorithm, digestHex, isDigest, shortDigest } from '../../src/oci/index.ts'

const hex = 'a'.repeat(64)

describe('oci digests', () => {
  const table: readonly (readonly [string, boolean])[] = [
    [`sha256:${hex}`, true],
    [`sha512:${hex}${hex}`, true],
    [`sha256:${hex.toUpperCase()}`, false],
    [`sha256:${hex}0`, false],
    [`sha256:${hex.slice(1)}`, false],
    [`sha512:${hex}`, false],
    [`sha256:${'g'.repeat(64)}`, false],
    ['sha256:', false],
    [hex, false],
    ['', false],
    ['multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8', true],
    ['sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564', true],
    [`SHA256:${hex}`, false],
    [`sha256:${hex.slice(2)}/.`, false],
    [`constructor:${hex}`, true],
  ]
  for (const [text, valid] of table) {
    it(`isDigest() ${valid ? 'accepts' : 'refuses'} ${text.slice(0, 40) || 'an empty text'} (${text.length})`, () => {
      expect(isDigest(text)).to.equal(valid)
    })
  }

  it('digestAlgorithm() refuses an algorithm it cannot compute, naming those it can', () => {
    expect(() => digestAlgorithm('blake3:abc'))
      .to.throw(OvlError, /the digest algorithm blake3 is unknown/)
      .with.property('code', 'UNSUPPORTED')
    expect(() => digestAlgorithm('constructor:abc')).to.throw(OvlError)
    expect(digestAlgorithm(`sha512:${hex}${hex}`)).to.equal('sha512')
  })

  it('splits a digest', () => {
    expect(digestHex(`sha256:${hex}`)).to.equal(hex)
    expect(shortDigest(`sha256:${hex}`)).to.equal(hex.slice(0, 12))
  })

  it('chainIDs() follows config.md: the first is the diff ID, each next hashes its parent and its diff ID', () => {
    const ids: Digest[] = [`sha256:${hex}`, `sha256:${'b'.repeat(64)}`, `sha256:${'c'.repeat(64)}`]
    const second = `sha256:${sha256(`${ids[0]} ${ids[1]}`)}`
    expect(chainIDs(ids, sha256)).to.deep.equal([ids[0], second, `sha256:${sha256(`${second} ${ids[2]}`)}`])
    expect(chainIDs([], sha256)).to.deep.equal([])
  })
})

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
