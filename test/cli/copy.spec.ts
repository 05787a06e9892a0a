// ovl copy as a user runs it: digests on standard output, what is left on disk, what is refused, and that other tools
// read what it writes.

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { blob as sampleBlob, ociTypes } from '../../fixtures/documents.ts'
import { entryOf, layoutFiles, makeImage, makeIndex, makeLayer, writeFiles } from '../image/make-image.ts'
import { ovl, startOvl } from '../support/cli.ts'
import { writeHugeLayout } from '../support/huge-layout.ts'
import { makeTar } from '../support/make-tar.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { blobPath, copySampleLayout, layoutManifest, sampleImage } from '../support/sample-image.ts'

let cwd: string

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-copy-cli-'))
})

afterEach(() => fs.rmSync(cwd, { recursive: true, force: true }))

const at = (...names: readonly string[]) => path.join(cwd, ...names)

/** The digest that a successful copy prints. */
async function copied(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await ovl(['copy', ...args], { cwd })
  expect([status, stderr.includes('ovl: Cannot')], stderr).to.deep.equal([0, false])
  expect(stdout).to.match(/^sha256:[0-9a-f]{64}\n$/)
  return stdout.trim()
}

function sha256(file: string): string {
  return `sha256:${hexOf(fs.readFileSync(file))}`
}

function hexOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

type Entry = {
  mediaType: string
  digest: string
  size: number
  platform?: { architecture: string }
  annotations?: { [key: string]: string }
}

function indexOf(layout: string): Entry[] {
  return JSON.parse(fs.readFileSync(at(layout, 'index.json'), 'utf8')).manifests
}

function documentOf(layout: string, digest: string): { [key: string]: never } & { layers: Entry[]; config: Entry } {
  return JSON.parse(fs.readFileSync(blobPath(at(layout), digest), 'utf8'))
}

function filesOf(layout: string): readonly string[] {
  return fs.readdirSync(at(layout), { recursive: true, encoding: 'utf8' }).toSorted()
}

