import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { removeTree } from '../../src/host/index.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const host = new URL('../../src/host/index.js', import.meta.url).href

describe('removeTree()', () => {
  let root: string
  let tree: string
  beforeEach(() => {
    root = fs.mkdtempSync(path.join(tmpdir(), 'ovl-remove-'))
    fs.chmodSync(root, 0o755)
    tree = path.join(root, 'tree')
    fs.mkdirSync(tree)
  })
  afterEach(() => void spawnSync('rm', ['-rf', root]))

  for (const only of ['system', 'proc'] as const) {
    describe(`by ${only === 'system' ? 'system calls' : '/proc'}`, () => {
      it('removes files, links, directories and itself, and counts them', async () => {
        fs.mkdirSync(path.join(tree, 'a/b/c'), { recursive: true })
        fs.writeFileSync(path.join(tree, 'a/b/file'), 'x')
        fs.linkSync(path.join(tree, 'a/b/file'), path.join(tree, 'a/hard'))
        fs.symlinkSync('nowhere', path.join(tree, 'dangling'))
        expect(await removeTree(tree, { only })).to.deep.equal({ removed: 7, kept: [], keptMore: 0 })
        expect(fs.readdirSync(root)).to.deep.equal([])
      })

      it('never follows a symlink', async () => {
        fs.mkdirSync(path.join(root, 'other'))
        fs.writeFileSync(path.join(root, 'other/precious'), 'x')
        fs.symlinkSync('../other', path.join(tree, 'link'))
        await removeTree(tree, { only })
        expect(fs.readdirSync(path.join(root, 'other'))).to.deep.equal(['precious'])
        fs.symlinkSync('other', path.join(root, 'top-link'))
        await removeTree(path.join(root, 'top-link'), { only })
        expect(fs.readdirSync(root)).to.deep.equal(['other'])
        expect(fs.readdirSync(path.join(root, 'other'))).to.deep.equal(['precious'])
      })

      it('removes names that are no UTF-8', async () => {
        const odd = Buffer.from('caf\xe9\xff\n', 'latin1')
        const directory = Buffer.concat([Buffer.from(`${tree}/`), odd])
        fs.mkdirSync(directory)
        fs.writeFileSync(Buffer.concat([directory, Buffer.from('/'), odd]), '')
        expect((await removeTree(tree, { only })).kept).to.deep.equal([])
        expect(fs.existsSync(tree)).to.equal(false)
      })

      it('removes paths of 6000 bytes', async () => {
        makeDeep(tree, 3000, 'd')
        expect((await removeTree(tree, { only })).kept).to.deep.equal([])
        expect(fs.existsSync(tree)).to.equal(false)
      })

      it('removes deep trees with many branches', async () => {
        for (let branch = 0; branch < 5; branch++) makeDeep(tree, 100, `branch-${branch}`)
        fs.mkdirSync(path.join(tree, '.ovl-removing-0')) // the name that a directory is moved to
        fs.writeFileSync(path.join(tree, '.ovl-removing-1'), '')
        expect((await removeTree(tree, { only })).kept).to.deep.equal([])
        expect(fs.existsSync(tree)).to.equal(false)
      })

      it('as an ordinary user removes directories without permissions', function () {
        skipUnless(this, isRoot(), 'needs root, to become another user')
        const locked = path.join(tree, 'locked/inner/deep')
        makeDeep(locked, 60, 'x')
        fs.writeFileSync(path.join(locked, 'file'), '')
        spawnSync('chown', ['-R', '65534:65534', tree])
        for (const directory of [locked, path.dirname(locked), path.join(tree, 'locked')])
          fs.chmodSync(directory, 0o000)
        spawnSync('find', [locked, '-type', 'd', '-exec', 'chmod', '0', '{}', ';'])
        fs.chownSync(root, 65534, 65534)
        expect(removeAs(65534, tree, only)).to.deep.equal({ kept: [], keptMore: 0 })
        expect(fs.existsSync(tree)).to.equal(false)
      })

      it('as an ordinary user tells what belongs to others, and removes the rest', function () {
        skipUnless(this, isRoot(), 'needs root, to become another user')
        fs.mkdirSync(path.join(tree, 'mine'))
        fs.mkdirSync(path.join(tree, 'theirs'))
        fs.writeFileSync(path.join(tree, 'theirs/file'), '')
        fs.writeFileSync(path.join(tree, 'mine/file'), '')
        for (const name of [root, tree, path.join(tree, 'mine')]) fs.chownSync(name, 65534, 65534)
        const { kept } = removeAs(65534, tree, only)
        expect(kept).to.deep.equal([{ path: path.join(tree, 'theirs/file'), reason: 'EACCES' }])
        expect(fs.readdirSync(tree)).to.deep.equal(['theirs'])
      })

      it('leaves what is mounted, bind mounts of the same file system too', async function () {
        fs.mkdirSync(path.join(root, 'other'))
        fs.writeFileSync(path.join(root, 'other/precious'), 'x')
        const bind = path.join(tree, 'dir/bind mount')
        const tmpfs = path.join(tree, 'dir/tmpfs')
        for (const directory of [bind, tmpfs, path.join(tree, 'dir/plain')])
          fs.mkdirSync(directory, { recursive: true })
        const mounted =
          spawnSync('mount', ['--bind', path.join(root, 'other'), bind]).status === 0 &&
          spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', tmpfs]).status === 0
        try {
          skipUnless(this, mounted, 'cannot mount here', { optional: true })
          makeDeep(path.join(tree, 'z'), 80, 'deep') // is still moved up and removed
          fs.writeFileSync(path.join(tmpfs, 'precious'), 'x')
          const { kept } = await removeTree(tree, { only })
          expect(kept.toSorted((a, b) => (a.path < b.path ? -1 : 1))).to.deep.equal([
            { path: bind, reason: 'mount' },
            { path: tmpfs, reason: 'mount' },
          ])
          expect(fs.readdirSync(path.join(tree, 'dir')).toSorted()).to.deep.equal(['bind mount', 'tmpfs'])
          expect(fs.readdirSync(tree)).to.deep.equal(['dir'])
          expect(fs.readdirSync(bind)).to.deep.equal(['precious'])
          expect(fs.readdirSync(tmpfs)).to.deep.equal(['precious'])
          expect((await removeTree(bind, { only })).kept).to.deep.equal([{ path: bind, reason: 'mount' }])
        } finally {
          spawnSync('umount', ['-l', bind])
          spawnSync('umount', ['-l', tmpfs])
        }
        expect((await removeTree(tree, { only })).kept).to.deep.equal([])
        expect(fs.existsSync(tree)).to.equal(false)
      })
    })
  }

  it('is content with what does not exist, and removes a single file', async () => {
    expect((await removeTree(path.join(root, 'none'))).removed).to.equal(0)
    fs.writeFileSync(path.join(root, 'file'), '')
    expect((await removeTree(path.join(root, 'file'))).removed).to.equal(1)
    expect(fs.readdirSync(root)).to.deep.equal(['tree'])
  })

  it('keeps the event loop alive and leaves no descriptor open', async () => {
    for (let i = 0; i < 20_000; i++) fs.writeFileSync(path.join(tree, `file-${i}`), '')
    const open = fs.readdirSync('/proc/self/fd').length
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const { removed } = await removeTree(tree)
    clearInterval(timer)
    expect(removed).to.equal(20_001)
    expect(ticks).to.be.greaterThan(2)
    expect(fs.readdirSync('/proc/self/fd').length).to.equal(open)
  })
})

/** A chain of directories that may be longer than a path may be: made from inside. */
function makeDeep(top: string, levels: number, name: string): void {
  const here = process.cwd()
  fs.mkdirSync(top, { recursive: true })
  try {
    process.chdir(top)
    for (let level = 0; level < levels; level++) {
      fs.mkdirSync(name)
      process.chdir(name)
    }
    fs.writeFileSync('file', '')
  } finally {
    process.chdir(here)
  }
}

/** Runs removeTree in a process of another user. */
function removeAs(uid: number, tree: string, only: string): { kept: unknown[]; keptMore: number } {
  const script = `
    const { removeTree } = await import(${JSON.stringify(host)})
    process.setgroups([]); process.setgid(${uid}); process.setuid(${uid})
    const { kept, keptMore } = await removeTree(${JSON.stringify(tree)}, { only: ${JSON.stringify(only)} })
    console.log(JSON.stringify({ kept, keptMore }))`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout) as { kept: unknown[]; keptMore: number }
}
