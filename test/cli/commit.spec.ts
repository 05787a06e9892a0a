// ovl commit as a user runs it: every form of bundle gives the same layer for the same changes, and unpacking the result
// gives the changed tree.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type CliOptions, ovl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { blobPath, sampleImage } from '../support/sample-image.ts'
import { treeDifferences } from '../support/tree-differences.ts'
import { twoAtATime } from '../support/two-at-a-time.ts'

let cwd: string

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-commit-cli-'))
  fs.chmodSync(cwd, 0o777)
})

afterEach(() => fs.rmSync(cwd, { recursive: true, force: true }))

const at = (...names: readonly string[]) => path.join(cwd, ...names)
const hello = sampleImage('hello.oci.tar')

type Report = {
  digest: string
  from: string
  layer: { diffID: string; digest: string; entries: number; sizeBytes: number } | null
}

/** Runs ovl, which must succeed. */
async function run(args: readonly string[], options: CliOptions = {}): Promise<string> {
  const { stdout, stderr, status } = await ovl(args, { cwd, ...options })
  expect(status, stderr).to.equal(0)
  return stdout
}

async function committed(args: readonly string[], options: CliOptions = {}): Promise<Report> {
  return JSON.parse(await run(['commit', '--json', ...args], options)) as Report
}

/** Changes of every kind, made by a program with this user's rights. */
const changes = `
  const fs = require('fs')
  fs.writeFileSync('etc/new', 'new')
  fs.chmodSync('etc/new', 0o640)
  fs.appendFileSync('etc/os-release', 'CHANGED=1\\n')
  fs.chmodSync('etc/group', 0o600)
  fs.rmSync('bin/hi')
  fs.rmSync('home', { recursive: true, force: true })
  fs.mkdirSync('usr/share/new/deep', { recursive: true })
  fs.writeFileSync('usr/share/new/deep/a', 'a')
  fs.linkSync('usr/share/new/deep/a', 'usr/share/new/deep/b')
  fs.symlinkSync('deep/a', 'usr/share/new/link')
  fs.writeFileSync(Buffer.from('usr/share/new/\\xff\\xfe', 'latin1'), 'no text')
  fs.rmSync('tmp', { recursive: true, force: true })
  fs.writeFileSync('tmp', 'a file where a directory was')
  fs.utimesSync('etc/passwd', 1, 1)
`

function makeChanges(root: string, options: { readonly uid?: number } = {}): void {
  const as = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
  execFileSync(process.execPath, ['-e', `process.umask(0o022);${changes}`], { cwd: root, ...as })
}

function pathOf(change: string): string {
  return (JSON.parse(change) as { path: string }).path
}

function configOf(layout: string, digest: string): { [key: string]: never } {
  const manifest = JSON.parse(fs.readFileSync(blobPath(at(layout), digest), 'utf8'))
  return JSON.parse(fs.readFileSync(blobPath(at(layout), manifest.config.digest), 'utf8'))
}

