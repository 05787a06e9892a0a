// ovl unpack without --flat as a user runs it: layers, merged tree, mount.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ovl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'

let cwd: string
const image = sampleImage('hello.oci.tar')

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-unpack-cli-'))
})

afterEach(() => {
  spawnSync('umount', ['--lazy', path.join(cwd, 'b/merged')])
  fs.rmSync(cwd, { recursive: true, force: true })
})

const mode = isRoot() ? [] : ['--rootless']
const unpack = (...args: readonly string[]) => ovl(['unpack', ...mode, ...args], { cwd })
const isMounted = (): boolean => fs.readFileSync('/proc/self/mounts', 'utf8').includes(` ${cwd}/b/merged `)

describe('ovl unpack to layers', () => {
  it('writes lower, upper, work and merged, and says what is in merged', async () => {
    const { stdout, stderr, status } = await unpack(image, 'b', '--progress', 'plain')
    expect(status).to.equal(0)
    expect(stdout).to.match(
      /^bundle ready: b {2}\(merged: 55 entries, \d\.\d KiB; config\.json for linux\/amd64\) {3}\d/,
    )
    const steps = stderr.split('\n').filter(line => /^ {2}\d\/4/.test(line))
    expect(steps.map(line => line.slice(2, 5))).to.deep.equal(['1/4', '2/4', '3/4', '4/4'])
    expect(fs.readdirSync(path.join(cwd, 'b')).toSorted()).to.deep.equal([
      'config.json',
      'lower',
      'merged',
      'ovl.json',
      'upper',
      'work',
    ])
    expect(fs.readdirSync(path.join(cwd, 'b/lower')).toSorted()).to.deep.equal(['1', '2', '3', '4'])
  })

  it('prints JSON', async () => {
    const json = JSON.parse((await unpack('--json', image, 'b')).stdout)
    expect(json).to.include({ schema: 'ovl.unpack/1', bundle: 'b', mode: 'emulated', config: true })
    expect(json.merged).to.include({ entries: 55 }).and.to.have.property('bytes')
    expect(json.layers[2]).to.include({ number: 3, entries: 11, whiteouts: 2, opaques: 1 })
  })

  it('plans with --dry-run what it writes, and names implied directories', async () => {
    const { stdout } = await unpack('-n', image, 'b')
    expect(stdout).to.match(
      /^would write b: lower\/1 \(37 entries\) lower\/2 \(14 entries\) lower\/3 \(11 entries: 2 whiteouts, 1 opaque directory\) lower\/4 \(1 entry\) upper\/ work\/ merged\/ \(\d+ files, .*\) config\.json ovl\.json; needs \S+ KiB, \S+ [KMGT]iB free$/m,
    )
    expect(stdout).to.contain(
      'note: layer 4 has no entry for usr/, usr/share/, usr/share/doc/: they get mode and owner from the layer below\n',
    )
    expect(fs.readdirSync(cwd)).to.deep.equal([])
    const plan = JSON.parse((await unpack('-n', '--json', image, 'b')).stdout)
    expect(plan).to.include({ mode: 'emulated', config: true })
    expect(plan.layers[1].implied).to.deep.equal(['usr'])
    const native = JSON.parse((await unpack('-n', '--json', '--native', image, 'b')).stdout)
    expect(native.neededBytes).to.be.lessThan(plan.neededBytes)
  })

  it('replaces a bundle of any form with --force', async () => {
    await unpack('-q', '--flat', image, 'b')
    expect((await unpack('-q', '--force', image, 'b')).status).to.equal(0)
    expect(fs.existsSync(path.join(cwd, 'b/rootfs'))).to.equal(false)
    expect((await unpack('-q', '--force', '--flat', image, 'b')).status).to.equal(0)
    expect(fs.readdirSync(cwd)).to.deep.equal(['b'])
  })

  it('writes user attributes with --userxattr', async () => {
    await unpack('-q', '--userxattr', image, 'b')
    const state = JSON.parse(fs.readFileSync(path.join(cwd, 'b/ovl.json'), 'utf8'))
    expect(state.overlay).to.deep.equal({ xattrs: 'user', whiteouts: state.overlay.whiteouts, lowers: [1, 2, 3, 4] })
  })

  for (const other of ['--native', '--userxattr'])
    it(`refuses --flat with ${other}, exit 2`, async () => {
      const { stderr, status } = await unpack('-q', '--flat', other, image, 'b')
      expect(stderr).to.match(new RegExp(`^ovl: unpack takes either --flat or ${other}`))
      expect(status).to.equal(2)
      expect(fs.readdirSync(cwd)).to.deep.equal([])
    })

  describe('--native', () => {
    it('mounts the layers; upper gets what changes, and nothing is mounted after ovl umount', async function () {
      skipUnless(this, isRoot(), 'mounting needs root', { optional: true })
      const { stdout, stderr, status } = await unpack('--native', image, 'b')
      skipUnless(this, !stderr.includes('[OVL_') && !stderr.includes('[NEEDS_PRIVILEGE]'), stderr, { optional: true })
      expect(status, stderr).to.equal(0)
      expect(stdout).to.match(/^bundle ready: b {2}\(mounted: 4 layers, /)
      expect(isMounted()).to.equal(true)
      fs.rmSync(path.join(cwd, 'b/merged/etc/motd'))
      expect(fs.statSync(path.join(cwd, 'b/upper/etc/motd')).isCharacterDevice()).to.equal(true)
      const again = await unpack('-q', '--native', '--force', image, 'b')
      expect(again.stderr).to.match(/ is mounted {3}\[DEST_EXISTS\]\n {2}hint: ovl umount b\n/)
      expect(isMounted()).to.equal(true)
      expect((await ovl(['umount', '-q', 'b'], { cwd })).status).to.equal(0)
      expect(isMounted()).to.equal(false)
      expect((await unpack('-q', '--force', image, 'b')).status).to.equal(0)
    })

    it('runs with runc, and upper holds exactly the change', async function () {
      skipUnless(this, isRoot() && hasTool('runc'), 'runc needs root', { optional: true })
      const { status } = await unpack('-q', '--native', image, 'b')
      skipUnless(this, status === 0, 'overlays cannot be mounted here', { optional: true })
      const name = `ovl-native-${process.pid}`
      const run = spawnSync('runc', ['run', '-b', 'b', name], { cwd, encoding: 'utf8' })
      skipUnless(this, !/cgroup|operation not permitted/i.test(run.stderr), run.stderr, { optional: true })
      expect(run.stdout).to.match(/^Hello, world!/)
      expect((await ovl(['umount', '-q', 'b'], { cwd })).status).to.equal(0)
    })

    it('is refused to who may not mount, before anything is written', async function () {
      skipUnless(this, !isRoot(), 'root may mount', { optional: true })
      const { stderr, status } = await unpack('-q', '--native', image, 'b')
      expect(stderr).to.contain('[NEEDS_PRIVILEGE]')
      expect(status).to.not.equal(0)
      expect(fs.readdirSync(cwd)).to.deep.equal([])
    })
  })
})
