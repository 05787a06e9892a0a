// What others do in the directory of a HostFs: it is seen, and an object that is not in its place any more is never
// taken for another.

import { expect } from 'chai'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Inode, SuperBlock } from '../../../src/fs/index.ts'
import { type HostFs, loadSystem, openHostFs } from '../../../src/host/index.ts'
import { skipUnless } from '../../support/probe.ts'

describe('HostFs and changes by others', () => {
  let directory: string
  let host: HostFs
  let superBlock: SuperBlock
  const at = (...names: readonly string[]): string => path.join(directory, ...names)

  beforeEach(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-behind-'))
    for (const name of ['a', 'b']) fs.writeFileSync(at(name), name, { mode: 0o644 })
    fs.mkdirSync(at('d', 'e'), { recursive: true })
    host = openHostFs(directory)
    superBlock = host.superBlock
  })
  afterEach(() => {
    host?.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  /** The object of a path, held while others change things. */
  function hold(...names: readonly string[]): Inode {
    return names.reduce((dir, name) => superBlock.lookup(dir, name) as Inode, superBlock.root)
  }

  it('sees names come and go', () => {
    expect(() => host.lstat('/new')).to.throw('ENOENT')
    fs.writeFileSync(at('new'), 'x')
    expect(host.lstat('/new').sizeBytes).to.equal(1)
    fs.unlinkSync(at('new'))
    fs.mkdirSync(at('new'))
    expect(host.readdir('/new')).to.deep.equal([])
    fs.rmdirSync(at('new'))
    expect(() => host.readdir('/new')).to.throw('ENOENT')
  })

  it('goes on in a directory that another has taken the place of', () => {
    host.writeFile('/d/e/f', 'old')
    fs.renameSync(at('d'), at('moved'))
    fs.mkdirSync(at('d', 'e'), { recursive: true })
    host.writeFile('/d/e/f', 'new')
    expect(fs.readFileSync(at('moved', 'e', 'f'), 'utf8')).to.equal('old')
    expect(fs.readFileSync(at('d', 'e', 'f'), 'utf8')).to.equal('new')
  })

  const changes: readonly [string, (inode: Inode) => void][] = [
    ['chmod', inode => superBlock.change(inode, { mode: 0o600 })],
    ['utimens', inode => superBlock.change(inode, { mtimeNs: 0n })],
    ['truncate', inode => superBlock.change(inode, { sizeBytes: 0 })],
    ['setxattr', inode => superBlock.setXattr(inode, 'user.a', new Uint8Array(1), 0)],
    ['open', inode => superBlock.openFile(inode, 0)],
    ['stat', inode => superBlock.stat(inode)],
    ['link', inode => superBlock.link(inode, superBlock.root, 'c')],
    ['unlink', inode => superBlock.unlink(superBlock.root, 'a', inode)],
    [
      'rename',
      inode =>
        superBlock.rename(
          { dir: superBlock.root, name: 'a', inode },
          { dir: superBlock.root, name: 'c', inode: null },
          0,
        ),
    ],
    [
      'rename onto it',
      inode =>
        superBlock.rename(
          { dir: superBlock.root, name: 'd', inode: hold('d') },
          { dir: superBlock.root, name: 'a', inode },
          2,
        ),
    ],
  ]
  for (const [name, change] of changes) {
    it(`${name}: ESTALE for an object that was replaced, which stays as it is`, () => {
      const inode = hold('a')
      fs.renameSync(at('b'), at('a'))
      const before = fs.lstatSync(at('a'))
      expect(() => change(inode)).to.throw('ESTALE')
      const after = fs.lstatSync(at('a'))
      expect(after.ctimeMs).to.equal(before.ctimeMs)
      expect(fs.readdirSync(directory).toSorted()).to.deep.equal(['a', 'd'])
    })

    it(`${name}: ENOENT for an object that is gone`, () => {
      const inode = hold('a')
      fs.unlinkSync(at('a'))
      expect(() => change(inode)).to.throw('ENOENT')
      expect(fs.readdirSync(directory).toSorted()).to.deep.equal(['b', 'd'])
    })
  }

  it('replaces nothing that has come to a name that was free', () => {
    const inode = hold('a')
    fs.writeFileSync(at('c'), 'precious')
    const to = { dir: superBlock.root, name: 'c', inode: null }
    expect(() => superBlock.rename({ dir: superBlock.root, name: 'a', inode }, to, 0)).to.throw('ESTALE')
    expect(fs.readFileSync(at('c'), 'utf8')).to.equal('precious')
  })

  it('uses an open file whatever others do with its name', () => {
    const handle = host.open('/a', 2)
    fs.renameSync(at('b'), at('a'))
    handle.write(Buffer.from('old file'))
    expect(handle.stat()).to.include({ nlink: 0, sizeBytes: 8 })
    expect(fs.readFileSync(at('a'), 'utf8')).to.equal('b')
    handle.close()
  })
})
