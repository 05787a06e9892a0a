import { crc32, deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { backendsOf, codeOf, decode, sample } from './drive.ts'

const flag = { text: 1, headerCrc: 2, extra: 4, name: 8, comment: 16 }

/** A member with every optional header field that `flags` asks for. */
function member(content: Buffer, flags: number, extraBytes = 5): Buffer {
  let header = Buffer.from([0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3])
  const add = (...parts: Buffer[]): void => {
    header = Buffer.concat([header, ...parts])
  }
  if (flags & flag.extra) add(Buffer.from([extraBytes & 0xff, extraBytes >> 8]), Buffer.alloc(extraBytes, 7))
  if (flags & flag.name) add(Buffer.from('layer.tar\0', 'latin1'))
  if (flags & flag.comment) add(Buffer.from('a comment\0', 'latin1'))
  if (flags & flag.headerCrc) {
    const check = Buffer.alloc(2)
    check.writeUInt16LE(crc32(header) & 0xffff)
    add(check)
  }
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(content), 0)
  trailer.writeUInt32LE(content.length, 4)
  return Buffer.concat([header, deflateRawSync(content), trailer])
}

function edit(bytes: Buffer, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at] = value
  return copy
}

describe('gzip members', () => {
  const content = sample(3000)
  const good = gzipSync(content)

  it('may have every header field, in pieces of any size', async () => {
    for (let flags = 0; flags < 32; flags++) {
      for (const input of [1, 3, 50_000]) {
        const { output } = await decode('gzip', member(content, flags), { input })
        expect(output.equals(content), `flags ${flags}, ${input} in`).to.equal(true)
      }
    }
  })

  it('may have extra fields of no bytes and of 65535', async () => {
    for (const extraBytes of [0, 65_535]) {
      const bytes = member(content, flag.extra | flag.headerCrc | flag.name, extraBytes)
      expect((await decode('gzip', bytes)).output.equals(content)).to.equal(true)
    }
  })

  it('are joined, empty ones too', async () => {
    const empty = gzipSync('')
    const bytes = Buffer.concat([empty, good, empty, empty, member(content, 31), empty])
    for (const only of await backendsOf('gzip')) {
      for (const input of [1, 13, 100_000]) {
        const { output, warnings } = await decode('gzip', bytes, { only, input })
        expect(output.equals(Buffer.concat([content, content])), only).to.equal(true)
        expect(warnings).to.deep.equal([])
      }
    }
  })

  const trailing: readonly [string, Buffer][] = [
    ['zero padding', Buffer.alloc(1024)],
    ['one zero byte', Buffer.alloc(1)],
    ['junk', Buffer.from('signature and more')],
    ['zeros before another member', Buffer.concat([Buffer.alloc(3), gzipSync('x')])],
    ['a lone 1f', Buffer.from([0x1f])],
    ['1f and something else', Buffer.from([0x1f, 0x00, 0x1f, 0x8b])],
  ]
  for (const [name, bytes] of trailing) {
    it(`are followed by ${name}: ignored with a warning`, async () => {
      for (const only of await backendsOf('gzip')) {
        for (const input of [1, 2, 7, 100_000]) {
          const { output, warnings } = await decode('gzip', Buffer.concat([good, bytes]), { only, input })
          expect(output.equals(content), only).to.equal(true)
          expect(warnings.map(({ code }) => code)).to.deep.equal(['GZIP_TRAILING_DATA'])
          expect(warnings[0]?.message).to.include(`${bytes.length} bytes`)
        }
      }
    })
  }

  const corrupt: readonly [string, Buffer][] = [
    ['a wrong CRC', edit(good, -8, (good.at(-8) as number) ^ 1)],
    ['a wrong length', edit(good, -1, 1)],
    ['an unknown method', edit(good, 2, 9)],
    ['reserved flags', edit(good, 3, 0x20)],
    ['no magic', edit(good, 1, 0)],
    ['a wrong header CRC', edit(member(content, flag.headerCrc), 10, 0)],
    ['a bad second member', Buffer.concat([good, edit(good, 20, 0xff), Buffer.alloc(9)])],
    ['a bad method in a second member', Buffer.concat([good, edit(good, 2, 9)])],
  ]
  for (const [name, bytes] of corrupt) {
    it(`with ${name} are BAD_COMPRESSION`, async () => {
      for (const only of await backendsOf('gzip')) {
        for (const input of [1, 100_000]) {
          expect(await codeOf('gzip', bytes, { only, input }), only).to.equal('BAD_COMPRESSION')
        }
      }
    })
  }
})
