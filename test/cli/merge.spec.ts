// ovl merge and ovl squash as a user runs them: the merged tree is that of the kernel's mount, the squashed image that of
// its layers.

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ovl, startOvl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { blobPath, sampleImage } from '../support/sample-image.ts'
import { treeDifferences } from '../support/tree-differences.ts'

let cwd: string

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-merge-cli-'))
  fs.chmodSync(cwd, 0o777)
})

afterEach(() => fs.rmSync(cwd, { recursive: true, force: true }))

const at = (...names: readonly string[]) => path.join(cwd, ...names)
const hello = sampleImage('hello.oci.tar')

async function run(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await ovl(args, { cwd })
  expect(status, stderr).to.equal(0)
  return stdout
}

/** An upper layer with every kind of mark, and two lower ones. */
function makeLayers(): void {
  const script = `
    set -e
    mkdir -p low1/etc low1/usr/share/doc low1/opt/app low1/srv low2/etc up/etc up/usr work mnt
    echo base > low1/etc/conf; echo gone > low1/etc/gone; echo doc > low1/usr/share/doc/a
    echo app > low1/opt/app/run; ln low1/opt/app/run low1/opt/app/link; echo s > low1/srv/s
    chown 5:6 low1/etc/conf; chmod 4750 low1/opt/app/run; setfattr -n user.note -v hi low1/srv
    echo over > low2/etc/conf; ln -s conf low2/etc/sym; mkfifo low2/pipe; mknod low2/null c 1 3
    echo odd > "low2/$(printf 'a\\\\377b')"
    echo new > up/etc/new; mknod up/etc/gone c 0 0; mkdir up/usr/share
    setfattr -n trusted.overlay.opaque -v y up/usr/share; echo only > up/usr/share/only
    truncate -s 3M up/sparse; echo end >> up/sparse
    touch -d '2001-02-03 04:05:06.789' up/etc low2/etc/sym
    echo plain > up/.wh.name`
  execFileSync('sh', ['-c', script], { cwd })
}

const overlay = ['--lower', 'low2:low1', '--upper', 'up']

/** What the inputs are, down to the time of the last change. */
function stateOf(): string {
  return execFileSync('find', ['low1', 'low2', 'up', '-printf', '%p %y %m %U:%G %s %T@ %C@\\n'], {
    cwd,
    encoding: 'latin1',
  })
}

