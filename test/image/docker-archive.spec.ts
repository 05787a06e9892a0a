import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { dockerHybrid, type ImageFiles } from '../../fixtures/archives.ts'
import { sha256 } from '../../fixtures/documents.ts'
import { isCode } from '../../src/errors/index.ts'
import { hostPlatform } from '../../src/image/request.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import {
  dockerFiles,
  entryOf,
  json,
  layoutFiles,
  makeImage,
  makeLayer,
  writeArchive,
  writeFiles,
} from './make-image.ts'
import { layerBytes, layerFiles, opened, openError, scratch, withImage } from './support.ts'

const { architecture } = hostPlatform()
const a = makeImage({ layers: [makeLayer('a')], architecture })
const b = makeImage({ layers: [makeLayer('b')], architecture })
const two = makeImage({ architecture })

const hybrid = (tag: string): Map<string, Uint8Array> =>
  new Map(dockerHybrid(two.manifest, { config: two.config, layers: two.layers, tag }))

const id = (name: string): string => sha256(new TextEncoder().encode(name))

const v1 = (
  names: readonly string[],
  options: { readonly repositories?: object; readonly parentOf?: object } = {},
): Map<string, Uint8Array> => {
  const files = new Map<string, Uint8Array>()
  for (const [i, name] of names.entries()) {
    const parent = names[i - 1]
    files.set(`${id(name)}/VERSION`, new TextEncoder().encode('1.0'))
    files.set(`${id(name)}/layer.tar`, makeLayer(name).tar)
    files.set(
      `${id(name)}/json`,
      json({
        id: id(name),
        ...(parent === undefined ? {} : { parent: id(parent) }),
        created: '2015-01-01T00:00:00Z',
        architecture,
        os: 'linux',
        container_config: { Cmd: ['/bin/sh', '-c', `make ${name}`] },
        config: { Env: ['A=b'], Cmd: ['/bin/sh'] },
        ...options.parentOf,
      }),
    )
  }
  if (options.repositories !== undefined) files.set('repositories', json(options.repositories))
  return files
}

