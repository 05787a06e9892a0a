// ovl diff as a user runs it: an upperdir, bundles, images, a layer to a file or a pipe.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type Tree, writeTree } from '../../src/fs/index.ts'
import { openHostFs } from '../../src/host/index.ts'
import { ovl, ovlPath } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'

let cwd: string
const image = sampleImage('hello.oci.tar')
const at = '1600000000'

before(function () {
  skipUnless(this, isRoot(), 'needs root for whiteouts and owners')
})

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-diff-cli-'))
})

afterEach(() => {
  spawnSync('umount', ['--lazy', path.join(cwd, 'b/merged')])
  fs.rmSync(cwd, { recursive: true, force: true })
})

const diff = (...args: readonly string[]) => ovl(['diff', ...args], { cwd })
const unpack = (...args: readonly string[]) => ovl(['unpack', ...args], { cwd })

/** Writes a tree into a directory below cwd. */
function make(name: string, tree: Tree): void {
  const directory = path.join(cwd, name)
  fs.mkdirSync(directory, { recursive: true })
  const host = openHostFs(directory)
  writeTree(host, '/', tree)
  host.close()
}

function makeLayers(): void {
  make('low1', {
    'etc/base.conf': { content: 'base', mtime: at },
    'etc/gone.conf': 'x',
    etc: { type: 'dir', mtime: at },
    'opt/app/x': { content: 'x', mtime: at },
  })
  make('low2', {
    'srv/a': 'a',
    'srv/b': 'b',
    'srv/c': 'c',
    'usr/bin/big': { content: 'data', mtime: at, mode: '0755' },
    'etc/same': { content: 's', mtime: at },
  })
  make('up', {
    'etc/base.conf': { content: 'based!', mtime: at },
    'etc/gone.conf': { type: 'whiteout' },
    'etc/same': { content: 's', mtime: at, xattrs: { 'trusted.overlay.origin': '' } },
    'opt/app': { type: 'whiteout' },
    'opt/app2': { type: 'dir', xattrs: { 'trusted.overlay.redirect': 'app' } },
    srv: { type: 'dir', opaque: true },
    'usr/bin/big': { size: 4, mtime: at, mode: '0700', xattrs: { 'trusted.overlay.metacopy': '' } },
    'var/new': { content: 'new', mtime: at },
  })
}

