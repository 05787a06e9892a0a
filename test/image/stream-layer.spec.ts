import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import fc from 'fast-check'
import { blob, ociTypes, type SampleLayer, sha256 } from '../../fixtures/documents.ts'
import { defaultLimits, isCode, type Warning } from '../../src/errors/index.ts'
import {
  type BlockTarget,
  type Image,
  type Layer,
  layerCompression,
  openImage,
  streamLayer,
  verifyImage,
} from '../../src/image/index.ts'
import { hostPlatform } from '../../src/image/request.ts'
import { makeTar } from '../support/make-tar.ts'
import { entryOf, layoutFiles, makeImage, makeLayer, writeFiles } from './make-image.ts'
import { errorOf, layerBytes, scratch, withImage } from './support.ts'

const { architecture } = hostPlatform()
const tar = makeTar([{ type: 'file', name: 'f', content: 'x'.repeat(300_000) }])

function packed(stored: Uint8Array, plain: Uint8Array = tar): SampleLayer {
  return { blob: blob(ociTypes.gzip, stored), diffHex: sha256(plain), tar: plain }
}

describe('streamLayer()', () => {
  const { path } = scratch()
  let count = 0

  /** Opens an image with this layer; `stored` replaces the blob's bytes after the manifest was made. */
  async function withLayer<T>(
    layer: SampleLayer,
    use: (layer: Layer, image: Image) => Promise<T>,
    stored?: Uint8Array,
  ): Promise<T> {
    const image = makeImage({ layers: [layer], architecture })
    const files = layoutFiles([entryOf(image.manifest)], image.blobs)
    if (stored !== undefined) files.set(`blobs/sha256/${layer.blob.hex}`, stored)
    return withImage(writeFiles(path(`layer-${++count}`), files), ({ image: opened }) => {
      const [first] = opened.layers
      if (first === undefined) throw new Error('no layer')
      return use(first, opened)
    })
  }

  it('gives the uncompressed bytes whatever the region size, and what it found', async () => {
    for (const stored of [tar, gzipSync(tar)]) {
      await withLayer(packed(stored), async layer => {
        for (const regionBytes of [1, 511, 4096, 1 << 20]) {
          if (regionBytes === 1 && stored === tar) continue // 300 000 reads of one byte show nothing new
          expect((await layerBytes(layer, { regionBytes })).equals(tar)).to.equal(true)
        }
        const region = new Uint8Array(9999)
        const found = await streamLayer(layer, { space: () => region, commit() {} })
        expect(found).to.deep.equal({
          digest: `sha256:${sha256(stored)}`,
          sizeBytes: stored.length,
          diffID: `sha256:${sha256(tar)}`,
          uncompressedBytes: tar.length,
          compression: stored === tar ? 'none' : 'gzip',
        })
        expect(layerCompression(layer)).to.equal(found.compression)
      })
    }
  })

  it('fills regions wholly, commits each once, and waits for a target that is behind', async () => {
    await withLayer(packed(gzipSync(tar)), async layer => {
      const commits: number[] = []
      let spaces = 0
      const target: BlockTarget = {
        space: () => {
          spaces++
          const region = new Uint8Array(new SharedArrayBuffer(65_536))
          return spaces % 2 === 0 ? new Promise(resolve => setImmediate(resolve, region)) : region
        },
        commit: length => void commits.push(length),
      }
      await streamLayer(layer, target)
      expect(commits.slice(0, -1).every(length => length === 65_536)).to.equal(true)
      expect(commits.reduce((sum, length) => sum + length, 0)).to.equal(tar.length)
      expect(spaces - commits.length).to.be.oneOf([0, 1])
    })
  })

  it('leaves the diff ID to the caller, unless one hash serves both', async () => {
    const region = new Uint8Array(1 << 16)
    const target = { space: () => region, commit() {} }
    await withLayer(packed(gzipSync(tar)), async layer => {
      expect((await streamLayer(layer, target, { hashUncompressed: false })).diffID).to.equal(null)
    })
    await withLayer(packed(tar), async layer => {
      expect((await streamLayer(layer, target, { hashUncompressed: false })).diffID).to.equal(`sha256:${sha256(tar)}`)
    })
  })

  it('accepts a zero-byte layer, an empty archive, members after members, and padding after the end', async () => {
    const odd: readonly (readonly [string, Uint8Array, Uint8Array])[] = [
      ['zero bytes', new Uint8Array(), new Uint8Array()],
      ['empty archive', makeTar([]), makeTar([])],
      ['two members', Buffer.concat([gzipSync(tar.subarray(0, 1000)), gzipSync(tar.subarray(1000))]), tar],
      [
        'padding in the tar',
        gzipSync(Buffer.concat([tar, Buffer.alloc(9000)])),
        Buffer.concat([tar, Buffer.alloc(9000)]),
      ],
      ['padding after gzip', Buffer.concat([gzipSync(tar), Buffer.alloc(512)]), tar],
    ]
    for (const [name, stored, plain] of odd) {
      await withLayer(packed(stored, plain), async layer =>
        expect((await layerBytes(layer)).equals(plain), name).to.equal(true),
      )
    }
  })

  it('passes warnings on with the number of the layer', async () => {
    const warnings: Warning[] = []
    await withLayer(packed(Buffer.concat([gzipSync(tar), Buffer.from('junk')])), async layer => {
      await layerBytes(layer, { warn: warning => void warnings.push(warning) })
    })
    expect(warnings.map(({ code, layer }) => [code, layer])).to.deep.equal([['GZIP_TRAILING_DATA', 1]])
  })

  it('says that a blob does not match its digest, even when decompression fails first', async () => {
    const stored = gzipSync(tar)
    for (const at of [3, 20, Math.floor(stored.length / 2), stored.length - 6]) {
      const changed = Buffer.from(stored)
      changed[at] = (changed[at] ?? 0) ^ 0xff
      const layer = packed(stored)
      const error = await errorOf(withLayer(layer, found => layerBytes(found, { verb: 'unpack' }), changed))
      expect(error).to.include({ code: 'DIGEST_MISMATCH', exitStatus: 4 })
      expect(error.message).to.match(/^Cannot unpack .*: layer 1 does not match its digest$/)
      expect(error.facts[0]).to.match(
        new RegExp(
          `^expected sha256:${layer.blob.hex} {2}got sha256:${sha256(changed)} {3}.*/blobs/sha256/${layer.blob.hex} \\(${stored.length} bytes\\)$`,
        ),
      )
      expect(error.hint).to.match(/^the blob changed after it was written; fetch the image again, or run: ovl verify /)
    }
  })

  it('says that the size differs before anything is read', async () => {
    const stored = gzipSync(tar)
    const error = await errorOf(withLayer(packed(stored), found => layerBytes(found), stored.subarray(0, -1)))
    expect(error.code).to.equal('SIZE_MISMATCH')
    expect(error.facts[0]).to.match(new RegExp(`^expected ${stored.length} bytes {2}got ${stored.length - 1} `))
  })

  it('says that the blob is right but corrupt or cut, when its digest agrees', async () => {
    const cut = gzipSync(tar).subarray(0, -20)
    expect((await errorOf(withLayer(packed(cut), found => layerBytes(found)))).code).to.equal('TRUNCATED')
    const corrupt = Buffer.from(gzipSync(tar)).fill(0xff, 30, 60)
    expect((await errorOf(withLayer(packed(corrupt), found => layerBytes(found)))).code).to.equal('BAD_COMPRESSION')
  })

  it('says that the diff ID differs, also when only bytes after the end of the archive do', async () => {
    const more = gzipSync(Buffer.concat([tar, Buffer.alloc(1)]))
    const error = await errorOf(withLayer(packed(more), found => layerBytes(found, { verb: 'unpack' })))
    expect(error.code).to.equal('DIFF_ID_MISMATCH')
    expect(error.message).to.match(/^Cannot unpack .*: layer 1 does not match its diff ID$/)
  })

  it('stops at the limits', async () => {
    const limits = { ...defaultLimits, sizeBytes: 100_000 }
    expect((await errorOf(withLayer(packed(gzipSync(tar)), found => layerBytes(found, { limits })))).code).to.equal(
      'LIMIT_EXCEEDED',
    )
    const ratio = { ...defaultLimits, ratioFromBytes: 1000, ratio: 10 }
    expect(
      (await errorOf(withLayer(packed(gzipSync(tar)), found => layerBytes(found, { limits: ratio })))).message,
    ).to.match(/it expands more than 10 times$/)
    expect(await withLayer(packed(tar), async found => (await layerBytes(found, { limits: ratio })).length)).to.equal(
      tar.length,
    )
  })

  it('stops at a signal, before it starts and in the middle, while the event loop turns', async () => {
    const controller = new AbortController()
    const big = Buffer.alloc(64 << 20)
    await withLayer(packed(gzipSync(big, { level: 1 }), big), async layer => {
      const timer = setTimeout(() => controller.abort(), 1)
      const region = new Uint8Array(1 << 18)
      const error = await errorOf(
        streamLayer(layer, { space: () => region, commit() {} }, { signal: controller.signal }),
      )
      clearTimeout(timer)
      expect(error).to.include({ code: 'INTERRUPTED' })
      expect((await errorOf(layerBytes(layer, { signal: controller.signal }))).code).to.equal('INTERRUPTED')
    })
  })

  it('passes on what the target throws', async () => {
    await withLayer(packed(gzipSync(tar)), async layer => {
      const target: BlockTarget = {
        space: () => new Uint8Array(1000),
        commit() {
          throw new Error('full')
        },
      }
      const error: unknown = await streamLayer(layer, target).then(
        () => null,
        reason => reason,
      )
      expect((error as Error).message).to.equal('full')
    })
  })

  it('answers any change of a blob with an OvlError', async () => {
    const stored = gzipSync(makeTar([{ type: 'file', name: 'f', content: 'abc' }]))
    const layer = packed(stored, makeTar([{ type: 'file', name: 'f', content: 'abc' }]))
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), fc.integer({ min: 1, max: 255 }), async (at, bits) => {
        const changed = Buffer.from(stored)
        changed[at] = (changed[at] ?? 0) ^ bits
        expect((await errorOf(withLayer(layer, found => layerBytes(found), changed))).code).to.equal('DIGEST_MISMATCH')
      }),
      { numRuns: 60 },
    )
  })
})