describe('ovl commit', () => {
  const forms: readonly (readonly [
    title: string,
    flags: readonly string[],
    root: string,
    from: string,
    uid?: number,
  ])[] = [
    ['emulated', [], 'merged', 'merged'],
    ['flat', ['--flat'], 'rootfs', 'rootfs'],
    ['native', ['--native'], 'merged', 'upper'],
    ['for user attributes', ['--userxattr'], 'merged', 'merged'],
    ['with mapped ids', ['--uid-map', '0:100000:65536', '--gid-map', '0:100000:65536'], 'merged', 'merged', 100000],
    [
      'flat with mapped ids',
      ['--flat', '--uid-map', '0:100000:65536', '--gid-map', '0:100000:65536'],
      'rootfs',
      'rootfs',
      100000,
    ],
    ['of an ordinary user', ['--rootless'], 'merged', 'merged', 65534],
    ['flat of an ordinary user', ['--flat', '--rootless'], 'rootfs', 'rootfs', 65534],
  ]

  it('the same changes give the same layer in every form of bundle; unpacked, the changed tree', async function () {
    skipUnless(this, isRoot(), 'needs root, to unpack as root and as somebody else')
    const found = await twoAtATime(forms, async ([title, flags, root, from, uid]) => {
      const bundle = title.replaceAll(' ', '-')
      // Rootless runs are that user's own; with mapped ids only the changes are.
      const as = flags.includes('--rootless') ? { uid: uid ?? 0 } : {}
      await run(['unpack', '-q', ...flags, hello, bundle], as)
      try {
        makeChanges(at(bundle, root), uid === undefined || !flags.includes('--rootless') ? {} : { uid })
        if (uid !== undefined && !flags.includes('--rootless')) giveNewFilesTo(at(bundle, root), uid)
        const report = await committed(['--epoch', '0', bundle, `${bundle}-layout:2`], as)
        expect(report.from, title).to.equal(from)
        return [title, report.layer?.diffID] as const
      } finally {
        if (flags.includes('--native')) await run(['umount', bundle])
      }
    })
    const [first] = found
    expect(found).to.deep.equal(forms.map(([title]) => [title, first?.[1]]))
    expect(first?.[1]).to.match(/^sha256:/)
  })

  it('unpacked again, the committed image shows the changed tree and nothing else', async function () {
    skipUnless(this, isRoot(), 'needs root, to compare owners')
    await run(['unpack', '-q', hello, 'b'])
    makeChanges(at('b/merged'))
    fs.rmSync(at('b/merged/var'), { recursive: true, force: true })
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'hello', at('b/merged/etc/new')])
    await run(['commit', 'b', 'l:2'])
    await run(['unpack', '-q', 'l:2', 'again'])
    expect(treeDifferences(at('b/merged'), at('again/merged'))).to.deep.equal([])
    // And once more: from what was committed, another layer.
    fs.writeFileSync(at('again/merged/third'), '3')
    const report = await committed(['again', 'l:3'])
    expect(report.layer?.entries).to.equal(1)
    expect(await run(['cat', 'l:3', 'third'])).to.equal('3')
    expect((await ovl(['verify', '-q', 'l:3'], { cwd })).status).to.equal(0)
  })

  it('restores the recorded owners of an ordinary user', async function () {
    skipUnless(this, isRoot(), 'needs root, to become somebody else')
    const as = { uid: 65534 }
    const owned = 'var/lib/hello/state.txt' // of 1000:1000
    await run(['unpack', '-q', '--rootless', hello, 'b'], as)
    expect(fs.statSync(at('b/merged', owned)).uid).to.equal(65534)
    fs.chmodSync(at('b/merged', owned), 0o707)
    await run(['commit', 'b', 'l:2'], as)
    const layer = JSON.parse(await run(['ls', '--json', '--layer', '5', 'l:2']))
    const changed = layer.entries.find((entry: { path: string }) => entry.path === owned)
    expect([changed.uid, changed.gid, changed.mode]).to.deep.equal([1000, 1000, '0707'])
  })

  it('makes no layer when nothing was changed: a step of the history', async () => {
    const form = isRoot() ? [] : ['--rootless']
    await run(['unpack', '-q', ...form, hello, 'b'])
    const { stdout, stderr } = await ovl(['commit', '--comment', 'as it was', 'b', 'l:2'], { cwd })
    expect(stderr).to.match(/^committed "b" to oci:l:2: nothing was changed in merged, no new layer$/m)
    const config = configOf('l', stdout.trim()) as unknown as { rootfs: { diff_ids: string[] }; history: object[] }
    expect(config.rootfs.diff_ids).to.have.length(4)
    expect(config.history.at(-1)).to.deep.include({ created_by: 'ovl commit', comment: 'as it was', empty_layer: true })
    expect((await ovl(['verify', '-q', 'l:2'], { cwd })).status).to.equal(0)
  })

  it('changes the config, named as umoci names it', async () => {
    await run(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), '--flat', hello, 'b'])
    const flags =
      '--clear config.env --config.env A=1 --config.env B=two=2 --config.env A=3 --config.entrypoint /bin/sh --config.entrypoint=-c --config.cmd true --config.label org.example=x --config.workingdir /srv --config.user ada --config.exposedports 80/tcp --config.volume /data --config.stopsignal SIGUSR1 --author Ada --created-by make --epoch 86400'.split(
        ' ',
      )
    const digest = (await run(['commit', ...flags, 'b', 'l:2'])).trim()
    const config = configOf('l', digest) as unknown as {
      config: object
      history: object[]
      created: string
      author: string
    }
    expect(config.config).to.deep.include({
      Env: ['A=3', 'B=two=2'],
      Entrypoint: ['/bin/sh', '-c'],
      Cmd: ['true'],
      WorkingDir: '/srv',
      User: 'ada',
      StopSignal: 'SIGUSR1',
    })
    expect(config.config).to.have.nested.property('Labels.org\\.example', 'x')
    expect(config.config).to.have.nested.property('ExposedPorts.80/tcp')
    expect(config.config).to.have.nested.property('Volumes./data')
    expect([config.created, config.author]).to.deep.equal(['1970-01-02T00:00:00Z', 'Ada'])
    expect(config.history.at(-1)).to.deep.include({
      created_by: 'make',
      author: 'Ada',
      created: '1970-01-02T00:00:00Z',
    })
    // The same again gives the same image.
    expect((await run(['commit', ...flags, 'b', 'l2:2'])).trim()).to.equal(digest)
    expect(
      (
        await run(['commit', ...flags.slice(0, -2), 'b', 'l2:2', '--force'], { env: { SOURCE_DATE_EPOCH: '86400' } })
      ).trim(),
    ).to.equal(digest)
  })

  it('commits a bare upperdir upon a parent, and the upperdir of a bundle', async function () {
    skipUnless(this, isRoot(), 'needs root, for devices')
    fs.mkdirSync(at('upper/etc'), { recursive: true })
    fs.writeFileSync(at('upper/etc/new'), 'new')
    execFileSync('mknod', [at('upper/etc/os-release'), 'c', '0', '0'])
    fs.mkdirSync(at('upper/usr'))
    execFileSync('setfattr', ['-n', 'trusted.overlay.opaque', '-v', 'y', at('upper/usr')])
    const { layer } = await committed(['--parent', hello, 'upper', 'l:2'])
    const { entries } = JSON.parse(await run(['ls', '--json', '--layer', '5', 'l:2']))
    const names = entries.map((entry: { path: string }) => entry.path)
    expect(names).to.include.members(['etc', 'etc/new', 'etc/os-release', 'usr'])
    expect(await run(['ls', 'l:2', 'usr'])).to.not.match(/usr\/local/)
    await run(['unpack', '-q', hello, 'b'])
    execFileSync('cp', ['-a', `${at('upper')}/.`, at('b/upper')])
    expect((await committed(['b/upper', 'l:3'])).layer?.diffID).to.equal(layer?.diffID)
    expect((await committed(['b', 'l:4'])).from).to.equal('upper')
    fs.writeFileSync(at('b/merged/other'), '')
    const { stderr, status } = await ovl(['commit', 'b', 'l:5'], { cwd })
    expect(stderr).to.match(/^ovl: Cannot tell what changed in "b": merged and upper hold different changes\n/)
    expect(status).to.equal(2)
  })

  it('writes a docker-archive and a Docker manifest', async () => {
    await run(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), hello, 'b'])
    fs.writeFileSync(at('b/merged/new'), 'new')
    const { layer, digest } = await committed(['--epoch', '0', 'b', 'docker-archive:d.tar:hello:2'])
    const back = JSON.parse(await run(['inspect', '--json', 'd.tar']))
    expect(back.config.digest).to.equal(digest)
    expect(back.layers.at(-1).diffID).to.equal(layer?.diffID)
    const docker = await committed(['--epoch', '0', '--format', 'docker', '--compress', 'none', 'b', 'l:2'])
    const manifest = JSON.parse(fs.readFileSync(blobPath(at('l'), docker.digest), 'utf8'))
    expect(manifest.mediaType).to.equal('application/vnd.docker.distribution.manifest.v2+json')
    expect(manifest.layers.at(-1).digest).to.equal(layer?.diffID)
    expect(manifest.config.digest).to.equal(digest)
    const zstd = await committed(['--epoch', '0', '--compress', 'zstd', 'b', 'l:3'])
    expect(zstd.layer?.diffID).to.equal(layer?.diffID)
    expect((await ovl(['verify', '-q', 'l:3'], { cwd })).status).to.equal(0)
  })

  it('is called repack as well', async () => {
    await run(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), hello, 'b'])
    expect(await run(['repack', 'b', 'a.tar'])).to.match(/^sha256:[0-9a-f]{64}\n$/)
  })

  it('umoci and skopeo read what was committed, and see the same tree', async function () {
    skipUnless(this, isRoot() && hasTool('umoci') && hasTool('skopeo'), 'no umoci, no skopeo, or not root')
    await run(['unpack', '-q', '--flat', hello, 'b'])
    makeChanges(at('b/rootfs'))
    const digest = (await run(['commit', 'b', 'l:2'])).trim()
    const inspected = JSON.parse(execFileSync('skopeo', ['inspect', `oci:${at('l')}:2`], { encoding: 'utf8' }))
    expect(inspected.Digest).to.equal(digest)
    execFileSync('umoci', ['unpack', '--image', `${at('l')}:2`, at('u')], { stdio: 'ignore' })
    // What umoci makes of the base image otherwise (implied directories, empty attributes, times) is not about the commit.
    await run(['copy', hello, 'l:1'])
    execFileSync('umoci', ['unpack', '--image', `${at('l')}:1`, at('u1')], { stdio: 'ignore' })
    await run(['unpack', '-q', '--flat', hello, 'b1'])
    const known = new Set(treeDifferences(at('b1/rootfs'), at('u1/rootfs')).map(pathOf))
    const real = treeDifferences(at('b/rootfs'), at('u/rootfs')).filter(each => !known.has(pathOf(each)))
    expect(real).to.deep.equal([])
  })
})

