import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { type Compression, detectCompression, openDecoder } from '../../../src/host/index.ts'
import { backendsOf, codeOf, compressWith, decode, sample } from './drive.ts'

const commands: readonly [Compression, readonly string[]][] = [
  ['gzip', ['gzip', '-c']],
  ['gzip', ['gzip', '-1c']],
  ['gzip', ['pigz', '-c', '-b', '128']],
  ['gzip', ['pigz', '-9c']],
  ['gzip', ['igzip', '-c']],
  ['zstd', ['zstd', '-qc']],
  ['zstd', ['zstd', '-qc', '--ultra', '-22', '--long=27']],
  ['zstd', ['zstd', '-qc', '--no-check', '--fast=5']],
  ['xz', ['xz', '-c']],
  ['xz', ['xz', '-c', '--check=none', '-9']],
  ['xz', ['xz', '-c', '--check=crc32', '--block-size=100000']],
  ['bzip2', ['bzip2', '-c']],
  ['bzip2', ['bzip2', '-1c']],
]

/** Repetitive, mixed, tiny, empty; runs as long as bzip2's run counts get. */
const contents: readonly [string, Buffer][] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.from('a')],
  ['three kinds of data', sample(250_000)],
  ['a long run', Buffer.alloc(300_000, 0x55)],
  ['runs of 1 to 300', Buffer.concat(Array.from({ length: 300 }, (_, i) => Buffer.alloc(i + 1, i & 0xff)))],
]

describe('decoders read what the tools write', () => {
  for (const [compression, command] of commands) {
    for (const [name, content] of contents) {
      it(`${command.join(' ')}: ${name}`, async function () {
        const compressed = compressWith(command, content)
        if (compressed === null) this.skip() // the tool is not installed
        expect(detectCompression(compressed)).to.equal(compression)
        const backends = await backendsOf(compression)
        expect(backends.length).to.be.greaterThan(0)
        for (const only of backends) {
          const { output, warnings } = await decode(compression, compressed, { only })
          expect(output.equals(content), only).to.equal(true)
          expect(warnings).to.deep.equal([])
        }
      })
    }
  }
})

/** Small streams, so that one byte at a time is quick. */
const small: readonly [Compression, readonly string[]][] = [
  ['gzip', ['gzip', '-c']],
  ['zstd', ['zstd', '-qc']],
  ['xz', ['xz', '-c']],
  ['bzip2', ['bzip2', '-c']],
]
const sizes = [1, 2, 7, 333, 100_000]

for (const [compression, command] of small) {
  describe(`${compression} decoders`, () => {
    const content = sample(3000)
    let one: Buffer
    before(function () {
      const compressed = compressWith(command, content)
      if (compressed === null) this.skip()
      one = compressed
    })

    it('give the same output for every split of input and output', async () => {
      const two = Buffer.concat([one, one])
      const want = Buffer.concat([content, content])
      for (const only of await backendsOf(compression)) {
        for (const input of sizes) {
          for (const output of sizes) {
            const got = (await decode(compression, two, { only, input, output })).output
            expect(got.equals(want), `${only}, ${input} in, ${output} out`).to.equal(true)
          }
        }
      }
    })

    it('call a stream that is cut anywhere TRUNCATED', async () => {
      for (const only of await backendsOf(compression)) {
        for (let length = 0; length < one.length; length += length < 40 || length > one.length - 20 ? 1 : 97) {
          expect(await codeOf(compression, one.subarray(0, length), { only }), `${only}, ${length} bytes`).to.equal(
            'TRUNCATED',
          )
        }
        const second = Buffer.concat([one, one.subarray(0, 11)])
        expect(await codeOf(compression, second, { only }), `${only}, second stream`).to.equal('TRUNCATED')
      }
    })

    it('end in the right bytes or in an error of their own for every flipped bit', async () => {
      for (const only of await backendsOf(compression)) {
        const outcomes = new Map<string, number>()
        for (let bit = 0; bit < 8 * one.length; bit += bit < 300 ? 1 : 41) {
          const damaged = Buffer.from(one)
          damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7))
          const code = await codeOf(compression, damaged, { only, input: 512, output: 4096 })
          outcomes.set(code, (outcomes.get(code) ?? 0) + 1)
          if (code !== 'fine') continue
          const { output } = await decode(compression, damaged, { only })
          expect(output.equals(content), `${only}, bit ${bit}`).to.equal(true)
        }
        const known = ['fine', 'BAD_COMPRESSION', 'TRUNCATED', 'LIMIT_EXCEEDED', 'UNSUPPORTED']
        expect(known).to.include.members([...outcomes.keys()])
        expect(outcomes.get('BAD_COMPRESSION'), only).to.be.greaterThan(100)
      }
    })

    it('tell where the data is corrupt, and what was to be decompressed', async () => {
      const damaged = Buffer.from(one)
      damaged[one.length - 40] = ~(damaged[one.length - 40] as number)
      for (const only of await backendsOf(compression)) {
        const decoder = await openDecoder(compression, { warn: () => {}, only, subject: 'layer 3' })
        let thrown: unknown
        try {
          let at = 0
          while (at < damaged.length) {
            at += (await decoder.step(damaged, at, damaged.length, new Uint8Array(8192), 0, 8192)).consumed
          }
          decoder.end()
        } catch (error) {
          thrown = error
        }
        decoder.close()
        decoder.close() // closing twice is allowed
        expect(thrown).to.include({ code: 'BAD_COMPRESSION' })
        expect(thrown)
          .to.have.property('message')
          .that.matches(/^Cannot decompress layer 3: /)
        expect(thrown).to.have.nested.property('data.offset').that.is.within(0, damaged.length)
      }
    })

    it('take turns without disturbing each other', async () => {
      for (const only of await backendsOf(compression)) {
        const both = await Promise.all([
          decode(compression, one, { only, input: 100 }),
          decode(compression, Buffer.concat([one, one]), { only, input: 77 }),
        ])
        expect(both[0].output.equals(content), only).to.equal(true)
        expect(both[1].output.length, only).to.equal(2 * content.length)
      }
    })
  })
}

describe('openDecoder()', () => {
  it('copies what is not compressed', async () => {
    const content = sample(5000)
    const { output } = await decode('none', content, { input: 999, output: 100 })
    expect(output.equals(content)).to.equal(true)
  })

  it('says UNSUPPORTED, and what to install, when no backend is there', async () => {
    let thrown: unknown
    try {
      await openDecoder('xz', { warn: () => {}, only: 'node', subject: 'layer 1' })
    } catch (error) {
      thrown = error
    }
    expect(thrown).to.include({ code: 'UNSUPPORTED', hint: 'install liblzma (xz-utils)' })
  })

  it('prefers the backend inside Node to a portable one', async () => {
    const decoder = await openDecoder('gzip', { warn: () => {} })
    expect(decoder.backend).to.not.equal('portable')
    decoder.close()
  })

  it('never prefers a portable backend to a library that is there', async () => {
    for (const compression of ['zstd', 'xz', 'bzip2'] as const) {
      const [first] = await backendsOf(compression)
      const decoder = await openDecoder(compression, { warn: () => {} })
      expect(decoder.backend).to.equal(first)
      decoder.close()
    }
  })

  it('reads gzip of Node itself', async () => {
    const content = sample(100_000)
    expect((await decode('gzip', gzipSync(content))).output.equals(content)).to.equal(true)
  })
})