describe('verifyImage()', () => {
  const { path } = scratch()

  it('judges every layer without stopping at the first fault', async () => {
    const layers = ['a', 'b', 'c', 'd', 'e'].map(name => makeLayer(name, { gzip: true }))
    const [changed, cut, gone, , wrong] = layers
    if (changed === undefined || cut === undefined || gone === undefined || wrong === undefined)
      throw new Error('no layers')
    const config = {
      rootfs: {
        type: 'layers',
        diff_ids: layers.map(layer => `sha256:${layer === wrong ? changed.diffHex : layer.diffHex}`),
      },
    }
    const image = makeImage({ layers, architecture, config })
    const files = layoutFiles([entryOf(image.manifest)], image.blobs)
    files.set(`blobs/sha256/${changed.blob.hex}`, Buffer.from(changed.blob.bytes).fill(9, 12, 14))
    files.set(`blobs/sha256/${cut.blob.hex}`, cut.blob.bytes.subarray(0, -3))
    files.delete(`blobs/sha256/${gone.blob.hex}`)
    const opened = await openImage(writeFiles(path('faults'), files), { allowMissingLayers: true })
    const seen: number[] = []
    const check = await verifyImage(opened, { onLayer: ({ layer }) => void seen.push(layer.number) })
    opened.close()
    expect(check.ok).to.equal(false)
    expect(seen).to.deep.equal([1, 2, 3, 4, 5])
    const verdicts = check.layers.map(({ ok, digestOk, diffIDOk, faults }) => ({
      ok,
      digestOk,
      diffIDOk,
      first: faults[0]?.code ?? null,
    }))
    expect(verdicts.slice(1)).to.deep.equal([
      { ok: false, digestOk: false, diffIDOk: verdicts[1]?.diffIDOk, first: 'SIZE_MISMATCH' },
      { ok: false, digestOk: null, diffIDOk: null, first: 'BLOB_MISSING' },
      { ok: true, digestOk: true, diffIDOk: true, first: null },
      { ok: false, digestOk: true, diffIDOk: false, first: 'DIFF_ID_MISMATCH' },
    ])
    expect(verdicts[0]).to.include({ ok: false, digestOk: false, first: 'DIGEST_MISMATCH' })
    expect(check.layers[1]?.faults.map(({ code }) => code)).to.include.members(['SIZE_MISMATCH', 'DIGEST_MISMATCH'])
  })

  it('hands the bytes to a target on the way, and ends at a signal', async () => {
    const image = makeImage({ architecture })
    const opened = await openImage(writeFiles(path('fine'), layoutFiles([entryOf(image.manifest)], image.blobs)))
    const bytes: number[] = []
    const region = new Uint8Array(512)
    const target = (): BlockTarget => ({ space: () => region, commit: length => void bytes.push(length) })
    expect((await verifyImage(opened, { target })).ok).to.equal(true)
    expect(bytes.reduce((sum, length) => sum + length, 0)).to.equal(
      image.layers.reduce((sum, layer) => sum + layer.tar.length, 0),
    )
    const error: unknown = await verifyImage(opened, { signal: AbortSignal.abort() }).then(
      () => null,
      reason => reason,
    )
    expect(isCode(error, 'INTERRUPTED')).to.equal(true)
    opened.close()
  })
})