describe('ovl diff of an upperdir', () => {
  it('compares it with its lower layers', async () => {
    makeLayers()
    const { stdout, stderr, status } = await diff('up', '--lower', 'low2:low1')
    expect([stderr, status]).to.deep.equal(['', 0])
    expect(stdout.split('\n')).to.deep.equal([
      'C /etc',
      'C /etc/base.conf          content +2 bytes',
      'D /etc/gone.conf          whiteout',
      'C /opt',
      'R /opt/app  -> /opt/app2  redirect, time',
      'C /srv                    opaque: 3 lower entries hidden',
      'C /usr',
      'C /usr/bin',
      'C /usr/bin/big            mode 0755 -> 0700 (metadata only, metacopy)',
      'A /var',
      'A /var/new',
      '',
    ])
  })

  it('takes --lower twice as well, and leaves parents out when asked', async () => {
    makeLayers()
    const { stdout } = await diff('--lower', 'low2', '--lower', 'low1', '--no-parents', 'up')
    expect(stdout)
      .to.include('C /etc/base.conf')
      .and.not.match(/^C \/etc$/m)
  })

  it('does what it can without them, and says so', async () => {
    makeLayers()
    const { stdout, stderr } = await diff('up')
    expect(stdout)
      .to.include('A /etc/base.conf\n')
      .and.include('C /etc/same\n')
      .and.include('A /srv                    opaque\n')
    expect(stderr).to.match(/^note: what carries no overlay\.origin is shown as added; --lower DIR tells/)
  })

  it('prints JSON Lines', async () => {
    makeLayers()
    const lines = (await diff('--json', 'up', '--lower', 'low2:low1')).stdout.trimEnd().split('\n')
    const [head, ...changes] = lines.map(line => JSON.parse(line) as Record<string, unknown>)
    expect(head).to.include({ schema: 'ovl.diff/1', compared: true, marks: 'overlay' })
    expect(head?.['stat']).to.deep.equal({
      added: 2,
      changed: 7,
      deleted: 1,
      renamed: 1,
      addedBytes: 3,
      changedBytes: 2,
    })
    const byPath = new Map(changes.map(change => [change['path'], change]))
    expect(byPath.get('/srv')).to.deep.include({ kind: 'changed', type: 'dir', opaque: true, hides: ['a', 'b', 'c'] })
    expect(byPath.get('/etc/base.conf')).to.deep.equal({
      path: '/etc/base.conf',
      kind: 'changed',
      type: 'file',
      sizeBytes: 6,
      content: { before: 4, after: 6 },
    })
    expect(byPath.get('/opt/app2')).to.include({ kind: 'renamed', from: '/opt/app' })
    expect(byPath.get('/usr/bin/big')).to.deep.include({ metacopy: true, mode: { before: '0755', after: '0700' } })
  })

  it('writes names that are no UTF-8 as base64 in JSON, and escaped in text', async () => {
    make('up', { 'a\udcff': { content: '' }, 'b\u001b': '' })
    expect((await diff('up')).stdout).to.equal('A /a\\xff\nA /b\\x1b\n')
    expect((await diff('--json', 'up')).stdout).to.include(
      `"path":{"base64":"${Buffer.from('/a\xff', 'latin1').toString('base64')}"}`,
    )
  })

  it('counts with --format stat', async () => {
    makeLayers()
    const { stdout } = await diff('--format', 'stat', 'up', '--lower', 'low2:low1')
    expect(stdout).to.equal('added          2  3 B\nchanged        7  +2 B\ndeleted        1\nrenamed        1\n')
  })

  it('answers with --exit-code', async () => {
    make('lower', { a: { content: 'x', mtime: at } })
    make('same', { a: { content: 'x', mtime: at } })
    make('other', { a: { content: 'y', mtime: at } })
    expect((await diff('--exit-code', 'same', '--lower', 'lower')).status).to.equal(0)
    expect((await diff('--exit-code', 'other', '--lower', 'lower')).status).to.equal(1)
    expect((await diff('other', '--lower', 'lower')).status).to.equal(0)
  })

  it('understands userxattr, by itself where the root tells', async () => {
    make('up', {
      '': { type: 'dir', xattrs: { 'user.overlay.uuid': 'x' } },
      d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } },
    })
    make('up2', { d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } } })
    expect((await diff('up')).stdout).to.equal('A /d  opaque\n')
    expect((await diff('up2')).stdout).to.equal('A /d\n')
    expect((await diff('--userxattr', 'up2')).stdout).to.equal('A /d  opaque\n')
  })

  it('takes marks as --marks says', async () => {
    make('up', { '.wh.a': '' })
    expect((await diff('up')).stdout).to.equal('A /.wh.a\n')
    expect((await diff('--marks', 'aufs', 'up')).stdout).to.equal('D /a  whiteout (.wh.)\n')
  })

  it('colours by meaning', async () => {
    make('up', { a: '', b: { type: 'whiteout' } })
    const { stdout } = await diff('--color', 'always', 'up')
    expect(stdout).to.include('\u001b[32mA\u001b[39m /a').and.include('\u001b[31mD\u001b[39m /b')
  })

  for (const [what, args, code, status] of [
    ['a directory that is not there', ['nothing'], 'INPUT_NOT_FOUND', 3],
    ['a lower directory that is not there', ['up', '--lower', 'nothing'], 'INPUT_NOT_FOUND', 3],
    ['a bad --lower', ['up', '--lower', ':a'], 'OVL_BAD_LOWERDIR', 2],
    ['--layer of an upperdir', ['up', '--layer', '1'], 'USAGE', 2],
    ['--lower with two trees', ['up', 'up', '--lower', 'up'], 'USAGE', 2],
    ['--compress without a layer', ['up', '--compress', 'gzip'], 'USAGE', 2],
    ['--sparse without a layer', ['up', '--sparse'], 'USAGE', 2],
    ['--save of an upperdir', ['up', '--save'], 'USAGE', 2],
    ['an image alone', [image], 'USAGE', 2],
    ['--lower with an image', [image, '--lower', 'up'], 'USAGE', 2],
    ['a layer that is not there', [image, '--layer', '9'], 'LAYER_NOT_FOUND', 3],
  ] as const) {
    it(`refuses ${what}`, async () => {
      make('up', {})
      const result = await diff(...args)
      if (code !== 'USAGE') expect(result.stderr).to.include(`[${code}]`)
      expect(result.status).to.equal(status)
    })
  }
})

