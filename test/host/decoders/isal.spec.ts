import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { constants, deflateRawSync, gzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { type Backend, openDecoder } from '../../../src/host/index.ts'
import { skipUnless } from '../../support/probe.ts'
import { backendsOf, codeOf, decode, type Pieces, sample } from './drive.ts'
import { gzipMember, rawInflate } from './gzip-member.ts'

describe('gzip by ISA-L', () => {
  const only: Backend = 'library'
  before(async function () {
    const here = process.arch === 'x64' || process.arch === 'arm64'
    skipUnless(this, here, `ISA-L has no code for ${process.arch}`, { optional: true })
    skipUnless(this, (await backendsOf('gzip')).includes(only), 'no libisal.so.2 (Debian: libisal2), or no koffi')
  })

  it('is preferred where the library is', async () => {
    const decoder = await openDecoder('gzip', { warn: () => {} })
    expect(decoder.backend).to.equal(only)
    decoder.close()
  })

  it('gives back what it read too early, wherever the input is cut', async () => {
    const content = sample(2000)
    const one = gzipSync(content)
    const bytes = Buffer.concat([one, gzipSync(''), one, Buffer.from('junk')])
    const want = Buffer.concat([content, content])
    for (let cut = one.length - 24; cut < one.length + 40; cut++) {
      for (const pause of [1, 5, 9]) {
        const { output, warnings } = await decodeCut(bytes, [cut, cut + pause])
        expect(output.equals(want), `cut at ${cut} and ${pause} bytes later`).to.equal(true)
        expect(warnings).to.deep.equal(['GZIP_TRAILING_DATA'])
      }
    }
  })

  it('finds its history in output of any size', async () => {
    const block = sample(96_000).subarray(64_000)
    const far = Buffer.concat([block, Buffer.alloc(768, 'x'), block, block, sample(70_000), block])
    const bytes = gzipSync(far, { level: 9 })
    for (const output of [999, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537, 200_000]) {
      for (const input of [1000, 65_536]) {
        expect((await decode('gzip', bytes, { only, input, output })).output.equals(far), `${output} out`).to.equal(
          true,
        )
      }
    }
  })

  it('writes nothing but its output, for every size of it', async () => {
    const content = sample(700)
    const stream = gzipSync(content)
    for (let size = 1; size < 600; size++) {
      const decoder = await openDecoder('gzip', { warn: () => {}, only })
      const output = new Uint8Array(new SharedArrayBuffer(4096)).fill(0xee)
      const { consumed, produced } = await decoder.step(stream, 0, stream.length, output, 1000, 1000 + size)
      decoder.close()
      expect(consumed).to.be.greaterThan(0)
      expect(produced).to.equal(size)
      expect(Buffer.from(output.subarray(1000, 1000 + size)).equals(content.subarray(0, size))).to.equal(true)
      const around = Buffer.concat([output.subarray(0, 1000), output.subarray(1000 + size)])
      expect(around.equals(Buffer.alloc(around.length, 0xee)), `${size} bytes`).to.equal(true)
    }
  })

  it('reads from shared memory too', async () => {
    const content = sample(10_000)
    const stream = gzipSync(content)
    const shared = new Uint8Array(new SharedArrayBuffer(stream.length + 3))
    shared.set(stream, 3)
    expect((await decode('gzip', shared.subarray(3), { only, input: 100 })).output.equals(content)).to.equal(true)
  })

  it('fails again when it is asked to go on after corrupt data', async () => {
    const decoder = await openDecoder('gzip', { warn: () => {}, only })
    const bytes = Buffer.concat([gzipSync('').subarray(0, 10), Buffer.alloc(50, 0x07)])
    for (let round = 0; round < 3; round++) {
      expect(() => decoder.step(bytes, round === 0 ? 0 : 10, bytes.length, new Uint8Array(100), 0, 100))
        .to.throw('invalid deflate block')
        .with.property('code', 'BAD_COMPRESSION')
    }
    decoder.close()
  })

  // Where zlib refuses incomplete Huffman codes ISA-L may not: such a stream is not compared, nor could its CRC be.
  it('reads what zlib reads, byte for byte, of damaged streams with a CRC that fits', async () => {
    await fc.assert(
      fc.asyncProperty(damagedStreams, async ({ stream, pieces }) => {
        const truth = rawInflate(stream)
        if (truth === null) {
          const bytes = gzipMember(stream, Buffer.from('other content'))
          expect(await codeOf('gzip', bytes, { ...pieces, only })).to.be.oneOf(['BAD_COMPRESSION', 'TRUNCATED'])
          return
        }
        const member = gzipMember(stream.subarray(0, truth.consumed), truth.output)
        const { output } = await decode('gzip', Buffer.concat([member, member]), { ...pieces, only })
        expect(output.equals(Buffer.concat([truth.output, truth.output]))).to.equal(true)
      }),
      { numRuns: 400 },
    )
  })

  it('gives way to zlib where the library is another than its name says', function () {
    const zlib = ['/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib']
      .map(directory => path.join(directory, 'libz.so.1'))
      .find(file => fs.existsSync(file))
    skipUnless(this, zlib !== undefined, 'no libz.so.1 to pose as another library', { optional: true })
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-isal-'))
    try {
      fs.symlinkSync(String(zlib), path.join(directory, 'libisal.so.2'))
      const host = pathToFileURL(path.resolve('.test-build/src/host/index.js')).href
      const script = `const { openDecoder } = await import(${JSON.stringify(host)})
        console.log((await openDecoder('gzip', { warn() {} })).backend)`
      const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        env: { ...process.env, LD_LIBRARY_PATH: directory },
      })
      expect(stdout).to.equal('node\n')
    } finally {
      fs.rmSync(directory, { recursive: true })
    }
  })
})