function skopeo(...args: readonly string[]): string {
  return execFileSync('skopeo', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

const hello = sampleImage('hello.oci.tar')
const helloManifest = 'sha256:fc59197715a3ca44b346f212f348e6ca2908c0a7f81f89163fc084765d96cb4d'

describe('ovl copy', () => {
  it('keeps every byte from archive to layout to archive, and prints the digest of the manifest', async () => {
    expect(await copied(hello, 'oci:l:1.0')).to.equal(helloManifest)
    expect(await copied('l:1.0', 'a.tar')).to.equal(helloManifest)
    expect(await copied('a.tar', 'l2')).to.equal(helloManifest)
    expect(filesOf('l2')).to.deep.equal(filesOf('l'))
    for (const blob of fs.readdirSync(at('l/blobs/sha256')))
      expect(sha256(at('l2/blobs/sha256', blob))).to.equal(`sha256:${blob}`)
    expect(indexOf('l2')).to.deep.equal(indexOf('l'))
    expect(indexOf('l')[0]?.annotations).to.deep.equal({ 'org.opencontainers.image.ref.name': '1.0' })
    expect((await ovl(['verify', '-q', 'l2:1.0'], { cwd })).status).to.equal(0)
    expect(fs.readdirSync(cwd).toSorted()).to.deep.equal(['a.tar', 'l', 'l2'])
  })

  it('writes the same archive every time', async () => {
    const forms = ['oci-archive', 'docker-archive']
    const write = (name: string) => Promise.all(forms.map(form => copied(hello, `${form}:${form}.${name}.tar`)))
    await write('a')
    await sleep(1100)
    await write('b')
    for (const form of forms)
      expect(fs.readFileSync(at(`${form}.a.tar`)).equals(fs.readFileSync(at(`${form}.b.tar`))), form).to.equal(true)
  })

  it('copies all platforms of an index, byte for byte', async () => {
    const digest = await copied('--all', hello, 'oci:l')
    expect(sha256(blobPath(at('l'), digest))).to.equal(digest)
    const { manifests } = documentOf('l', digest) as unknown as { manifests: Entry[] }
    expect(manifests.map(({ platform }) => platform?.architecture)).to.deep.equal(['amd64', 'arm64'])
    for (const platform of ['linux/amd64', 'linux/arm64'])
      expect((await ovl(['verify', '-q', '--platform', platform, 'l'], { cwd })).status).to.equal(0)
    expect(await copied('--all', 'l', 'b.tar')).to.equal(digest)
  })

  it('takes the platform that is asked for', async () => {
    const digest = await copied('--platform', 'linux/arm64', hello, 'l')
    expect(digest).to.not.equal(helloManifest)
    expect(indexOf('l')[0]?.platform?.architecture).to.equal('arm64')
  })

  it('makes a manifest for a docker-archive, whose config stays; the names stay apart', async () => {
    const digest = await copied(sampleImage('hello.docker.tar'), 'l')
    const [entry] = indexOf('l')
    expect(entry?.digest).to.equal(digest)
    expect(entry?.annotations).to.deep.equal({
      'io.containerd.image.name': 'docker.io/library/hello:1.0',
      'org.opencontainers.image.ref.name': '1.0',
    })
    const source = JSON.parse((await ovl(['inspect', '--json', sampleImage('hello.docker.tar')], { cwd })).stdout)
    const { config, layers } = documentOf('l', digest)
    expect(config.digest).to.equal(source.config.digest)
    expect(layers.map(layer => [layer.mediaType, layer.digest])).to.deep.equal(
      source.layers.map((layer: { diffID: string }) => [ociTypes.tar, layer.diffID]),
    )
    expect((await ovl(['verify', '-q', 'l:hello:1.0'], { cwd })).status).to.equal(0)
  })

  it('makes a docker-archive with uncompressed layers, and says so; its digest is the image ID', async () => {
    const { stdout, stderr, status } = await ovl(['copy', hello, 'docker-archive:d.tar:hello:1.0'], { cwd })
    expect(status).to.equal(0)
    expect(stderr).to.match(/note: its layers are stored uncompressed/)
    const listing = execFileSync('tar', ['tf', at('d.tar')], { encoding: 'utf8' })
      .trim()
      .split('\n')
    expect(listing).to.deep.equal(listing.toSorted())
    expect(listing).to.include.members(['manifest.json', 'repositories', `${stdout.trim().slice(7)}.json`])
    const back = JSON.parse((await ovl(['inspect', '--json', 'd.tar'], { cwd })).stdout)
    expect(back.config.digest).to.equal(stdout.trim())
    expect((await ovl(['verify', '-q', 'd.tar'], { cwd })).status).to.equal(0)
  })

  it('completes the config of an archive older than diff IDs', async () => {
    const { image } = legacyArchive()
    const digest = await copied(image, 'l:old')
    const config = documentOf('l', documentOf('l', digest).config.digest) as unknown as {
      rootfs: { diff_ids: string[] }
    }
    expect(config.rootfs.diff_ids).to.have.length(1)
    expect((await ovl(['verify', '-q', 'l:old'], { cwd })).status).to.equal(0)
  })

  it('turns a manifest into the other family and back', async () => {
    const docker = await copied('--format', 'docker', hello, 'l:docker')
    const { layers, config } = documentOf('l', docker)
    expect(config.mediaType).to.equal('application/vnd.docker.container.image.v1+json')
    expect(new Set(layers.map(({ mediaType }) => mediaType))).to.deep.equal(
      new Set(['application/vnd.docker.image.rootfs.diff.tar.gzip']),
    )
    expect(indexOf('l')[0]?.mediaType).to.equal('application/vnd.docker.distribution.manifest.v2+json')
    const oci = await copied('--format', 'oci', 'l:docker', 'l:oci')
    expect(documentOf('l', oci).layers.map(({ digest }) => digest)).to.deep.equal(layers.map(({ digest }) => digest))
  })

  it('stores layers uncompressed when asked to; another run gives the same digest', async () => {
    const digest = await copied('--compress', 'none', hello, 'l:plain')
    const source = JSON.parse((await ovl(['inspect', '--json', hello], { cwd })).stdout)
    expect(documentOf('l', digest).layers.map(layer => layer.digest)).to.deep.equal(
      source.layers.map((layer: { diffID: string }) => layer.diffID),
    )
    expect(await copied('--compress', 'none', '--all', hello, 'l:all')).to.not.equal(digest)
    expect(await copied('--compress', 'none', 'l:plain', 'l3:plain')).to.equal(digest)
    expect((await ovl(['verify', '-q', 'l:all'], { cwd })).status).to.equal(0)
  })

  it('refuses a compression for which a family has no media type', async () => {
    const zstd = await ovl(['copy', '--format', 'docker', sampleImage('hello.zstd.oci.tar'), 'l'], { cwd })
    expect([zstd.status, zstd.stderr.match(/\[(\w+)\]/)?.[1]]).to.deep.equal([5, 'UNSUPPORTED'])
    const mixed = await ovl(['copy', sampleImage('hello.mixed.docker.tar'), 'l'], { cwd })
    expect(mixed.stderr).to.match(/is compressed with xz.*\[UNSUPPORTED\]\n {2}hint: .*--compress gzip/)
    expect(fs.readdirSync(cwd)).to.deep.equal([])
  })

  for (const compression of ['gzip', 'zstd']) {
    it(`stores layers with ${compression} when asked to; the same bytes every time`, async () => {
      const digest = await copied('--compress', compression, sampleImage('hello.mixed.docker.tar'), 'l:a')
      expect(documentOf('l', digest).layers.map(({ mediaType }) => mediaType)).to.deep.equal(
        Array.from({ length: 4 }, () => `${ociTypes.tar}+${compression}`),
      )
      expect((await ovl(['verify', '-q', 'l:a'], { cwd })).status).to.equal(0)
      expect(await copied('--compress', compression, sampleImage('hello.mixed.docker.tar'), 'l2:a')).to.equal(digest)
      expect(await copied('--compress', compression, 'l:a', 'l2:b')).to.equal(digest)
    })
  }

  it('writes an archive to standard output, and says only there what it must', async () => {
    const child = startOvl(['copy', '-q', hello, 'oci-archive:-'], { cwd })
    const parts: Buffer[] = []
    child.stdout?.on('data', (part: Buffer) => parts.push(part))
    const status = await new Promise(resolve => child.on('close', resolve))
    expect(status).to.equal(0)
    await copied(hello, 'a.tar')
    expect(Buffer.concat(parts).equals(fs.readFileSync(at('a.tar')))).to.equal(true)
    expect((await ovl(['copy', hello, '-'], { cwd })).status).to.equal(2)
  })

  it('copies layers of many megabytes', async () => {
    const content = 'overlay '.repeat(9 << 17)
    const tar = Buffer.from(makeTar([{ type: 'file', name: 'big', content }]))
    const layer = { blob: sampleBlob(ociTypes.gzip, gzipSync(tar, { level: 1 })), diffHex: hexOf(tar), tar }
    const image = makeImage({ layers: [layer] })
    writeFiles(at('src'), layoutFiles([entryOf(image.manifest, { name: 'v1' })], image.blobs))
    await copied('src', 'docker-archive:d.tar:big:1')
    await copied('d.tar', 'a.tar')
    await copied('a.tar', 'l:big')
    expect((await ovl(['verify', '-q', 'l:big'], { cwd })).status).to.equal(0)
    expect(documentOf('l', indexOf('l')[0]?.digest ?? '').layers[0]?.digest).to.equal(`sha256:${layer.diffHex}`)
  })

  it('prints JSON', async () => {
    const { stdout } = await ovl(['copy', '--json', hello, 'l:1.0'], { cwd })
    expect(JSON.parse(stdout)).to.deep.include({
      schema: 'ovl.copy/1',
      destination: 'l',
      transport: 'oci',
      digest: helloManifest,
      names: ['1.0'],
      blobs: 6,
      notes: [],
    })
  })
})

describe('ovl copy: attestations and nested indexes', () => {
  it('keeps them with --all; a conversion renames what attestations are about', async () => {
    const image = makeImage({ layers: [makeLayer('base', { gzip: true })] })
    const statement = makeImage({
      layers: [makeLayer('statement')],
      config: { architecture: 'unknown', os: 'unknown' },
    })
    const attestation = entryOf(statement.manifest, {
      platform: 'unknown/unknown',
      annotations: {
        'vnd.docker.reference.type': 'attestation-manifest',
        'vnd.docker.reference.digest': `sha256:${image.manifest.hex}`,
      },
    })
    const inner = makeIndex([entryOf(image.manifest, { platform: 'linux/amd64' }), attestation])
    const outer = makeIndex([entryOf(inner)])
    const blobs = [...image.blobs, ...statement.blobs, inner, outer]
    writeFiles(at('src'), layoutFiles([entryOf(outer, { name: 'v1' })], blobs))
    const digest = await copied('--all', 'src:v1', 'l:v1')
    expect(digest).to.equal(`sha256:${outer.hex}`)
    expect(fs.readdirSync(at('l/blobs/sha256'))).to.have.members(blobs.map(({ hex }) => hex))
    const plain = await copied('--all', '--compress', 'none', 'src:v1', 'plain.tar')
    expect(await copied('--all', 'plain.tar', 'p')).to.equal(plain)
    const [entry] = (documentOf('p', plain) as unknown as { manifests: Entry[] }).manifests
    const { manifests } = documentOf('p', entry?.digest ?? '') as unknown as { manifests: Entry[] }
    expect(manifests[1]?.digest).to.equal(`sha256:${statement.manifest.hex}`)
    expect(manifests[1]?.annotations?.['vnd.docker.reference.digest']).to.equal(manifests[0]?.digest)
    expect(manifests[0]?.digest).to.not.equal(`sha256:${image.manifest.hex}`)
  })

  it('says which platform lacks its blobs', async () => {
    copySampleLayout(at('src'))
    const [index] = indexOf('src')
    const { manifests } = documentOf('src', index?.digest ?? '') as unknown as { manifests: Entry[] }
    fs.rmSync(blobPath(at('src'), manifests[1]?.digest ?? ''))
    const { stderr, status } = await ovl(['copy', '--all', 'src', 'l'], { cwd })
    expect(status).to.equal(4)
    expect(stderr).to.match(/blob sha256:\w+ \(linux\/arm64\) is not in the layout.*\[BLOB_MISSING\]/)
    expect(fs.readdirSync(cwd)).to.deep.equal(['src'])
  })
})

describe('ovl copy: what is in the way', () => {
  it('TAG_EXISTS for another image of that name, --force replaces it; the same image is no matter', async () => {
    await copied(hello, 'l:1')
    expect(await copied(hello, 'l:1')).to.equal(helloManifest)
    const { stderr, status } = await ovl(['copy', '--platform', 'linux/arm64', hello, 'l:1'], { cwd })
    expect(stderr).to.match(/^ovl: Cannot write l:1: the layout has an image of that name {3}\[TAG_EXISTS\]\n/)
    expect([status, stderr.includes('TAG_EXISTS')]).to.deep.equal([6, true])
    const digest = await copied('--force', '--platform', 'linux/arm64', hello, 'l:1')
    expect(indexOf('l').map(entry => entry.digest)).to.deep.equal([digest])
  })

  it('keeps what it does not know in an index.json', async () => {
    await copied(hello, 'l:1')
    const index = JSON.parse(fs.readFileSync(at('l/index.json'), 'utf8'))
    index.annotations = { 'org.example': 'kept' }
    index.manifests[0].future = { kept: true }
    fs.writeFileSync(at('l/index.json'), JSON.stringify(index))
    await copied('--platform', 'linux/arm64', hello, 'l:2')
    const after = JSON.parse(fs.readFileSync(at('l/index.json'), 'utf8'))
    expect(after.annotations).to.deep.equal(index.annotations)
    expect(after.manifests[0]).to.deep.equal(index.manifests[0])
    expect(after.manifests).to.have.length(2)
  })

  const cases: readonly (readonly [title: string, prepare: () => void, args: readonly string[], code: string])[] = [
    ['an archive', () => fs.writeFileSync(at('a.tar'), 'mine'), [hello, 'a.tar'], 'DEST_EXISTS'],
    [
      'a directory with other files',
      () => writeFiles(at('d'), new Map([['f', new Uint8Array(1)]])),
      [hello, 'd'],
      'DEST_EXISTS',
    ],
    ['a directory where an archive is to be', () => fs.mkdirSync(at('d')), [hello, 'docker-archive:d'], 'DEST_EXISTS'],
    ['a file where a layout is to be', () => fs.writeFileSync(at('f'), ''), ['--force', hello, 'oci:f'], 'DEST_EXISTS'],
    ['no directory around it', () => {}, [hello, 'no/such/l'], 'INPUT_NOT_FOUND'],
    [
      'a broken index.json',
      () => writeFiles(at('l'), new Map([['index.json', new Uint8Array(1)]])),
      [hello, 'l'],
      'BAD_JSON',
    ],
    ['a registry', () => {}, [hello, 'docker://example.org/a'], 'UNSUPPORTED'],
    ['the dir form', () => {}, [hello, 'dir:d'], 'UNSUPPORTED'],
    ['a name that is none', () => {}, [hello, 'l:a b'], 'USAGE'],
    ['a docker name that is none', () => {}, [hello, 'docker-archive:d.tar:UPPER:1'], 'USAGE'],
    ['--all for a docker-archive', () => {}, ['--all', hello, 'docker-archive:d.tar'], 'USAGE'],
    ['--all and --platform', () => {}, ['--all', '--platform', 'linux/amd64', hello, 'l'], 'USAGE'],
    ['--format for a docker-archive', () => {}, ['--format', 'oci', hello, 'docker-archive:d.tar'], 'USAGE'],
    ['--compress for a docker-archive', () => {}, ['--compress', 'gzip', hello, 'docker-archive:d.tar'], 'USAGE'],
  ]
  for (const [title, prepare, args, code] of cases) {
    it(`${code}: ${title}`, async () => {
      prepare()
      const before = fs.readdirSync(cwd, { recursive: true })
      const { stderr, stdout } = await ovl(['copy', ...args], { cwd })
      expect([stderr.match(/\[(\w+)\]/)?.[1], stdout], stderr).to.deep.equal([code === 'USAGE' ? undefined : code, ''])
      if (code === 'USAGE') expect(stderr).to.match(/^(?:ovl: )/)
      expect(fs.readdirSync(cwd, { recursive: true })).to.deep.equal(before)
    })
  }

  it('replaces an archive with --force only', async () => {
    fs.writeFileSync(at('a.tar'), 'mine')
    expect((await ovl(['copy', hello, 'a.tar'], { cwd })).status).to.equal(6)
    expect(fs.readFileSync(at('a.tar'), 'utf8')).to.equal('mine')
    expect(await copied('--force', hello, 'a.tar')).to.equal(helloManifest)
  })
})

describe('ovl copy: nothing by halves', () => {
  for (const form of ['oci:x', 'oci-archive:x.tar', 'docker-archive:x.tar']) {
    it(`a corrupt layer leaves nothing behind (${form})`, async () => {
      copySampleLayout(at('src'))
      const layer = layoutManifest(at('src')).layers[2]
      const file = blobPath(at('src'), layer?.digest ?? '')
      const bytes = fs.readFileSync(file)
      bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 0xff
      fs.writeFileSync(file, bytes)
      const { stderr, status } = await ovl(['copy', 'src', form], { cwd })
      expect(stderr).to.match(/layer 3.*does not match its digest {3}\[DIGEST_MISMATCH\]/)
      expect(status).to.equal(4)
      expect(fs.readdirSync(cwd)).to.deep.equal(['src'])
    })

    it(`a full disk: says so and leaves nothing (${form})`, async function () {
      skipUnless(this, isRoot(), 'needs root, to mount a small disk')
      fs.mkdirSync(at('small'))
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'ovl-test', at('small')])
      try {
        const { stderr, status } = await ovl(['-q', 'copy', hello, form.replace('x', 'small/x')], { cwd })
        expect(stderr).to.match(/^ovl: Cannot write image small\/x\S*: no space left on .*\[NO_SPACE\]/)
        expect(status).to.equal(7)
        expect(fs.readdirSync(at('small'))).to.deep.equal([])
      } finally {
        execFileSync('umount', ['-l', at('small')])
      }
    })

    it(`SIGINT in the middle leaves nothing (${form})`, async () => {
      writeHugeLayout(at('huge'))
      const child = startOvl(['copy', 'huge', form], { cwd })
      let stderr = ''
      child.stderr?.on('data', (text: Buffer) => void (stderr += text.toString()))
      const ended = new Promise(resolve => child.on('close', resolve))
      const isWorking = () => fs.readdirSync(cwd, { recursive: true }).some(name => String(name).includes('.ovl-tmp-'))
      for (let i = 0; i < 6000 && !isWorking(); i++) await sleep(5)
      await sleep(100)
      child.kill('SIGINT')
      expect(await ended).to.equal(130)
      expect(stderr).to.match(/^ovl: interrupted while writing x(?:\.tar)?; removed \S*\.ovl-tmp-\S+$/m)
      expect(fs.readdirSync(cwd)).to.deep.equal(['huge'])
    })
  }

  it('eight at once into one new layout: every image is there afterwards', async () => {
    const sources = [hello, sampleImage('hello.docker.tar'), sampleImage('hello.zstd.oci.tar')]
    const tags = Array.from({ length: 8 }, (_, i) => `t${i}`)
    const runs = await Promise.all(
      tags.map((tag, i) => ovl(['copy', '-q', sources[i % sources.length] as string, `l:${tag}`], { cwd })),
    )
    expect(runs.map(({ status, stderr }) => [status, stderr])).to.deep.equal(tags.map(() => [0, '']))
    expect(indexOf('l').map(entry => entry.annotations?.['org.opencontainers.image.ref.name'])).to.have.members(tags)
    for (const tag of tags) expect((await ovl(['verify', '-q', `l:${tag}`], { cwd })).status).to.equal(0)
    expect(fs.readdirSync(at('l')).toSorted()).to.deep.equal(['blobs', 'index.json', 'oci-layout'])
  })
})