describe('docker archives', () => {
  const { path } = scratch()
  let count = 0

  const write = (files: ImageFiles): Promise<string> => writeArchive(path(`docker-${++count}.tar`), files)

  /** An archive whose members are written exactly as given. */
  const writeMembers = (entries: readonly TarCaseEntry[]): string => {
    const file = path(`members-${++count}.tar`)
    writeFileSync(file, makeTar(entries))
    return file
  }

  const links = (linkname: string, more: readonly TarCaseEntry[] = []): string =>
    writeMembers([
      { type: 'symlink', name: 'l.tar', linkname },
      ...more,
      {
        type: 'file',
        name: 'c.json',
        content: JSON.stringify({
          architecture,
          os: 'linux',
          rootfs: { type: 'layers', diff_ids: [`sha256:${a.layers[0]?.diffHex}`] },
        }),
      },
      { type: 'file', name: 'manifest.json', content: JSON.stringify([{ Config: 'c.json', Layers: ['l.tar'] }]) },
    ])

  it('open with their one image, also compressed layers, with or without the transport', async () => {
    const file = await write(dockerFiles([{ image: two, tags: ['demo:latest'] }]))
    for (const argument of [
      file,
      `docker-archive:${file}`,
      `${file}:demo:latest`,
      `${file}:demo`,
      `${file}:latest`,
      `${file}:@0`,
      `${file}@sha256:${two.config.hex}`,
    ]) {
      await withImage(argument, async ({ image, warnings }) => {
        expect(image.source.transport).to.equal('docker-archive')
        expect(image.names).to.deep.equal(['demo:latest'])
        expect(image.manifest).to.equal(null)
        expect(image.config.digest).to.equal(`sha256:${two.config.hex}`)
        expect(image.layers.map(({ descriptor }) => descriptor)).to.deep.equal([null, null])
        expect(await layerFiles(image)).to.deep.equal(['base', 'top'])
        expect(warnings).to.deep.equal([])
      })
    }
  })

  it('open unpacked into a directory too', async () => {
    const directory = writeFiles(path('unpacked'), dockerFiles([{ image: two, tags: null }]))
    await withImage(directory, ({ image }) => expect(image.source.transport).to.equal('docker-archive'))
  })

  it('with several images want a name, a number or a digest', async () => {
    const file = await write(
      dockerFiles([
        { image: a, tags: ['x/app:1', 'x/app:one'] },
        { image: b, tags: null },
      ]),
    )
    const error = await openError(file)
    expect(error.code).to.equal('IMAGE_AMBIGUOUS')
    expect(error.message).to.equal(`Cannot choose an image of ${file}: it has x/app:1, @1`)
    expect(await opened(`${file}:x/app:one`)).to.equal('a')
    expect(await opened(`${file}:docker.io/x/app:1`)).to.equal('a')
    expect(await opened(`${file}:@1`)).to.equal('b')
    expect(await opened(`${file}@sha256:${b.config.hex}`)).to.equal('b')
    expect(await opened(file, { ref: 'one' })).to.equal('a')
    const missing = await openError(`${file}:nosuch`)
    expect(missing.message).to.equal(`Cannot find tag "nosuch" in docker archive ${file}: it has x/app:1, @1`)
    expect((await openError(`${file}:@2`)).code).to.equal('TAG_NOT_FOUND')
  })

  it('with one image under several entries need no choice', async () => {
    expect(
      await opened(
        await write(
          dockerFiles([
            { image: a, tags: ['x:1'] },
            { image: a, tags: ['x:2'] },
          ]),
        ),
      ),
    ).to.equal('a')
  })

  it('for another platform open with a warning, unless one was asked for', async () => {
    const image = makeImage({ layers: [makeLayer('f')], architecture: 's390x' })
    const file = await write(dockerFiles([{ image, tags: null }]))
    await withImage(file, ({ warnings }) => expect(warnings.map(({ code }) => code)).to.deep.equal(['IMAGE_DOCUMENT']))
    expect((await openError(file, { platform: 'linux/amd64' })).message).to.match(/it has linux\/s390x$/)
  })

  it('may repeat a layer, and may link a layer to another member any number of times', async () => {
    const [layer] = a.layers
    const tar = layer?.blob.bytes.toString() === undefined ? '' : Buffer.from(layer.blob.bytes).toString('base64')
    const config = json({
      architecture,
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: Array.from({ length: 5 }, () => `sha256:${layer?.diffHex}`) },
    })
    const manifest = [
      {
        Config: 'c.json',
        RepoTags: null,
        Layers: ['1/layer.tar', '1/layer.tar', '2/layer.tar', '3/layer.tar', './4/../4/layer.tar'],
      },
    ]
    const file = writeMembers([
      { type: 'symlink', name: '2/layer.tar', linkname: '../1/layer.tar' },
      { type: 'symlink', name: '3/layer.tar', linkname: '/2/layer.tar' },
      { type: 'file', name: '1/layer.tar', content_b64: tar },
      { type: 'hardlink', name: '4/layer.tar', linkname: '3/layer.tar' },
      { type: 'file', name: 'c.json', content: Buffer.from(config).toString() },
      { type: 'file', name: './manifest.json', content: JSON.stringify(manifest) },
    ])
    expect(await opened(file)).to.equal('a,a,a,a,a')
  })

  it('whose links lead in a circle, out of the archive or nowhere say so', async () => {
    expect((await openError(links('m.tar', [{ type: 'symlink', name: 'm.tar', linkname: 'l.tar' }]))).message).to.match(
      /its links lead in a circle$/,
    )
    expect((await openError(links('../../../../etc/passwd'))).code).to.equal('BLOB_MISSING')
    expect((await openError(links('/etc/passwd'))).code).to.equal('BLOB_MISSING')
    expect((await openError(links('d', [{ type: 'dir', name: 'd/' }]))).code).to.equal('BLOB_MISSING')
    expect((await openError(links('f', [{ type: 'fifo', name: 'f' }]))).code).to.equal('BLOB_MISSING')
  })

  it('verify diff IDs, and blobs by the digest in their path', async () => {
    const files = dockerFiles([{ image: a, tags: null }])
    const [layer] = a.layers
    files.set(`${layer?.diffHex}.tar`, Buffer.from(layer?.blob.bytes ?? []).fill(0x58, 600, 601))
    await withImage(await write(files), async ({ image }) => {
      const [first] = image.layers
      if (first === undefined) throw new Error('no layer')
      const error: unknown = await layerBytes(first, { verb: 'unpack' }).then(
        () => null,
        reason => reason,
      )
      expect(isCode(error, 'DIFF_ID_MISMATCH')).to.equal(true)
      expect((error as Error).message).to.equal(`Cannot unpack ${image.title}: layer 1 does not match its diff ID`)
    })
    const files25 = new Map(dockerHybrid(a.manifest, { config: a.config, layers: a.layers, tag: 'x:1' }))
    const configPath = `blobs/sha256/${a.config.hex}`
    files25.set(configPath, Buffer.concat([a.config.bytes, Buffer.from(' ')]))
    expect((await openError(`docker-archive:${await write(files25)}`)).code).to.equal('DIGEST_MISMATCH')
  })

  it('whose config has another name than its digest open with a warning, for Docker loads them', async () => {
    const files = dockerFiles([{ image: a, tags: null }])
    files.delete(`${a.config.hex}.json`)
    const name = `${'0'.repeat(64)}.json`
    files.set(name, a.config.bytes)
    files.set('manifest.json', json([{ Config: name, Layers: [`${a.layers[0]?.diffHex}.tar`] }]))
    await withImage(await write(files), ({ warnings }) =>
      expect(warnings[0]?.message).to.match(/not what its name says$/),
    )
  })

  it('that are broken say how', async () => {
    const files = dockerFiles([{ image: a, tags: null }])
    const changed = async (name: string, bytes: Uint8Array | null): Promise<string> => {
      const copy = new Map(files)
      if (bytes === null) copy.delete(name)
      else copy.set(name, bytes)
      return (await openError(await write(copy))).code
    }
    expect(await changed(`${a.config.hex}.json`, null)).to.equal('BLOB_MISSING')
    expect(await changed(`${a.layers[0]?.diffHex}.tar`, null)).to.equal('BLOB_MISSING')
    expect(await changed('manifest.json', json([]))).to.equal('NOT_AN_IMAGE')
    expect(await changed('manifest.json', json(null))).to.equal('NOT_AN_IMAGE')
    expect(await changed('manifest.json', json([{ Config: 'x', Layers: 5 }]))).to.equal('BAD_DOCUMENT')
    expect(await changed('manifest.json', new TextEncoder().encode('[{'))).to.equal('BAD_JSON')
    expect(await changed('manifest.json', json([{ Config: `${a.config.hex}.json`, Layers: [] }]))).to.equal(
      'LAYER_COUNT_MISMATCH',
    )
  })

  describe('with an OCI layout in the same archive (docker save since 25)', () => {
    it('open by the layout, and by either transport', async () => {
      const file = await write(hybrid('demo:1'))
      await withImage(file, ({ image }) => {
        expect(image.source.transport).to.equal('oci-archive')
        expect(image.names).to.deep.equal(['docker.io/library/demo:1'])
        expect(image.manifest?.digest).to.equal(`sha256:${two.manifest.hex}`)
      })
      await withImage(`docker-archive:${file}`, async ({ image }) => {
        expect(image.source.transport).to.equal('docker-archive')
        expect(image.layers[0]?.descriptor?.digest).to.equal(`sha256:${two.layers[0]?.blob.hex}`)
        expect(await layerFiles(image)).to.deep.equal(['base', 'top'])
      })
      for (const ref of ['demo:1', '1', 'docker.io/library/demo:1'])
        expect(await opened(file, { ref })).to.equal('base,top')
    })

    it('open by manifest.json when the layout is not complete', async () => {
      for (const gap of ['manifest', 'index'] as const) {
        const files = hybrid('demo:1')
        if (gap === 'manifest') files.delete(`blobs/sha256/${two.manifest.hex}`)
        else files.set('index.json', json({ schemaVersion: 2, manifests: null }))
        await withImage(await write(files), async ({ image }) => {
          expect(image.source.transport).to.equal('docker-archive')
          expect(await layerFiles(image)).to.deep.equal(['base', 'top'])
        })
      }
    })

    it('open by manifest.json when only that knows the name', async () => {
      const files = layoutFiles([entryOf(two.manifest, { name: 'latest' })], two.blobs)
      for (const [name, bytes] of dockerFiles([{ image: a, tags: ['only/here:3'] }])) files.set(name, bytes)
      const file = await write(files)
      expect(await opened(`${file}:only/here:3`)).to.equal('a')
      expect(await opened(`${file}:latest`)).to.equal('base,top')
      const error = await openError(`${file}:nosuch`)
      expect(error.message).to.equal(`Cannot find tag "nosuch" in oci archive ${file}: it has latest`)
    })

    it('say what the layout lacks when a layer is in neither', async () => {
      const files = hybrid('demo:1')
      files.delete(`blobs/sha256/${two.layers[0]?.blob.hex}`)
      expect((await openError(await write(files))).code).to.equal('BLOB_MISSING')
    })
  })

  describe('of version 1, without manifest.json', () => {
    it('follow the parents and make a config', async () => {
      const file = await write(v1(['x', 'y', 'z'], { repositories: { app: { latest: id('z'), mid: id('y') } } }))
      await withImage(`${file}:app:latest`, async ({ image, warnings }) => {
        expect(image.source.transport).to.equal('docker-archive')
        expect(image.names).to.deep.equal(['app:latest'])
        expect(image.layers.map(({ diffID }) => diffID)).to.deep.equal([null, null, null])
        expect(image.layers.map(({ history }) => history?.createdBy)).to.deep.equal([
          '/bin/sh -c make x',
          '/bin/sh -c make y',
          '/bin/sh -c make z',
        ])
        expect(image.config.parsed.process.env).to.deep.equal(['A=b'])
        expect(JSON.parse(Buffer.from(image.config.raw).toString())).to.deep.include({
          os: 'linux',
          config: { Env: ['A=b'], Cmd: ['/bin/sh'] },
        })
        expect(await layerFiles(image)).to.deep.equal(['x', 'y', 'z'])
        expect(warnings.map(({ code }) => code)).to.deep.equal(['IMAGE_DOCUMENT'])
      })
      expect(await opened(`${file}:app:mid`)).to.equal('x,y')
      expect((await openError(file)).message).to.match(/it has app:latest, app:mid$/)
    })

    it('without tags mean the image that is no parent', async () => {
      expect(await opened(await write(v1(['x', 'y'])))).to.equal('x,y')
    })

    it('whose chain is broken say so', async () => {
      const missing = v1(['x', 'y'])
      missing.delete(`${id('x')}/json`)
      expect((await openError(await write(missing))).message).to.match(
        /Cannot follow the layers of .*json" is not in the archive$/,
      )
      const circle = v1(['x'], { repositories: { a: { b: id('x') } }, parentOf: { parent: id('x') } })
      expect((await openError(await write(circle))).message).to.match(/is its own ancestor$/)
      const odd = v1(['x'], { repositories: { a: { b: id('x') } }, parentOf: { parent: '../../etc' } })
      expect((await openError(await write(odd))).code).to.equal('BLOB_MISSING')
    })
  })
})
