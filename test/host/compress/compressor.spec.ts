// Compressed blobs: read back by others, the same whatever the threads and the pieces, and hashed on the way.

import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import {
  type CompressorOptions,
  openCompressor,
  openDecoder,
  type WrittenBlob,
  type WrittenCompression,
} from '../../../src/host/index.ts'
import { openLibzstd, openNodeZstd } from '../../../src/host/compress/zstd.ts'
import { hasTool, skipUnless } from '../../support/probe.ts'

type Written = { readonly bytes: Buffer; readonly blob: WrittenBlob }
type Settings = Omit<CompressorOptions, 'output'> & { readonly pieceBytes?: number }

/** Several blocks of gzip, some of which do not shrink. */
const sample = Buffer.concat([
  Buffer.from('the same words again and again, '.repeat(50_000)),
  randomBytes(700_000),
  Buffer.alloc(1_000_001),
])
const samples: readonly (readonly [string, Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['a byte', Buffer.from('a')],
  ['one whole block', Buffer.alloc(512 * 1024, 'ab')],
  ['several blocks', sample],
]

describe('openCompressor()', () => {
  for (const [name, data] of samples) {
    it(`gzip of ${name} is read back`, async () => {
      const { bytes } = await compress('gzip', data)
      expect(gunzipSync(bytes).equals(data)).to.equal(true)
    })

    it(`zstd of ${name} is read back`, async function () {
      skipUnless(this, hasZstd(), 'no zstd encoder')
      const { bytes } = await compress('zstd', data)
      expect((await decode(bytes, data.length)).equals(data)).to.equal(true)
    })
  }

  it('gzip(1) and zstd(1) find nothing wrong', async function () {
    for (const [compression, tool] of [
      ['gzip', 'gzip'],
      ['zstd', 'zstd'],
    ] as const) {
      skipUnless(this, hasTool(tool), `no ${tool}`)
      const { bytes } = await compress(compression, sample)
      const { status, stdout } = spawnSync(tool, ['-dc'], { input: bytes, maxBuffer: 1 << 26 })
      expect([status, stdout.equals(sample)]).to.deep.equal([0, true])
    }
  })

  for (const compression of ['gzip', 'zstd'] as const) {
    it(`${compression} gives the same bytes however it is fed, with any number of threads`, async () => {
      const want = await compress(compression, sample, { threads: 1 })
      for (const settings of [{ threads: 3 }, { threads: 2, pieceBytes: 1000 }, { pieceBytes: 524_289 }]) {
        const got = await compress(compression, sample, settings)
        expect(got.bytes.equals(want.bytes), JSON.stringify(settings)).to.equal(true)
        expect(got.blob).to.deep.equal(want.blob)
      }
    })

    it(`${compression} has levels`, async () => {
      const [fast, best] = [
        await compress(compression, sample, { level: 1 }),
        await compress(compression, sample, { level: 9 }),
      ]
      expect(best.bytes.length).to.be.below(fast.bytes.length)
    })
  }

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    it(`${compression}: digests and sizes are those of the bytes`, async () => {
      const { bytes, blob } = await compress(compression, sample)
      expect(blob).to.deep.equal({
        diffID: digestOf(sample),
        digest: digestOf(bytes),
        uncompressedBytes: sample.length,
        sizeBytes: bytes.length,
      })
    })

    it(`${compression}: an output that fails ends the work`, async () => {
      const compressor = openCompressor(compression, {
        output: () => {
          throw new Error('disk full')
        },
      })
      let error: unknown
      try {
        for (let i = 0; i < 8; i++) await compressor.write(sample)
        await compressor.end()
      } catch (caught) {
        error = caught
      } finally {
        await compressor.close()
        await compressor.close()
      }
      expect((error as Error | undefined)?.message).to.equal('disk full')
    })
  }

  it('gzip carries no name and no time', async () => {
    const { bytes } = await compress('gzip', Buffer.from('x'))
    expect([...bytes.subarray(0, 10)]).to.deep.equal([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
  })
})

async function compress(compression: WrittenCompression, data: Buffer, settings: Settings = {}): Promise<Written> {
  const parts: Buffer[] = []
  const { pieceBytes = 1 << 20, ...options } = settings
  const compressor = openCompressor(compression, { ...options, output: bytes => void parts.push(Buffer.from(bytes)) })
  const piece = Buffer.alloc(pieceBytes)
  for (let at = 0; at < data.length; at += pieceBytes) {
    const length = data.copy(piece, 0, at, at + pieceBytes)
    await compressor.write(piece.subarray(0, length))
  }
  const blob = await compressor.end()
  return { bytes: Buffer.concat(parts), blob }
}

async function decode(bytes: Buffer, sizeBytes: number): Promise<Buffer> {
  const decoder = await openDecoder('zstd', { warn: () => undefined })
  const output = Buffer.alloc(sizeBytes)
  let at = 0
  let from = 0
  for (;;) {
    const { consumed, produced } = await decoder.step(bytes, from, bytes.length, output, at, output.length)
    from += consumed
    at += produced
    if (consumed === 0 && produced === 0) break
  }
  decoder.end()
  decoder.close()
  return output.subarray(0, at)
}

function hasZstd(): boolean {
  const options = { output: () => undefined }
  const encoder = openNodeZstd(options) ?? openLibzstd(options)
  void encoder?.close()
  return encoder !== null
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