describe('ovl commit: what is refused', () => {
  const cases: readonly (readonly [title: string, args: readonly string[], code: string | null, text: RegExp])[] = [
    ['a directory that is no bundle', ['d', 'l:2'], null, /add --parent IMAGE/],
    ['nothing there', ['nosuch', 'l:2'], 'INPUT_NOT_FOUND', /no such directory/],
    [
      'another parent',
      ['--parent', 'other.tar', 'b', 'l:2'],
      'DIFF_ID_MISMATCH',
      /is not the image that it was unpacked from: it has other layers/,
    ],
    ['a variable without value', ['--config.env', 'A', 'b', 'l:2'], null, /Cannot set the variable "A"/],
    ['a label without value', ['--config.label', 'A', 'b', 'l:2'], null, /Cannot set the label "A"/],
    ['a port that is none', ['--config.exposedports', 'http', 'b', 'l:2'], null, /Cannot set the port "http"/],
    ['an epoch that is none', ['--epoch', 'now', 'b', 'l:2'], null, /--epoch takes seconds/],
    [
      'zstd with a Docker manifest',
      ['--format', 'docker', '--compress', 'zstd', 'b', 'l:2'],
      'UNSUPPORTED',
      /for which/,
    ],
  ]

  it('says why, and leaves nothing', async () => {
    const form = isRoot() ? [] : ['--rootless']
    await run(['unpack', '-q', ...form, hello, 'b'])
    fs.writeFileSync(at('b/merged/new'), '')
    fs.mkdirSync(at('d'))
    await run(['commit', 'b', 'other.tar'])
    const before = fs.readdirSync(cwd)
    for (const [title, args, code, text] of cases) {
      const { stderr, status } = await ovl(['commit', ...args], { cwd })
      expect([stderr.match(/\[(\w+)\]/)?.[1] ?? null, status === 0], `${title}: ${stderr}`).to.deep.equal([code, false])
      expect(stderr, title).to.match(text)
      expect(fs.readdirSync(cwd), title).to.deep.equal(before)
    }
  })

  it('says so when the image has gone, and takes it from elsewhere', async () => {
    fs.cpSync(hello, at('image.tar'))
    await run(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), 'image.tar', 'b'])
    const elsewhere = await ovl(['commit', '../b', '../l:1'], { cwd: at('b') })
    expect(elsewhere.status, elsewhere.stderr).to.equal(0)
    fs.renameSync(at('image.tar'), at('moved.tar'))
    const { stderr, status } = await ovl(['commit', 'b', 'l:2'], { cwd })
    expect(stderr).to.match(
      /its image is not at ".*\/image.tar" any more {3}\[INPUT_NOT_FOUND\]\n {2}hint: .*--parent IMAGE/,
    )
    expect(status).to.equal(3)
    await run(['commit', '--parent', 'moved.tar', 'b', 'l:2'])
  })

  it('eight at once into one layout lose nothing', async () => {
    await run(['unpack', '-q', ...(isRoot() ? [] : ['--rootless']), '--flat', hello, 'b'])
    fs.writeFileSync(at('b/rootfs/new'), '')
    const tags = Array.from({ length: 8 }, (_, i) => `t${i}`)
    await Promise.all(tags.map(tag => run(['commit', '--comment', tag, 'b', `l:${tag}`])))
    const index = JSON.parse(fs.readFileSync(at('l/index.json'), 'utf8'))
    const names = index.manifests.map(
      (each: { annotations: { [key: string]: string } }) => each.annotations['org.opencontainers.image.ref.name'],
    )
    expect(names).to.have.members(tags)
    expect(fs.readdirSync(at('l')).toSorted()).to.deep.equal(['blobs', 'index.json', 'oci-layout'])
  })
})

/** As a container with mapped ids would have made them. */
function giveNewFilesTo(root: string, uid: number): void {
  execFileSync('find', [root, '-uid', `-${uid}`, '-exec', 'chown', '-h', `${uid}:${uid}`, '{}', '+'])
}
