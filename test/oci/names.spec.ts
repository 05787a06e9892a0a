import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import fc from 'fast-check'
import { OvlError } from '../../src/errors/index.ts'
import {
  formatPlatform,
  formatReference,
  layerMediaType,
  matchPlatform,
  mediaTypeKind,
  normalisePlatform,
  parsePlatformName,
  parseReference,
  platform,
} from '../../src/oci/index.ts'
import { corpusPath, needsCorpus } from '../support/corpus.ts'

const amd64 = platform('linux', 'amd64')

describe('platforms', () => {
  const spellings: readonly (readonly [string, string])[] = [
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['amd64', 'linux/amd64'],
    ['linux', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armel', 'linux/arm/v6'],
    ['aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['Linux/ARM64/V8', 'linux/arm64'],
    ['macos/arm64', 'darwin/arm64'],
    ['i686', 'linux/386'],
    ['windows/amd64', 'windows/amd64'],
    ['linux/riscv64', 'linux/riscv64'],
  ]
  for (const [text, normal] of spellings) {
    it(`parsePlatformName() reads ${text}`, () => {
      expect(formatPlatform(parsePlatformName(text, amd64))).to.equal(normal)
    })
  }

  for (const text of ['', 'a/b/c/d', 'linux/', '/amd64', 'linux/am d64', 'linux/../x']) {
    it(`parsePlatformName() refuses ${JSON.stringify(text)}`, () => {
      expect(() => parsePlatformName(text, amd64))
        .to.throw(OvlError)
        .with.property('code', 'USAGE')
    })
  }

  it('normalisePlatform() is idempotent', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (os, architecture, variant) => {
        const once = normalisePlatform({ os, architecture, variant, osVersion: '', osFeatures: [] })
        expect(normalisePlatform(once)).to.deep.equal(once)
      }),
    )
  })

  // wanted, offered, rank; a smaller rank is a better match
  const matches: readonly (readonly [string, string, number | null])[] = [
    ['linux/amd64', 'linux/amd64', 0],
    ['linux/amd64', 'linux/x86_64', 0],
    ['linux/amd64', 'linux/amd64/v2', null],
    ['linux/amd64/v3', 'linux/amd64/v3', 0],
    ['linux/amd64/v3', 'linux/amd64/v2', 1],
    ['linux/amd64/v3', 'linux/amd64', 2],
    ['linux/amd64', 'linux/386', null],
    ['linux/amd64', 'windows/amd64', null],
    ['linux/arm64', 'linux/arm64/v8', 0],
    ['linux/arm64/v9', 'linux/arm64', 1],
    ['linux/arm64', 'linux/arm64/v9', null],
    ['linux/arm/v7', 'linux/arm/v6', 1],
    ['linux/arm/v7', 'linux/arm', 0],
    ['linux/arm/v6', 'linux/arm/v7', null],
    ['linux/s390x', 'linux/s390x', 0],
  ]
  for (const [wanted, offered, rank] of matches) {
    it(`matchPlatform() ranks ${offered} for ${wanted} as ${rank}`, () => {
      const [os = '', architecture = '', variant = ''] = offered.split('/')
      const offer = { os, architecture, variant, osVersion: '', osFeatures: [] }
      expect(matchPlatform(parsePlatformName(wanted, amd64), offer)).to.equal(rank)
    })
  }

  it('matchPlatform() accepts what the processor also runs only when asked to', () => {
    expect(matchPlatform(amd64, platform('linux', '386'), { emulated: true })).to.equal(1)
    expect(matchPlatform(platform('linux', 'arm64'), platform('linux', 'arm', 'v7'), { emulated: true })).to.equal(2)
    expect(matchPlatform(platform('linux', 'arm64'), platform('linux', 'arm', 'v7'))).to.equal(null)
  })

  it('matchPlatform() compares os.version only when it is wanted', () => {
    const windows = { ...platform('windows', 'amd64'), osVersion: '10.0.1' }
    expect(matchPlatform(platform('windows', 'amd64'), windows)).to.equal(0)
    expect(matchPlatform({ ...windows, osVersion: '10.0.2' }, windows)).to.equal(null)
  })
})

