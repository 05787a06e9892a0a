// Uppers in which owner, mode and type of a file are told by an attribute: those of fuse-overlayfs (xattr_permissions)
// and containers/storage (force_mask).

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type Tree, writeTree } from '../../src/fs/index.ts'
import { openHostFs } from '../../src/host/index.ts'
import { ovl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'

let cwd: string
const at = '1600000000'
const inside = (...names: readonly string[]) => path.join(cwd, ...names)

beforeEach(function () {
  skipUnless(this, isRoot(), 'needs root for owners and security attributes')
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-override-'))
})
afterEach(() => {
  if (cwd === undefined) return
  spawnSync('umount', ['--lazy', inside('merged')])
  fs.rmSync(cwd, { recursive: true, force: true })
})

function make(name: string, tree: Tree): void {
  fs.mkdirSync(inside(name), { recursive: true })
  const host = openHostFs(inside(name))
  writeTree(host, '/', tree)
  host.close()
}

const diff = (...args: readonly string[]) => ovl(['diff', ...args], { cwd })

async function layerOf(...args: readonly string[]): Promise<string[]> {
  await diff('--format', 'tar', '--force', '-o', 'l.tar', ...args)
  const listed = spawnSync('tar', ['tvf', 'l.tar', '--numeric-owner', '--xattrs'], { cwd }).stdout.toString()
  return listed.split('\n').map(line => line.replace(/ +\d+ \d{4}-\d\d-\d\d \d\d:\d\d /, ' ').replace(/ +/g, ' '))
}

/** Owners and modes of the files that the tests with a mount make. */
function stats(directory: string): readonly string[] {
  return ['a', 'new', 'dir'].map(file => {
    const { uid, gid, mode } = fs.statSync(path.join(directory, file))
    return `${file} ${uid}:${gid} ${mode.toString(8)}`
  })
}

describe('ovl diff of an upper that tells owners by attributes', () => {
  for (const name of [
    'user.containers.override_stat',
    'user.fuseoverlayfs.override_stat',
    'security.fuseoverlayfs.override_stat',
  ]) {
    const told = (value: string) => ({ xattrs: { [name]: value }, mode: '0700', mtime: at })
    const upper: Tree = {
      '': { type: 'dir', ...told('0:0:40755') },
      d: { type: 'dir', ...told('5:6:01777') },
      'd/suid': { content: 'x', ...told('7:-1:104755') },
      'd/tty': { content: '', ...told('0:5:0620:char-4-1') },
      'd/pipe': { content: '', ...told('1:1:0600:pipe') },
      plain: { content: 'p', mode: '0640', mtime: at },
      own: { content: 'o', mode: '0640', mtime: at, xattrs: { 'user.own': 'v', [name]: 'nonsense' } },
    }

    it(`reads ${name}, and leaves it out of the layer`, async () => {
      make('up', upper)
      expect(await layerOf('up')).to.deep.equal([
        'drwxrwxrwt 5/6 d/',
        'prw------- 1/1 d/pipe',
        '-rwsr-xr-x 7/0 d/suid',
        'crw--w---- 0/5 4,1 2020-09-13 12:26 d/tty',
        '-rw-r-----* 0/0 own',
        '-rw-r----- 0/0 plain',
        '',
      ])
      expect(fs.readFileSync(inside('l.tar'), 'latin1')).not.to.include('override_stat')
    })

    it(`compares what ${name} tells with what that of the lower layers tells`, async () => {
      make('up', { '': { type: 'dir', ...told('0:0:0755') }, f: { content: 'x', ...told('5:6:0644') } })
      make('same', { '': { type: 'dir', ...told('0:0:0755') }, f: { content: 'x', ...told('5:6:0644') } })
      make('other', { '': { type: 'dir', ...told('0:0:0755') }, f: { content: 'x', ...told('0:0:0600') } })
      expect((await diff('up', '--lower', 'same')).stdout).to.equal('')
      expect((await diff('up', '--lower', 'other')).stdout).to.equal('C /f  mode 0600 -> 0644, owner 0:0 -> 5:6\n')
      expect((await diff('same', 'other')).stdout).to.equal('C /f  mode 0644 -> 0600, owner 5:6 -> 0:0\n')
      await ovl(['merge', '--lower', 'other', '--upper', 'up', 'm'], { cwd })
      const { uid, gid, mode } = fs.statSync(inside('m/f'))
      expect([uid, gid, mode & 0o7777]).to.deep.equal([5, 6, 0o644])
    })
  }

  it('takes it for data where the root has none: anybody can give one to a file', async () => {
    make('up', {
      f: { content: 'x', mode: '0644', mtime: at, xattrs: { 'user.containers.override_stat': '0:0:04755' } },
    })
    fs.chownSync(inside('up/f'), 1000, 1000)
    fs.utimesSync(inside('up/f'), Number(at), Number(at))
    expect(await layerOf('up')).to.deep.equal(['-rw-r--r--* 1000/1000 f', ''])
    expect(fs.readFileSync(inside('l.tar'), 'latin1')).to.include('user.containers.override_stat=0:0:04755')
  })

  for (const [permissions, name] of [
    ['1', 'security.fuseoverlayfs.override_stat'],
    ['2', 'user.fuseoverlayfs.override_stat'],
  ] as const) {
    it(`shows what fuse-overlayfs shows with xattr_permissions=${permissions}`, async function () {
      skipUnless(this, hasTool('fuse-overlayfs'), 'no fuse-overlayfs')
      for (const directory of ['low', 'up', 'work', 'merged']) fs.mkdirSync(inside(directory))
      fs.writeFileSync(inside('low/a'), 'a')
      fs.writeFileSync(inside('low/gone'), 'g')
      fs.chownSync(inside('low/a'), 3, 4)
      const options = `xattr_permissions=${permissions},lowerdir=low,upperdir=up,workdir=work`
      const { status, stderr } = spawnSync('fuse-overlayfs', ['-o', options, 'merged'], { cwd })
      skipUnless(this, status === 0, `fuse-overlayfs does not mount: ${stderr.toString()}`, { optional: true })
      const merged = inside('merged')
      fs.writeFileSync(path.join(merged, 'new'), 'n')
      fs.chmodSync(path.join(merged, 'new'), 0o640)
      fs.chownSync(path.join(merged, 'new'), 5, 6)
      fs.mkdirSync(path.join(merged, 'dir'))
      fs.chownSync(path.join(merged, 'dir'), 7, 8)
      fs.chownSync(path.join(merged, 'a'), 9, 9)
      fs.rmSync(path.join(merged, 'gone'))
      const want = stats(merged)
      expect(spawnSync('umount', ['merged'], { cwd }).status).to.equal(0)
      expect(fs.statSync(inside('up/new')).uid, 'the attribute alone tells').to.equal(0)
      expect(spawnSync('getfattr', ['-n', name, 'up'], { cwd }).status).to.equal(0)
      const { stdout } = await diff('up', '--lower', 'low')
      expect(stdout).to.equal('C /a     owner 3:4 -> 9:9\nA /dir\nD /gone  whiteout\nA /new\n')
      await diff('--format', 'tar', '-o', 'l.tar', 'up', '--lower', 'low')
      fs.mkdirSync(inside('out'))
      spawnSync('tar', ['xpf', '../l.tar', '--numeric-owner'], { cwd: inside('out') })
      expect(stats(inside('out'))).to.deep.equal(want)
    })
  }
})
