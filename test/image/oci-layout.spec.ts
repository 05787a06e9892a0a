import { symlinkSync } from 'node:fs'
import { expect } from 'chai'
import { blob, descriptor, ociTypes } from '../../fixtures/documents.ts'
import { defaultLimits } from '../../src/errors/index.ts'
import { hostPlatform } from '../../src/image/request.ts'
import { formatPlatform } from '../../src/oci/index.ts'
import {
  entryOf,
  json,
  layoutFiles,
  type MadeImage,
  makeImage,
  makeIndex,
  makeLayer,
  writeArchive,
  writeFiles,
} from './make-image.ts'
import { layerFiles, opened, openError, scratch, withImage } from './support.ts'

const host = formatPlatform(hostPlatform())
const other = 'linux/s390x'
const [, hostArchitecture = ''] = host.split('/')

/** An image whose one layer holds one file of this name. */
function named(name: string, architecture = hostArchitecture): MadeImage {
  return makeImage({ layers: [makeLayer(name)], architecture })
}

const a = named('a')
const b = named('b')
const foreign = named('foreign', 's390x')

const blobPath = (hex: string): string => `blobs/sha256/${hex}`

describe('OCI layouts', () => {
  const { path } = scratch()
  let count = 0

  function write(index: Parameters<typeof layoutFiles>[0], blobs: Parameters<typeof layoutFiles>[1]): string {
    return writeFiles(path(`layout-${++count}`), layoutFiles(index, blobs))
  }

  const brokenFiles = (change: (files: Map<string, Uint8Array>) => void): string => {
    const files = layoutFiles([entryOf(a.manifest, { name: 'latest' })], a.blobs)
    change(files)
    return writeFiles(path(`broken-${++count}`), files)
  }

  it('open as a directory and as an archive, with or without the transport', async () => {
    const image = makeImage({ architecture: hostArchitecture })
    const files = layoutFiles([entryOf(image.manifest, { name: 'v1' })], image.blobs)
    const directory = writeFiles(path('plain'), files)
    const archive = await writeArchive(path('plain.tar'), files)
    for (const argument of [directory, `oci:${directory}`, `${directory}:v1`, archive, `oci-archive:${archive}:v1`]) {
      await withImage(argument, async ({ image: found, warnings }) => {
        expect(found.source.transport).to.equal(argument.includes('.tar') ? 'oci-archive' : 'oci')
        expect(found.names).to.deep.equal(['v1'])
        expect(found.manifest?.digest).to.equal(`sha256:${image.manifest.hex}`)
        expect(found.manifest?.raw).to.deep.equal(image.manifest.bytes)
        expect(found.config.digest).to.equal(`sha256:${image.config.hex}`)
        expect(found.indexes).to.have.length(1)
        expect(found.layers.map(({ number, diffID }) => [number, diffID])).to.deep.equal(
          image.layers.map(({ diffHex }, i) => [i + 1, `sha256:${diffHex}`]),
        )
        expect(await layerFiles(found)).to.deep.equal(['base', 'top'])
        expect(warnings).to.deep.equal([])
      })
    }
  })

  it('may be made of symlinks, as build systems write them', async () => {
    const directory = write([entryOf(a.manifest)], a.blobs)
    symlinkSync(directory, path('linked'))
    expect(await opened(path('linked'))).to.equal('a')
  })

  it('need no name for their only image, also when attestations stand beside it', async () => {
    const proof = makeImage({ layers: [makeLayer('proof')] })
    const annotated = { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }
    const blobs = [...a.blobs, ...proof.blobs]
    expect(await opened(write([entryOf(a.manifest), entryOf(proof.manifest, annotated)], blobs))).to.equal('a')
    expect(
      await opened(write([entryOf(proof.manifest, { platform: 'unknown/unknown' }), entryOf(a.manifest)], blobs)),
    ).to.equal('a')
  })

  it('list what there is when several images have no or different names', async () => {
    const two = write(
      [entryOf(a.manifest, { name: 'one' }), entryOf(b.manifest, { name: 'two' })],
      [...a.blobs, ...b.blobs],
    )
    const error = await openError(two)
    expect(error.code).to.equal('IMAGE_AMBIGUOUS')
    expect(error.message).to.equal(`Cannot choose an image of ${two}: it has one, two`)
    expect(error.hint).to.equal(`name one, for example ${two}:one`)
    const unnamed = write([entryOf(a.manifest), entryOf(b.manifest)], [...a.blobs, ...b.blobs])
    expect((await openError(unnamed)).message).to.match(/: it has sha256:[0-9a-f]{64}, sha256:[0-9a-f]{64}$/)
    expect(await opened(`${unnamed}:@1`)).to.equal('b')
    expect(await opened(`${unnamed}@sha256:${b.manifest.hex}`)).to.equal('b')
  })

  it('list at most ten', async () => {
    const images = Array.from({ length: 12 }, (_, i) => named(`file${i}`))
    const entries = images.map((image, i) => entryOf(image.manifest, { name: `v${i}` }))
    const error = await openError(
      `${write(
        entries,
        images.flatMap(image => image.blobs),
      )}:nosuch`,
    )
    expect(error.message).to.match(/it has v0, v1, v2, v3, v4, v5, v6, v7, v8, v9 and 2 more$/)
  })

  it('are searched by tag, full name, number and digest', async () => {
    const full = {
      annotations: { 'io.containerd.image.name': 'docker.io/library/app:2', 'org.opencontainers.image.ref.name': '2' },
    }
    const layout = write([entryOf(a.manifest, { name: '1' }), entryOf(b.manifest, full)], [...a.blobs, ...b.blobs])
    for (const ref of ['1', '@0', `@sha256:${a.manifest.hex}`]) expect(await opened(layout, { ref }), ref).to.equal('a')
    for (const ref of ['2', 'app:2', 'docker.io/library/app:2', 'library/app:2', '@1', `sha256:${b.manifest.hex}`]) {
      expect(await opened(layout, { ref }), ref).to.equal('b')
    }
    expect(await opened(`${layout}:2@sha256:${b.manifest.hex}`)).to.equal('b')
    expect(await opened(`${layout}@sha256:${b.config.hex}`), 'image ID').to.equal('b')
  })

  it('say which tags they have when one is not there', async () => {
    const layout = write([entryOf(a.manifest, { name: 'latest' })], a.blobs)
    const error = await openError(`${layout}:nosuch`)
    expect(error).to.include({ code: 'TAG_NOT_FOUND', exitStatus: 3 })
    expect(error.message).to.equal(`Cannot find tag "nosuch" in oci layout ${layout}: it has latest`)
    expect((await openError(`${layout}:@7`)).message).to.match(/Cannot find image @7 in oci layout/)
    expect((await openError(`${layout}@sha256:${'0'.repeat(64)}`)).message).to.match(
      /Cannot find digest sha256:0+ in oci layout .* it has latest$/,
    )
    expect((await openError(`${layout}:latest@sha256:${b.manifest.hex}`)).code).to.equal('TAG_NOT_FOUND')
  })

  it('with one image under two names need no choice', async () => {
    const layout = write([entryOf(a.manifest, { name: 'x' }), entryOf(a.manifest, { name: 'y' })], a.blobs)
    await withImage(layout, ({ image }) => expect(image.names).to.deep.equal(['x', 'y']))
    expect(await opened(`${layout}:y`)).to.equal('a')
  })

  it('with one name for two images want a digest', async () => {
    const layout = write(
      [entryOf(a.manifest, { name: 'x' }), entryOf(b.manifest, { name: 'x' })],
      [...a.blobs, ...b.blobs],
    )
    expect((await openError(`${layout}:x`)).code).to.equal('IMAGE_AMBIGUOUS')
    expect(await opened(`${layout}:x@sha256:${b.manifest.hex}`)).to.equal('b')
  })

  describe('with several platforms', () => {
    const inner = makeIndex([entryOf(foreign.manifest, { platform: other }), entryOf(a.manifest, { platform: host })])
    const blobs = [inner, ...a.blobs, ...foreign.blobs]

    it("give the machine's own, or the one that is asked for", async () => {
      const layout = write([entryOf(inner, { name: 'multi' })], blobs)
      expect(await opened(layout)).to.equal('a')
      expect(await opened(`${layout}:multi`, { platform: other })).to.equal('foreign')
      await withImage(layout, ({ image }) => expect(image.indexes).to.have.length(2))
    })

    it('give it from the outermost index as well, where nothing has a name', async () => {
      const layout = write(
        [entryOf(foreign.manifest, { platform: other }), entryOf(a.manifest, { platform: host })],
        blobs,
      )
      expect(await opened(layout)).to.equal('a')
      expect(await opened(layout, { platform: other })).to.equal('foreign')
    })

    it('take the platform from the config where the index does not say it', async () => {
      const layout = write([entryOf(foreign.manifest), entryOf(a.manifest)], blobs)
      expect(await opened(layout)).to.equal('a')
      expect(await opened(layout, { platform: other })).to.equal('foreign')
    })

    it('list their platforms when the wanted one is not there', async () => {
      const error = await openError(`${write([entryOf(inner, { name: 'multi' })], blobs)}:multi`, {
        platform: 'linux/sparc64',
      })
      expect(error).to.include({ code: 'PLATFORM_NOT_FOUND', exitStatus: 3 })
      expect(error.message).to.match(
        new RegExp(`^Cannot find platform linux/sparc64 in .*:multi: it has ${other}, ${host}$`),
      )
    })

    it('take the first of several that match inside one index, as the specification says', async () => {
      const twice = makeIndex([entryOf(b.manifest, { platform: host }), entryOf(a.manifest, { platform: host })])
      expect(await opened(write([entryOf(twice)], [twice, ...a.blobs, ...b.blobs]))).to.equal('b')
    })

    it('prefer the closest variant', async () => {
      const v6 = named('v6', 'arm')
      const v7 = named('v7', 'arm')
      const index = makeIndex([
        entryOf(v6.manifest, { platform: 'linux/arm/v6' }),
        entryOf(v7.manifest, { platform: 'linux/arm/v7' }),
      ])
      const layout = write([entryOf(index)], [index, ...v6.blobs, ...v7.blobs])
      expect(await opened(layout, { platform: 'linux/arm/v7' })).to.equal('v7')
      expect(await opened(layout, { platform: 'linux/arm/v6' })).to.equal('v6')
      expect((await openError(layout, { platform: 'linux/arm/v5' })).code).to.equal('PLATFORM_NOT_FOUND')
    })

    it('of which an export kept one give that one, with a warning when it is foreign', async () => {
      const kept = write([entryOf(inner, { name: 'x' })], [inner, ...foreign.blobs])
      await withImage(kept, async ({ image, warnings }) => {
        expect(await layerFiles(image)).to.deep.equal(['foreign'])
        expect(warnings.map(({ message }) => message)).to.deep.equal([
          `${image.title} is for ${other}, this machine is ${host}`,
        ])
      })
      expect((await openError(kept, { platform: host })).code).to.equal('BLOB_MISSING')
      expect((await openError(write([entryOf(inner)], [inner]))).code).to.equal('BLOB_MISSING')
    })
  })

  it('with a single image for another platform open with a warning, unless another was asked for', async () => {
    const layout = write([entryOf(foreign.manifest, { platform: other })], foreign.blobs)
    await withImage(layout, ({ warnings }) =>
      expect(warnings.map(({ code }) => code)).to.deep.equal(['IMAGE_DOCUMENT']),
    )
    await withImage(layout, ({ warnings }) => expect(warnings).to.deep.equal([]), { platform: other })
    expect((await openError(layout, { platform: host })).code).to.equal('PLATFORM_NOT_FOUND')
  })

  it('may nest indexes up to the limit, and name one index many times', async () => {
    let top = makeIndex([entryOf(a.manifest)])
    const blobs = [top, ...a.blobs]
    for (let depth = 1; depth < 8; depth++)
      blobs.push((top = makeIndex([entryOf(top), entryOf(top, { platform: other })])))
    expect(await opened(write([entryOf(top)], blobs))).to.equal('a')
    const deeper = makeIndex([entryOf(top)])
    const error = await openError(write([entryOf(deeper)], [deeper, ...blobs]))
    expect(error).to.include({ code: 'LIMIT_EXCEEDED' })
  })

  it('may mix Docker and OCI media types', async () => {
    const docker = makeImage({
      architecture: hostArchitecture,
      layers: [makeLayer('d', { gzip: true, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' })],
      configType: 'application/vnd.docker.container.image.v1+json',
      manifestType: 'application/vnd.docker.distribution.manifest.v2+json',
    })
    const list = makeIndex(
      [entryOf(docker.manifest, { platform: host })],
      'application/vnd.docker.distribution.manifest.list.v2+json',
    )
    expect(await opened(write([entryOf(list)], [list, ...docker.blobs]))).to.equal('d')
    const mixed = makeImage({ architecture: hostArchitecture, layers: docker.layers })
    expect(await opened(write([entryOf(mixed.manifest)], mixed.blobs))).to.equal('d')
  })

  it('pass over what is of an unknown type', async () => {
    const chart = blob('application/vnd.cncf.helm.config.v1+json', { x: 1 })
    const layout = write([entryOf(chart), entryOf(a.manifest)], [chart, ...a.blobs])
    await withImage(layout, ({ warnings }) => expect(warnings.map(({ code }) => code)).to.deep.equal(['MEDIA_TYPE']))
    const error = await openError(write([entryOf(chart)], [chart]))
    expect(error.code).to.equal('NOT_AN_IMAGE')
    expect(error.message).to.match(/its index lists no image, but application\/vnd\.cncf\.helm\.config\.v1\+json$/)
  })

  it('pass over manifest entries that are no layers, when the rest fits the diff IDs', async () => {
    const layer = makeLayer('real')
    const note = blob('application/vnd.in-toto+json', {})
    const image = makeImage({
      architecture: hostArchitecture,
      layers: [layer],
      manifest: { layers: [descriptor(note), descriptor(layer.blob)] },
    })
    const layout = write([entryOf(image.manifest)], [note, ...image.blobs])
    await withImage(layout, async ({ image: found, warnings }) => {
      expect(await layerFiles(found)).to.deep.equal(['real'])
      expect(warnings.map(({ code }) => code)).to.deep.equal(['MEDIA_TYPE'])
    })
  })

  it('take layers of an unusual type as layers, when only all of them fit the diff IDs', async () => {
    const image = makeImage({
      architecture: hostArchitecture,
      layers: [makeLayer('odd', { mediaType: 'application/octet-stream' })],
    })
    expect(await opened(write([entryOf(image.manifest)], image.blobs))).to.equal('odd')
  })

  it('use content that is embedded in descriptors, verified', async () => {
    const data = Buffer.from(a.manifest.bytes).toString('base64')
    const blobs = a.blobs.filter(each => each !== a.manifest)
    expect(await opened(write([entryOf(a.manifest, { data })], blobs))).to.equal('a')
    const wrong = Buffer.from(a.manifest.bytes).fill(0x20).toString('base64')
    expect((await openError(write([entryOf(a.manifest, { data: wrong })], blobs))).code).to.equal('DIGEST_MISMATCH')
    expect((await openError(write([entryOf(a.manifest, { data: 'e30=' })], blobs))).code).to.equal('SIZE_MISMATCH')
    const layer = makeLayer('embedded')
    const embedding = makeImage({
      architecture: hostArchitecture,
      layers: [layer],
      manifest: { layers: [descriptor(layer.blob, { data: Buffer.from(layer.blob.bytes).toString('base64') })] },
    })
    expect(await opened(write([entryOf(embedding.manifest)], [embedding.manifest, embedding.config]))).to.equal(
      'embedded',
    )
  })

  it('verify sha512 as well', async () => {
    const { createHash } = await import('node:crypto')
    const sha512 = (bytes: Uint8Array): string => createHash('sha512').update(bytes).digest('hex')
    const layer = makeLayer('long', { gzip: true })
    const config = blob(ociTypes.config, {
      architecture: hostArchitecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [`sha512:${sha512(layer.tar)}`] },
    })
    const longDescriptor = {
      mediaType: ociTypes.gzip,
      digest: `sha512:${sha512(layer.blob.bytes)}`,
      size: layer.blob.bytes.length,
    }
    const manifest = blob(ociTypes.manifest, { schemaVersion: 2, config: descriptor(config), layers: [longDescriptor] })
    const files = layoutFiles([entryOf(manifest)], [manifest, config])
    files.set(`blobs/sha512/${sha512(layer.blob.bytes)}`, layer.blob.bytes)
    expect(await opened(writeFiles(path('sha512'), files))).to.equal('long')
    files.set(`blobs/sha512/${sha512(layer.blob.bytes)}`, Buffer.from(layer.blob.bytes).fill(1, 20, 21))
    const bad = writeFiles(path('sha512-bad'), files)
    await withImage(bad, async ({ image }) => {
      expect(
        await layerFiles(image).then(
          () => 'fine',
          error => (error as { code: string }).code,
        ),
      ).to.equal('DIGEST_MISMATCH')
    })
  })

  describe('that are broken', () => {
    it('say which layer blob is missing', async () => {
      const [layer] = a.layers
      const layout = brokenFiles(files => files.delete(blobPath(layer?.blob.hex ?? '')))
      const error = await openError(`${layout}:latest`)
      expect(error.code).to.equal('BLOB_MISSING')
      expect(error.message).to.equal(
        `Cannot read layer 1 of ${layout}:latest: blob sha256:${layer?.blob.hex} is not in the layout`,
      )
      await withImage(
        layout,
        async ({ image }) => {
          expect(image.layers).to.have.length(1)
          expect(
            await layerFiles(image).then(
              () => '',
              reason => (reason as { code: string }).code,
            ),
          ).to.equal('BLOB_MISSING')
        },
        { allowMissingLayers: true },
      )
    })

    it('say which document is missing', async () => {
      expect((await openError(brokenFiles(files => files.delete(blobPath(a.config.hex))))).message).to.match(
        /Cannot read the config: blob sha256:\w+ is not in the layout/,
      )
      expect((await openError(brokenFiles(files => files.delete(blobPath(a.manifest.hex))))).message).to.match(
        /Cannot read the manifest: blob/,
      )
      expect((await openError(brokenFiles(files => files.delete('index.json')))).message).to.match(
        /an OCI layout without index.json$/,
      )
    })

    it('say where JSON ends', async () => {
      const layout = brokenFiles(files => files.set('index.json', new TextEncoder().encode('{"schemaVersion":2,\n')))
      const error = await openError(layout)
      expect(error).to.include({ code: 'BAD_JSON', exitStatus: 4 })
      expect(error.message).to.equal(
        `Cannot read ${layout}/index.json: not valid JSON at line 2 column 1: the file ends early`,
      )
    })

    it('say that a document does not match its digest or its size', async () => {
      const changed = Buffer.from(a.config.bytes)
      changed.write('X', 3)
      const error = await openError(brokenFiles(files => files.set(blobPath(a.config.hex), changed)))
      expect(error.code).to.equal('DIGEST_MISMATCH')
      expect(error.facts[0]).to.match(/^expected sha256:\w{64} {2}got sha256:\w{64}/)
      const longer = await openError(
        brokenFiles(files => files.set(blobPath(a.config.hex), Buffer.concat([changed, changed]))),
      )
      expect(longer.code).to.equal('SIZE_MISMATCH')
    })

    it('say that a document is too large before reading it', async () => {
      const layout = brokenFiles(() => {})
      const error = await openError(layout, { limits: { ...defaultLimits, jsonBytes: 100 } })
      expect(error.code).to.equal('LIMIT_EXCEEDED')
    })

    it('say that counts differ', async () => {
      const image = makeImage({ architecture: hostArchitecture, config: { rootfs: { type: 'layers', diff_ids: [] } } })
      const error = await openError(write([entryOf(image.manifest)], image.blobs))
      expect(error.code).to.equal('LAYER_COUNT_MISMATCH')
      expect(error.message).to.match(/its manifest has 2 layers, its config 0 diff IDs$/)
    })

    it('say that the config is none, or is of an artifact', async () => {
      const noRootfs = makeImage({ config: { rootfs: undefined } })
      expect((await openError(write([entryOf(noRootfs.manifest)], noRootfs.blobs))).code).to.equal('BAD_DOCUMENT')
      const artifact = makeImage({
        configType: 'application/vnd.cncf.helm.config.v1+json',
        config: { rootfs: undefined },
      })
      const error = await openError(write([entryOf(artifact.manifest)], artifact.blobs))
      expect(error.code).to.equal('NOT_AN_IMAGE')
      expect(error.message).to.match(/it is an artifact of type application\/vnd\.cncf\.helm\.config\.v1\+json$/)
    })

    it('say that layers are encrypted, or a digest of an unknown kind', async () => {
      const secret = makeImage({ layers: [makeLayer('x', { mediaType: `${ociTypes.gzip}+encrypted` })] })
      expect((await openError(write([entryOf(secret.manifest)], secret.blobs))).code).to.equal('UNSUPPORTED')
      const manifest = { ...descriptor(a.manifest), digest: 'blake3:abc' }
      const files = layoutFiles([manifest], a.blobs)
      files.set('blobs/blake3/abc', a.manifest.bytes)
      expect((await openError(writeFiles(path('blake3'), files))).message).to.match(
        /the digest algorithm blake3 is unknown/,
      )
    })

    it('say that a schema 1 manifest is not supported', async () => {
      const old = blob('application/vnd.docker.distribution.manifest.v1+prettyjws', { schemaVersion: 1 })
      expect((await openError(write([entryOf(old)], [old]))).code).to.equal('UNSUPPORTED')
    })

    it('open without an oci-layout file, with a warning, but not with one of another version', async () => {
      const layout = brokenFiles(files => files.delete('oci-layout'))
      await withImage(layout, ({ warnings }) => expect(warnings[0]?.message).to.match(/has no oci-layout file$/))
      expect(
        (await openError(brokenFiles(files => files.set('oci-layout', json({ imageLayoutVersion: '9.0.0' }))))).code,
      ).to.equal('UNSUPPORTED')
    })
  })

  it('with a history that does not fit open with a warning', async () => {
    const image = makeImage({ architecture: hostArchitecture, config: { history: [{ created_by: 'x' }] } })
    await withImage(write([entryOf(image.manifest)], image.blobs), ({ image: found, warnings }) => {
      expect(found.layers.map(({ history }) => history)).to.deep.equal([null, null])
      expect(warnings[0]?.message).to.match(/the history tells of 1 layers, the image has 2$/)
    })
  })
})
