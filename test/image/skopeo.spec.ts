import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { expect } from 'chai'
import { hostPlatform } from '../../src/image/request.ts'
import { formatPlatform } from '../../src/oci/index.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { entryOf, layoutFiles, makeImage, makeIndex, makeLayer, writeFiles } from './make-image.ts'
import { layerFiles, openError, scratch, withImage } from './support.ts'

const host = formatPlatform(hostPlatform())
const { architecture } = hostPlatform()

describe('what skopeo writes', () => {
  const { path } = scratch()
  const image = makeImage({
    architecture,
    layers: [makeLayer('base', { gzip: true }), makeLayer('top', { gzip: true })],
  })
  const other = makeImage({ architecture: 's390x', layers: [makeLayer('other', { gzip: true })] })

  before(function () {
    skipUnless(this, hasTool('skopeo'), 'no skopeo')
    const index = makeIndex([
      entryOf(image.manifest, { platform: host }),
      entryOf(other.manifest, { platform: 'linux/s390x' }),
    ])
    writeFiles(path('one'), layoutFiles([entryOf(image.manifest, { name: 'v1' })], image.blobs))
    writeFiles(path('all'), layoutFiles([entryOf(index, { name: 'v1' })], [index, ...image.blobs, ...other.blobs]))
    copy('one', `dir:${path('dir')}`)
    copy('one', `oci:${path('oci')}:v1`)
    copy('one', `oci-archive:${path('img.oci.tar')}:v1`)
    copy('one', `docker-archive:${path('img.docker.tar')}:demo:v1`)
    copy('all', `dir:${path('dir-all')}`, '--all')
  })

  function copy(from: string, to: string, ...flags: string[]): void {
    const policy = ['--insecure-policy', 'copy', '-q', ...flags]
    execFileSync('skopeo', [...policy, `oci:${path(from)}:v1`, to], { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  it('is one image in four forms', async () => {
    const forms = [
      ['dir', path('dir')],
      ['oci', path('oci')],
      ['oci-archive', path('img.oci.tar')],
      ['docker-archive', path('img.docker.tar')],
    ] as const
    for (const [transport, file] of forms) {
      for (const argument of [file, `${transport}:${file}`]) {
        await withImage(argument, async ({ image: found, warnings }) => {
          expect(found.source.transport).to.equal(transport)
          expect(found.layers.map(({ diffID }) => diffID)).to.deep.equal(
            image.layers.map(({ diffHex }) => `sha256:${diffHex}`),
          )
          expect(found.config.digest).to.equal(`sha256:${image.config.hex}`)
          expect(await layerFiles(found)).to.deep.equal(['base', 'top'])
          expect(warnings).to.deep.equal([])
          if (transport !== 'docker-archive') expect(found.manifest?.digest).to.equal(`sha256:${image.manifest.hex}`)
        })
      }
    }
  })

  it('a dir of all platforms gives the one that is wanted', async () => {
    for (const [platform, files] of [
      [host, ['base', 'top']],
      ['linux/s390x', ['other']],
    ] as const) {
      await withImage(
        path('dir-all'),
        async ({ image: found }) => {
          expect(found.source.transport).to.equal('dir')
          expect(found.indexes).to.have.length(1)
          expect(await layerFiles(found)).to.deep.equal(files)
        },
        { platform },
      )
    }
    expect((await openError(path('dir-all'), { platform: 'linux/arm' })).code).to.equal('PLATFORM_NOT_FOUND')
  })

  it('a dir has no names, and is known by digest or as its only image', async () => {
    expect((await openError(`${path('dir')}:v1`)).code).to.equal('TAG_NOT_FOUND')
    for (const ref of ['@0', `sha256:${image.manifest.hex}`, `sha256:${image.config.hex}`]) {
      await withImage(path('dir'), ({ image: found }) => expect(found.layers).to.have.length(2), { ref })
    }
    expect((await openError(path('dir'), { ref: `sha256:${'0'.repeat(64)}` })).message).to.match(
      /Cannot find digest sha256:0+ in directory/,
    )
  })

  it('a dir of the first version, with .tar behind the names of layers, opens too', async () => {
    cpSync(path('dir'), path('dir-1.0'), { recursive: true })
    for (const { blob } of image.layers) renameSync(path('dir-1.0', blob.hex), path('dir-1.0', `${blob.hex}.tar`))
    await withImage(path('dir-1.0'), async ({ image: found }) =>
      expect(await layerFiles(found)).to.deep.equal(['base', 'top']),
    )
  })

  it('a dir without one of its blobs says which', async () => {
    cpSync(path('dir'), path('dir-gap'), { recursive: true })
    const [layer] = image.layers
    rmSync(path('dir-gap', layer?.blob.hex ?? ''))
    expect(readdirSync(path('dir-gap'))).to.include('manifest.json')
    expect((await openError(path('dir-gap'))).message).to.match(
      /Cannot read layer 1 of .*: blob sha256:\w+ is not in the directory$/,
    )
  })
})