describe('ovl diff --format tar', () => {
  it('writes a layer, prints its diff ID and what it holds', async () => {
    makeLayers()
    const { stdout, status } = await diff('--format', 'tar', '-o', 'l.tar', 'up', '--lower', 'low2:low1')
    expect(status).to.equal(0)
    const sum = spawnSync('sha256sum', ['l.tar'], { cwd }).stdout.toString().slice(0, 64)
    expect(stdout).to.match(new RegExp(`^sha256:${sum} {2}l\\.tar {2}[\\d.]+ KiB {2}14 entries\\n$`))
    const list = spawnSync('tar', ['tf', 'l.tar'], { cwd }).stdout.toString().split('\n')
    expect(list).to.include.members(['etc/.wh.gone.conf', 'opt/.wh.app', 'opt/app2/x', 'srv/.wh..wh..opq'])
    expect(fs.readdirSync(cwd).toSorted()).to.deep.equal(['l.tar', 'low1', 'low2', 'up'])
  })

  it('gives the same bytes again, whatever the order of the directory, and clamps times', async () => {
    make('up', { b: { content: 'b', mtime: at }, a: { content: 'a', mtime: '1600000000.5' } })
    make('up2', { a: { content: 'a', mtime: '1600000000.5' }, b: { content: 'b', mtime: at } })
    const epoch = { SOURCE_DATE_EPOCH: '1500000000' }
    const first = await ovl(['diff', '--format', 'tar', '-o', '1.tar', 'up'], { cwd })
    const second = await ovl(['diff', '--format', 'tar', '-o', '2.tar', 'up2'], { cwd })
    expect(second.stdout.slice(0, 71)).to.equal(first.stdout.slice(0, 71))
    await ovl(['diff', '--format', 'tar', '-o', '3.tar', 'up'], { cwd, env: epoch })
    const times = spawnSync('tar', ['tvf', '3.tar', '--full-time', '--utc'], { cwd }).stdout.toString()
    expect(times.match(/2017-07-14 02:40:00/g)).to.have.length(2)
    expect((await ovl(['diff', '--format', 'tar', 'up'], { cwd, env: { SOURCE_DATE_EPOCH: 'x' } })).status).to.equal(2)
  })

  for (const compression of ['gzip', 'zstd']) {
    it(`compresses with ${compression}, and prints the diff ID of the uncompressed layer`, async function () {
      skipUnless(this, hasTool(compression), `no ${compression}`)
      make('up', { big: { content: 'x'.repeat(100_000) } })
      const plain = await diff('--format', 'tar', '-o', 'plain', 'up')
      const packed = await diff('--format', 'tar', '-o', 'packed', '--compress', compression, 'up')
      expect(packed.stdout.slice(0, 71)).to.equal(plain.stdout.slice(0, 71))
      const unpacked = spawnSync(compression, ['-dc'], { input: fs.readFileSync(path.join(cwd, 'packed')) }).stdout
      expect(unpacked.equals(fs.readFileSync(path.join(cwd, 'plain')))).to.equal(true)
    })
  }

  it('leaves out holes when asked to: --sparse', async () => {
    make('up', { holes: { content: 'x', mtime: at } })
    fs.truncateSync(path.join(cwd, 'up/holes'), 3_000_000)
    fs.utimesSync(path.join(cwd, 'up/holes'), Number(at), Number(at))
    await diff('--format', 'tar', '-o', 'data.tar', 'up')
    await diff('--format', 'tar', '-o', 'holes.tar', '-S', 'up')
    await diff('--format', 'tar', '-o', 'packed.tar.gz', '--compress', 'gzip', '--sparse', 'up')
    expect(fs.statSync(path.join(cwd, 'data.tar')).size).to.equal(512 + 3_000_320 + 1024)
    expect(fs.statSync(path.join(cwd, 'holes.tar')).size).to.equal(3 * 512 + 512 + 4096 + 1024)
    for (const archive of ['holes.tar', 'packed.tar.gz']) {
      fs.mkdirSync(path.join(cwd, 'out'))
      expect(spawnSync('tar', ['xf', `../${archive}`], { cwd: path.join(cwd, 'out') }).status).to.equal(0)
      expect((await diff('--exit-code', 'up', 'out')).stdout).to.equal('')
      expect(fs.statSync(path.join(cwd, 'out/holes')).blocks * 512).to.be.below(100_000)
      fs.rmSync(path.join(cwd, 'out'), { recursive: true })
    }
  })

  it('writes to a pipe, with nothing else on it', () => {
    make('up', { a: 'content' })
    const command = `"${process.execPath}" "${ovlPath}" diff --format tar up | tar tf -`
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { cwd })
    expect(stdout.toString()).to.equal('a\n')
    expect(stderr.toString()).to.match(/sha256:[\da-f]{64}/)
  })

  it('refuses a terminal', function () {
    skipUnless(this, hasTool('script'), 'no script(1)')
    make('up', { a: 'content' })
    const command = `"${process.execPath}" "${ovlPath}" diff --format tar up`
    const { stdout, status } = spawnSync('script', ['-qec', command, '/dev/null'], { cwd })
    expect(stdout.toString()).to.include('refusing to write a tar archive to the terminal')
    expect(status).to.equal(2)
  })

  it('replaces a file only when told to', async () => {
    make('up', { a: 'content' })
    fs.writeFileSync(path.join(cwd, 'l.tar'), 'mine')
    const refused = await diff('--format', 'tar', '-o', 'l.tar', 'up')
    expect(refused.stderr).to.include('[DEST_EXISTS]')
    expect(refused.status).to.equal(6)
    expect(fs.readFileSync(path.join(cwd, 'l.tar'), 'utf8')).to.equal('mine')
    expect((await diff('--format', 'tar', '-o', 'l.tar', '--force', 'up')).status).to.equal(0)
  })

  it('leaves nothing behind when something cannot be written', async () => {
    make('up', { e: { type: 'dir', xattrs: { 'trusted.overlay.redirect': 'd' } }, '.wh.x': '' })
    const renamed = await diff('--format', 'tar', '-o', 'l.tar', 'up')
    expect(renamed.stderr).to.include('[RESERVED_NAME]')
    expect(fs.readdirSync(cwd)).to.deep.equal(['up'])
  })
})