describe('ovl copy: read by others', () => {
  it('skopeo reads every form, with the same digests', async function () {
    skipUnless(this, hasTool('skopeo'), 'no skopeo')
    await copied(hello, 'l:1.0')
    await copied('l:1.0', 'a.tar')
    await copied('l:1.0', 'docker-archive:d.tar:hello:1.0')
    for (const source of ['oci:l:1.0', 'oci-archive:a.tar:1.0', 'docker-archive:d.tar:hello:1.0'])
      skopeo('copy', source, 'dir:out')
    expect(JSON.parse(skopeo('inspect', 'oci:l:1.0')).Digest).to.equal(helloManifest)
    expect(JSON.parse(skopeo('inspect', 'oci-archive:a.tar:1.0')).Digest).to.equal(helloManifest)
    const docker = JSON.parse(skopeo('inspect', 'docker-archive:d.tar:hello:1.0'))
    const source = JSON.parse((await ovl(['inspect', '--json', hello], { cwd })).stdout)
    expect(docker.Layers).to.deep.equal(source.layers.map((layer: { diffID: string }) => layer.diffID))
    // And what skopeo made of it is read back.
    skopeo('copy', 'docker-archive:d.tar:hello:1.0', 'dir:out')
    await copied('dir:out', 'l:again')
    expect((await ovl(['verify', '-q', 'l:again'], { cwd })).status).to.equal(0)
  })

  it('umoci unpacks what was copied from a docker-archive', async function () {
    skipUnless(this, hasTool('umoci') && isRoot(), 'no umoci, or not root')
    await copied(sampleImage('hello.docker.tar'), 'l:1.0')
    execFileSync('umoci', ['unpack', '--image', `${at('l')}:1.0`, at('bundle')], { stdio: 'ignore' })
    expect(fs.readFileSync(at('bundle/rootfs/etc/os-release'), 'utf8')).to.match(/^NAME=/)
  })
})

/** An archive of docker save before 1.10: no manifest.json, so no diff IDs. */
function legacyArchive(): { readonly image: string } {
  const layer = makeLayer('base')
  const id = 'a'.repeat(64)
  const directory = writeFiles(
    at('legacy'),
    new Map([
      [`${id}/json`, Buffer.from(JSON.stringify({ id, architecture: 'amd64', os: 'linux', config: { Cmd: ['/x'] } }))],
      [`${id}/VERSION`, Buffer.from('1.0')],
      [`${id}/layer.tar`, layer.tar],
      ['repositories', Buffer.from(JSON.stringify({ old: { '1': id } }))],
    ]),
  )
  execFileSync('tar', ['cf', at('legacy.tar'), '-C', directory, '.'])
  return { image: at('legacy.tar') }
}
