import { expect } from 'chai'
import { backendsOf, codeOf, compressWith, decode, sample } from './drive.ts'

/** A skippable frame (RFC 8878 3.1.2). */
function skippable(sizeBytes: number, kind = 0): Buffer {
  const bytes = Buffer.alloc(8 + sizeBytes, 0xaa)
  bytes.writeUInt32LE(0x184d2a50 + kind, 0)
  bytes.writeUInt32LE(sizeBytes, 4)
  return bytes
}

/** A frame with this descriptor and header, and one raw block. */
function frame(descriptor: number, header: readonly number[], content: Buffer): Buffer {
  const block = Buffer.alloc(3)
  block.writeUIntLE((content.length << 3) | 1, 0, 3)
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...header]), block, content])
}

describe('zstd frames', () => {
  const content = sample(5000)
  let one: Buffer
  before(function () {
    const compressed = compressWith(['zstd', '-qc'], content)
    if (compressed === null) this.skip()
    one = compressed
  })

  it('are joined, with skippable frames before, between and after', async () => {
    const bytes = Buffer.concat([skippable(0), skippable(100, 15), one, skippable(7, 3), one, skippable(70_000)])
    for (const only of await backendsOf('zstd')) {
      for (const input of [1, 100, 100_000]) {
        const { output } = await decode('zstd', bytes, { only, input })
        expect(output.equals(Buffer.concat([content, content])), only).to.equal(true)
      }
    }
  })

  it('of every header form are read', async () => {
    const text = Buffer.from('x'.repeat(300))
    const forms: readonly Buffer[] = [
      frame(0x00, [0x00], text), // window only
      frame(0x60, [300 - 256, 0], text), // single segment, 2-byte size
      frame(0xa0, [44, 1, 0, 0], text), // 4-byte size
      frame(0xe0, [44, 1, 0, 0, 0, 0, 0, 0], text), // 8-byte size
      frame(0x41, [0x00, 0x00, 300 - 256, 0], text), // window, dictionary 0, size
    ]
    for (const only of await backendsOf('zstd')) {
      for (const [i, bytes] of forms.entries()) {
        const { output } = await decode('zstd', bytes, { only })
        expect(output.equals(text), `${only}, form ${i}`).to.equal(true)
      }
    }
  })

  const text = Buffer.from('abc')
  const refused: readonly [string, () => Buffer, string][] = [
    ['a window of 256 MiB', () => frame(0x00, [(28 - 10) << 3], text), 'LIMIT_EXCEEDED'],
    ['a single segment of 1 GiB', () => frame(0xa0, [0, 0, 0, 0x40], text), 'LIMIT_EXCEEDED'],
    ['a window of 2^41', () => frame(0x00, [0xff], text), 'LIMIT_EXCEEDED'],
    ['a dictionary', () => frame(0x01, [0x00, 0x07], text), 'BAD_COMPRESSION'],
    ['a reserved bit', () => frame(0x08, [0x00], text), 'BAD_COMPRESSION'],
    ['junk after it', () => Buffer.concat([one, Buffer.from('junk')]), 'BAD_COMPRESSION'],
    ['zero padding after it', () => Buffer.concat([one, Buffer.alloc(512)]), 'BAD_COMPRESSION'],
    ['half a skippable frame after it', () => Buffer.concat([one, skippable(100).subarray(0, 50)]), 'TRUNCATED'],
    ['half a magic after it', () => Buffer.concat([one, Buffer.from([0x28, 0xb5])]), 'TRUNCATED'],
  ]
  for (const [name, bytes, code] of refused) {
    it(`with ${name} is ${code}`, async () => {
      for (const only of await backendsOf('zstd')) {
        for (const input of [1, 100_000]) expect(await codeOf('zstd', bytes(), { only, input }), only).to.equal(code)
      }
    })
  }

  it('with the largest window allowed are read', async () => {
    for (const only of await backendsOf('zstd')) {
      const { output } = await decode('zstd', frame(0x00, [(27 - 10) << 3], text), { only })
      expect(output.toString()).to.equal('abc')
    }
  })
})

describe('xz streams', () => {
  it('with a dictionary beyond the limit are LIMIT_EXCEEDED', async function () {
    const bytes = compressWith(['xz', '-c', '--lzma2=preset=0,dict=256MiB'], sample(1000))
    if (bytes === null) this.skip()
    for (const only of await backendsOf('xz'))
      expect(await codeOf('xz', bytes, { only }), only).to.equal('LIMIT_EXCEEDED')
  })

  it('may be padded with zeros in fours', async function () {
    const content = sample(1000)
    const bytes = compressWith(['xz', '-c'], content)
    if (bytes === null) this.skip()
    for (const only of await backendsOf('xz')) {
      const padded = Buffer.concat([bytes, Buffer.alloc(8), bytes, Buffer.alloc(4)])
      expect((await decode('xz', padded, { only })).output.length, only).to.equal(2000)
      expect(await codeOf('xz', Buffer.concat([bytes, Buffer.alloc(3)]), { only }), only).to.not.equal('fine')
    }
  })
})