describe('references', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const table: readonly (readonly [string, string | null])[] = [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['me/app', 'docker.io/me/app:latest'],
    ['index.docker.io/library/test:x', 'docker.io/library/test:x'],
    ['ghcr.io/a/b/c:v1', 'ghcr.io/a/b/c:v1'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x:y', 'localhost:5000/x:y'],
    ['[::1]:5000/x', '[::1]:5000/x:latest'],
    [`busybox@${digest}`, `docker.io/library/busybox@${digest}`],
    [`busybox:1@${digest}`, `docker.io/library/busybox:1@${digest}`],
    ['a__b', 'docker.io/library/a__b:latest'],
    ['UPPERCASE', null],
    ['a..b', null],
    ['a/', null],
    ['', null],
    ['a:', null],
    ['a:b c', null],
    ['a@sha256:x', null],
    [`a:${'t'.repeat(129)}`, null],
    [`${'a/'.repeat(200)}a`, null],
  ]
  for (const [text, full] of table) {
    it(`parseReference() ${full === null ? 'refuses' : 'reads'} ${JSON.stringify(text.slice(0, 40))}`, () => {
      const parsed = parseReference(text)
      expect(parsed === null ? null : formatReference(parsed)).to.equal(full)
    })
  }
})

describe('media types', () => {
  const table: readonly (readonly [string, string, string | null])[] = [
    ['application/vnd.oci.image.layer.v1.tar', 'layer', 'none'],
    ['application/vnd.oci.image.layer.v1.tar+zstd', 'layer', 'zstd'],
    ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'layer', 'gzip'],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', 'layer', 'gzip'],
    ['application/vnd.docker.image.rootfs.diff.tar', 'layer', 'none'],
    ['application/vnd.docker.image.rootfs.diff.tar.zstd', 'layer', 'zstd'],
    ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'layer', 'gzip'],
    ['application/vnd.oci.image.layer.v1.tar+gzip; charset=x', 'layer', 'gzip'],
    ['application/vnd.oci.image.layer.v1.tarball', 'unknown', null],
    ['application/vnd.in-toto+json', 'unknown', null],
    ['application/vnd.oci.image.index.v1+json', 'index', null],
    ['application/vnd.docker.distribution.manifest.list.v2+json', 'index', null],
    ['application/vnd.docker.distribution.manifest.v2+json', 'manifest', null],
    ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema1', null],
    ['application/vnd.docker.container.image.v1+json', 'config', null],
    ['', 'unknown', null],
  ]
  for (const [type, kind, compression] of table) {
    it(`${type || 'no type'} is ${kind}`, () => {
      expect(mediaTypeKind(type)).to.equal(kind)
      expect(layerMediaType(type)?.compression ?? null).to.equal(compression)
    })
  }

  it('knows encrypted and foreign layers', () => {
    expect(layerMediaType('application/vnd.oci.image.layer.v1.tar+gzip+encrypted')).to.deep.equal({
      compression: 'gzip',
      foreign: false,
      encrypted: true,
    })
    expect(layerMediaType('application/vnd.docker.image.rootfs.foreign.diff.tar')?.foreign).to.equal(true)
  })

  describe('upstream cases', () => {
    before(needsCorpus)

    it('agree', () => {
      type Case = {
        readonly id: string
        readonly kind: string
        readonly title: string
        readonly expect: { readonly is_layer: boolean; readonly compression: string }
      }
      const { cases } = JSON.parse(readFileSync(corpusPath('cases', 'upstream.json'), 'utf8')) as {
        readonly cases: readonly Case[]
      }
      const ours = cases.filter(({ kind }) => kind === 'mediatype')
      expect(ours).to.have.length(4)
      for (const { id, title, expect: want } of ours) {
        expect(layerMediaType(title) !== null, id).to.equal(want.is_layer)
        expect(layerMediaType(title)?.compression, id).to.equal(want.compression)
      }
    })
  })
})