describe('ovl merge', () => {
  it('writes the tree that a mount of the directories shows, and leaves them alone', async function () {
    skipUnless(this, isRoot() && hasTool('setfattr'), 'needs root and setfattr')
    makeLayers()
    const before = stateOf()
    expect(await run('merge', ...overlay, 'out')).to.match(
      /^merged: 18 entries, 3\.0 MiB of files -> out {2}\(dir\)\n$/,
    )
    expect(stateOf()).to.equal(before)
    execFileSync('mount', ['-t', 'overlay', 'ovl-test', '-o', 'lowerdir=up:low2:low1', 'mnt'], { cwd })
    try {
      expect(treeDifferences(at('mnt'), at('out'))).to.deep.equal([])
    } finally {
      execFileSync('umount', ['-l', at('mnt')])
    }
    expect(fs.statSync(at('out/sparse')).blocks).to.be.lessThan(1000)
    expect(fs.readdirSync(cwd).toSorted()).to.deep.equal(['low1', 'low2', 'mnt', 'out', 'up', 'work'])
  })

  it('writes a tar archive that other tars read; the same bytes through a pipe', async function () {
    skipUnless(this, isRoot() && hasTool('setfattr'), 'needs root and setfattr')
    makeLayers()
    await run('merge', ...overlay, 'out')
    expect(await run('merge', ...overlay, 'out.tar')).to.match(/-> out\.tar {2}\(sha256:[0-9a-f]{64}\)\n$/)
    fs.mkdirSync(at('x'))
    execFileSync('tar', ['xpf', 'out.tar', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', 'x'], { cwd })
    expect(treeDifferences(at('out'), at('x'))).to.deep.equal([])
    const piped = spawnSync(
      'sh',
      ['-c', `'${process.execPath}' '${path.resolve('bin/ovl.js')}' merge -q ${overlay.join(' ')} - | cmp - out.tar`],
      { cwd },
    )
    expect(piped.status, piped.stderr.toString()).to.equal(0)
  })

  it('makes everything the own of an ordinary user, with one warning', async function () {
    skipUnless(this, isRoot() && hasTool('setfattr'), 'needs root, to become somebody else')
    makeLayers()
    execFileSync('chmod', ['-R', 'a+rX', 'low1', 'low2', 'up'], { cwd })
    const { stderr, status } = await ovl(['merge', '--lower', 'low2:low1', 'out'], { cwd, uid: 65534 })
    expect(status, stderr).to.equal(0)
    expect(stderr).to.match(/everything will belong to 65534:65534/)
    expect(stderr).to.match(/device "null" is left out/)
    const { uid, mode } = fs.statSync(at('out/opt/app/run'))
    expect([uid, (mode & 0o7777).toString(8)]).to.deep.equal([65534, '4755'])
    expect(fs.statSync(at('out/opt/app/link')).nlink).to.equal(2)
  })

  const refusals: readonly (readonly [title: string, args: readonly string[], code: string | null, text: RegExp])[] = [
    ['no layer', ['out'], null, /merge needs a layer/],
    ['no such layer', ['--lower', 'nosuch', 'out'], 'INPUT_NOT_FOUND', /no such directory/],
    ['a directory with something in it', ['--lower', 'low', 'full'], 'DEST_EXISTS', /not empty/],
    ['a file', ['--lower', 'low', 'file.tar'], 'DEST_EXISTS', /it exists/],
    ['inside of a layer', ['--lower', 'low', 'low/out'], null, /it lies in "low"/],
    ['a directory to standard output', ['--lower', 'low', '--format', 'dir', '-'], null, /cannot write a directory/],
  ]
  for (const [title, args, code, text] of refusals) {
    it(`refuses ${title}`, async () => {
      fs.mkdirSync(at('low'))
      fs.mkdirSync(at('full/of'), { recursive: true })
      fs.writeFileSync(at('file.tar'), '')
      const before = fs.readdirSync(cwd, { recursive: true })
      const { stderr, status } = await ovl(['merge', ...args], { cwd })
      expect([stderr.match(/\[(\w+)\]/)?.[1] ?? null, status === 0], stderr).to.deep.equal([code, false])
      expect(stderr).to.match(text)
      expect(fs.readdirSync(cwd, { recursive: true })).to.deep.equal(before)
    })
  }
})

describe('ovl squash', () => {
  it('writes an image of one layer with the same tree', async function () {
    skipUnless(this, isRoot(), 'needs root, to compare owners')
    const digest = (await run('squash', '--epoch', '2000000000', hello, 'l:1')).trim()
    await run('unpack', '-q', '--flat', hello, 'a')
    await run('unpack', '-q', '--flat', 'l:1', 'b')
    expect(treeDifferences(at('a/rootfs'), at('b/rootfs')).filter(each => !/"sec":\d{10}/.test(each))).to.deep.equal([])
    expect((await ovl(['verify', '-q', 'l:1'], { cwd })).status).to.equal(0)
    const manifest = JSON.parse(fs.readFileSync(blobPath(at('l'), digest), 'utf8'))
    const config = JSON.parse(fs.readFileSync(blobPath(at('l'), manifest.config.digest), 'utf8'))
    expect([manifest.layers.length, config.rootfs.diff_ids.length]).to.deep.equal([1, 1])
    const filled = config.history.filter((step: { empty_layer?: boolean }) => step.empty_layer !== true)
    expect([config.history.length, filled.length, filled[0].created_by]).to.deep.equal([9, 1, 'ovl squash'])
    const source = JSON.parse(await run('inspect', '--json', hello))
    expect(config.config.Entrypoint).to.deep.equal(source.config.entrypoint)
  })

  it('gives the same bytes each time, in every form', async () => {
    const digest = await run('squash', '--epoch', '0', hello, 'l:1')
    expect(await run('squash', '--epoch', '0', hello, 'a.tar')).to.equal(digest)
    const report = JSON.parse(await run('squash', '--json', '--epoch', '0', hello, 'docker-archive:d.tar:hello:1'))
    expect(report).to.deep.include({ schema: 'ovl.squash/1', transport: 'docker-archive', names: ['hello:1'] })
    expect(report.before.layers).to.equal(4)
    expect(JSON.parse(await run('inspect', '--json', 'd.tar')).layers).to.have.length(1)
    expect((await ovl(['verify', '-q', 'd.tar'], { cwd })).status).to.equal(0)
  })

  it('writes an archive to standard output, and nothing else there', async () => {
    const child = startOvl(['squash', '--epoch', '0', hello, 'oci-archive:-'], { cwd })
    const parts: Buffer[] = []
    child.stdout?.on('data', (part: Buffer) => parts.push(part))
    expect(await new Promise(resolve => child.on('close', resolve))).to.equal(0)
    await ovl(['squash', '--epoch', '0', hello, 'a.tar'], { cwd })
    expect(Buffer.concat(parts).equals(fs.readFileSync(at('a.tar')))).to.equal(true)
  })

  it('leaves out what later layers hide', async () => {
    const report = JSON.parse(await run('squash', '--json', '--compress', 'none', hello, 'l:1'))
    expect(report.layer.digest).to.equal(report.layer.diffID)
    const layers = JSON.parse(await run('layers', '--json', 'l:1'))
    expect(layers.layers).to.have.length(1)
    expect([layers.layers[0].removed, layers.layers[0].hiddenFiles]).to.deep.equal([0, 0])
  })
})