/** Decodes input that arrives in three parts. */
async function decodeCut(bytes: Buffer, cuts: readonly number[]): Promise<{ output: Buffer; warnings: string[] }> {
  const warnings: string[] = []
  const decoder = await openDecoder('gzip', { warn: ({ code }) => void warnings.push(code), only: 'library' })
  const output = new Uint8Array(8192)
  let outAt = 0
  let at = 0
  for (const end of [...cuts, bytes.length]) {
    for (;;) {
      const { consumed, produced } = await decoder.step(bytes, at, end, output, outAt, output.length)
      at += consumed
      outAt += produced
      if (consumed === 0 && produced === 0) break
    }
    expect(at).to.equal(end)
  }
  decoder.end()
  decoder.close()
  return { output: Buffer.from(output.subarray(0, outAt)), warnings }
}

/** Streams of all compressors' moods, some bits flipped, mostly in the first block's header; and pieces to read them in. */
const damagedStreams: fc.Arbitrary<{ stream: Buffer; pieces: Pieces }> = fc
  .record({
    content: fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.integer({ min: 1, max: 5000 }).map(sample),
      fc.array(fc.constantFrom('layer', 'etc/passwd', 'aaaaaaaaaaaa', '\0\0\0'), { maxLength: 400 }).map(parts => {
        return Buffer.from(parts.join(''))
      }),
    ),
    level: fc.integer({ min: 0, max: 9 }),
    strategy: fc.constantFrom(
      constants.Z_DEFAULT_STRATEGY,
      constants.Z_HUFFMAN_ONLY,
      constants.Z_RLE,
      constants.Z_FIXED,
    ),
    flips: fc.array(fc.oneof(fc.nat({ max: 800 }), fc.nat()), { maxLength: 3 }),
    pieces: fc.record({ input: fc.integer({ min: 1, max: 3000 }), output: fc.integer({ min: 1, max: 9000 }) }),
  })
  .map(({ content, level, strategy, flips, pieces }) => {
    const stream = deflateRawSync(content, { level, strategy })
    for (const flip of flips) {
      const bit = flip % (8 * stream.length)
      stream[bit >> 3] = (stream[bit >> 3] as number) ^ (1 << (bit & 7))
    }
    return { stream, pieces }
  })
