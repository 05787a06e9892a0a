// One object under several names of a host directory: a node stands for one of them, and goes on when that is gone.

import { expect } from 'chai'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Inode, SuperBlock } from '../../../src/fs/index.ts'
import { type HostFs, loadSystem, openHostFs } from '../../../src/host/index.ts'
import { skipUnless } from '../../support/probe.ts'

describe('HostFs and the names of a file', () => {
  let directory: string
  let host: HostFs
  let superBlock: SuperBlock

  beforeEach(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-names-'))
    host = openHostFs(directory)
    superBlock = host.superBlock
    host.writeFile('/a', 'content')
    host.link('/a', '/b')
    host.writeFile('/other', 'other')
  })
  afterEach(() => {
    host?.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  const find = (name: string): Inode => superBlock.lookup(superBlock.root, name) as Inode
  const at = (name: string, inode: Inode | null) => ({ dir: superBlock.root, name, inode })

  /** Everything that can be asked of an object and done to it. */
  function use(inode: Inode, name: string): void {
    expect(superBlock.stat(inode).sizeBytes).to.equal(7)
    superBlock.change(inode, { mode: 0o600, mtimeNs: 5n })
    superBlock.setXattr(inode, 'user.a', Buffer.from('1'), 0)
    expect(superBlock.listXattrs(inode)).to.deep.equal(['user.a'])
    superBlock.removeXattr(inode, 'user.a')
    const file = superBlock.openFile(inode, 2)
    expect(file.write(Buffer.from('C'), 0)).to.equal(1)
    file.close()
    superBlock.change(inode, { sizeBytes: 7 })
    superBlock.link(inode, superBlock.root, 'linked')
    superBlock.unlink(superBlock.root, 'linked', inode)
    expect(Buffer.from(host.readFile(name)).toString()).to.equal('Content')
    expect(host.lstat(name).mode & 0o777).to.equal(0o600)
  }

  it('the node of a name that is gone', () => {
    const a = find('a')
    superBlock.unlink(superBlock.root, 'a', a)
    use(a, '/b')
  })

  it('the node of a name that another file has taken', () => {
    const a = find('a')
    superBlock.rename(at('other', find('other')), at('a', a), 0)
    use(a, '/b')
    expect(Buffer.from(host.readFile('/a')).toString()).to.equal('other')
  })

  it('the node of one name, given for the other', () => {
    const [a, b] = [find('a'), find('b')]
    expect(superBlock.isSame(a, b)).to.equal(true)
    superBlock.unlink(superBlock.root, 'b', a)
    use(a, '/a')
    superBlock.rename(at('a', b), at('c', null), 0)
    use(b, '/c')
    expect(superBlock.stat(a).nlink).to.equal(1)
  })

  it('a node after more other objects than descriptors are kept', () => {
    const a = find('a')
    superBlock.unlink(superBlock.root, 'a', a)
    for (let i = 0; i < 600; i++) host.mkdir(`/d${i}`, 0o755)
    for (let i = 0; i < 600; i++) host.readdir(`/d${i}`)
    if (superBlock.features.handles && process.geteuid?.() === 0) use(a, '/b')
    else expect(() => superBlock.stat(a)).to.throw(/ENOENT|ESTALE/)
  })

  it('nothing happens when one name is renamed to the other', () => {
    superBlock.rename(at('a', find('a')), at('b', find('b')), 0)
    expect(host.readdir('/').map(({ name }) => name)).to.have.members(['a', 'b', 'other'])
    use(find('a'), '/b')
  })
})