describe('ovl diff of bundles', () => {
  it('compares the merged copy with the layers, and saves the difference', async () => {
    await unpack(image, 'b')
    expect((await diff('--exit-code', 'b')).stdout).to.equal('')
    const merged = path.join(cwd, 'b/merged')
    fs.writeFileSync(path.join(merged, 'new'), 'new')
    const [gone = ''] = fs.readdirSync(path.join(merged, 'etc'))
    fs.rmSync(path.join(merged, 'etc', gone), { recursive: true })
    const want = `C /etc\nD /etc/${gone}\nA /new\n`
    expect((await diff('b')).stdout).to.equal(want)
    expect((await diff('--save', 'b')).status).to.equal(0)
    const saved = (await diff('b/upper')).stdout
    expect(saved.replace(/ +whiteout/, '')).to.equal(want)
    expect(fs.readdirSync(path.join(cwd, 'b')).filter(name => name.includes('tmp'))).to.deep.equal([])
    expect((await diff(image, 'b')).stdout).to.equal(want)
  })

  it('reads upper when the bundle is mounted', async function () {
    await unpack(image, 'b')
    const { status, stderr } = await ovl(['mount', 'b'], { cwd })
    skipUnless(this, status === 0, `no overlay mounts: ${stderr}`)
    fs.writeFileSync(path.join(cwd, 'b/merged/new'), 'new')
    fs.rmSync(path.join(cwd, 'b/merged/etc'), { recursive: true })
    expect((await diff('b')).stdout).to.equal('D /etc  whiteout\nA /new\n')
    expect((await diff(image, 'b')).stdout).to.equal('D /etc\nA /new\n')
  })

  it('compares a flat bundle with the image it is from, from any directory; --parent names one that was moved', async () => {
    fs.copyFileSync(image, path.join(cwd, 'image.tar'))
    await unpack('--flat', 'image.tar', 'b')
    expect((await diff('--exit-code', 'b')).status).to.equal(0)
    fs.writeFileSync(path.join(cwd, 'b/rootfs/new'), 'new')
    expect((await ovl(['diff', '../b'], { cwd: path.join(cwd, 'b') })).stdout).to.equal('A /new\n')
    expect((await diff(image, 'b')).stdout).to.equal('A /new\n')
    fs.renameSync(path.join(cwd, 'image.tar'), path.join(cwd, 'moved.tar'))
    const refused = await diff('b')
    expect(refused.stderr).to.match(/^ovl: Cannot compare "b": its image is not at "\/.*\/image\.tar" any more/)
    expect(refused.stderr).to.include('[INPUT_NOT_FOUND]').and.include('--parent IMAGE')
    expect((await diff('--parent', 'moved.tar', 'b')).stdout).to.equal('A /new\n')
    expect((await diff('--parent', sampleImage('hello.docker.tar'), 'b')).stdout).to.equal('A /new\n')
    await ovl(['copy', 'moved.tar', 'l:1'], { cwd })
    await ovl(['squash', 'moved.tar', 'l:other'], { cwd })
    expect((await diff('--parent', 'l:1', 'b')).stdout).to.equal('A /new\n')
    expect((await diff('--parent', 'l:other', 'b')).stderr).to.include('[DIFF_ID_MISMATCH]')
  })

  for (const form of [[], ['--native']]) {
    it(`sees what a mount has written, after it is gone: ${form[0] ?? 'emulated'}`, async function () {
      const { status, stderr } = await unpack(...form, image, 'b')
      skipUnless(this, status === 0, `no overlay mounts: ${stderr}`)
      if (form.length === 0) await ovl(['mount', 'b'], { cwd })
      fs.writeFileSync(path.join(cwd, 'b/merged/new'), 'new')
      fs.rmSync(path.join(cwd, 'b/merged/etc'), { recursive: true })
      expect((await ovl(['umount', 'b'], { cwd })).status).to.equal(0)
      expect((await diff('b')).stdout).to.equal('D /etc  whiteout\nA /new\n')
      expect((await diff(image, 'b')).stdout).to.equal('D /etc\nA /new\n')
      expect((await diff('--save', 'b')).status).to.equal(form.length === 0 ? 0 : 2)
      expect((await ovl(['commit', '-q', 'b', 'l:2'], { cwd })).status).to.equal(0)
      expect((await diff(image, 'l:2')).stdout).to.equal('D /etc\nA /new\n')
    })
  }

  it('knows which is newer, what was saved or what was changed since', async function () {
    await unpack(image, 'b')
    const [merged, upper] = [path.join(cwd, 'b/merged'), path.join(cwd, 'b/upper')]
    fs.writeFileSync(path.join(merged, 'one'), '1')
    await diff('--save', 'b')
    expect((await diff('b')).stdout).to.equal('A /one\n')
    fs.writeFileSync(path.join(merged, 'two'), '2')
    expect((await diff('b')).stdout, 'the copy was changed').to.equal('A /one\nA /two\n')
    fs.rmSync(path.join(merged, 'one'))
    fs.rmSync(path.join(merged, 'two'))
    expect((await diff('b')).stdout, 'the copy is as it was').to.equal('')
    await diff('--save', 'b')
    expect(fs.readdirSync(upper)).to.deep.equal([])
    fs.writeFileSync(path.join(merged, 'one'), '1')
    await diff('--save', 'b')
    const mounted = await ovl(['mount', 'b'], { cwd })
    skipUnless(this, mounted.status === 0, `no overlay mounts: ${mounted.stderr}`)
    fs.writeFileSync(path.join(merged, 'one'), '3')
    await ovl(['umount', 'b'], { cwd })
    expect(fs.readFileSync(path.join(merged, 'one'), 'utf8')).to.equal('1')
    expect((await diff('b')).stdout, 'a mount has changed it').to.equal('A /one\n')
    await ovl(['commit', '-q', 'b', 'l:2'], { cwd })
    expect((await ovl(['cat', 'l:2', '/one'], { cwd })).stdout).to.equal('3')
    await diff('--save', 'b')
    expect(fs.readFileSync(path.join(upper, 'one'), 'utf8'), 'what a mount wrote stays').to.equal('3')
    fs.writeFileSync(path.join(merged, 'one'), '4')
    const refused = await diff('b')
    expect(refused.stderr).to.match(/merged and upper hold different changes\n {2}hint: .*"b\/upper".*--save --force/)
    expect((await diff('--save', 'b')).status).to.equal(2)
    expect((await diff('b/upper')).stdout).to.equal('A /one\n')
    expect((await diff('--save', '--force', 'b')).status).to.equal(0)
    expect(fs.readFileSync(path.join(upper, 'one'), 'utf8')).to.equal('4')
    expect((await diff('b')).stdout).to.equal('A /one\n')
    expect(fs.readdirSync(path.join(cwd, 'b')).filter(name => name.includes('tmp'))).to.deep.equal([])
  })

  it('says which directory of a bundle is missing; --save makes upper again', async () => {
    await unpack(image, 'b')
    fs.rmSync(path.join(cwd, 'b/upper'), { recursive: true })
    fs.writeFileSync(path.join(cwd, 'b/merged/new'), 'new')
    expect((await diff('--save', 'b')).stdout).to.equal('A /new\n')
    expect(fs.readdirSync(path.join(cwd, 'b/upper'))).to.deep.equal(['new'])
    fs.rmSync(path.join(cwd, 'b/merged'), { recursive: true })
    expect((await diff('b')).stderr).to.equal('ovl: Cannot read "b/merged": no such directory   [INPUT_NOT_FOUND]\n')
  })

  it('says what a layer changes, of an image and of a bundle alike', async () => {
    await unpack(image, 'b')
    const layers = await Promise.all([1, 2, 3, 4].map(n => diff('--layer', `${n}`, image)))
    const ofBundle = await Promise.all([1, 2, 3, 4].map(n => diff('--layer', `${n}`, 'b')))
    expect(ofBundle.map(({ stdout }) => stdout)).to.deep.equal(layers.map(({ stdout }) => stdout))
    expect(layers[0]?.stdout).to.match(/^A \//)
    expect(layers.map(({ stderr }) => stderr).join('')).to.equal('')
  })
})

describe('ovl diff of two trees', () => {
  it('compares directories, and writes what makes the first into the second', async () => {
    make('a', { 'd/x': { content: 'x', mtime: at }, gone: 'g', t: 'file' })
    make('b', { 'd/x': { content: 'xy', mtime: at }, 't/f': 'f' })
    const { stdout } = await diff('a', 'b')
    expect(stdout.split('\n')).to.deep.equal([
      'C /d',
      'C /d/x  content +1 byte',
      'D /gone',
      'C /t    was a file',
      'A /t/f',
      '',
    ])
    await diff('--format', 'tar', '-o', 'l.tar', 'a', 'b')
    expect(spawnSync('tar', ['tf', 'l.tar'], { cwd }).stdout.toString()).to.equal('d/\nd/x\n.wh.gone\nt/\nt/f\n')
  })

  it('finds no difference between two forms of one image', async () => {
    const result = await diff('--exit-code', image, sampleImage('hello.oci'))
    expect([result.stdout, result.status]).to.deep.equal(['', 0])
  })
})
