// What a HostFs keeps: names of any bytes, far times, the order of entries, holes, identities; and how few descriptors
// it needs for it.

import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import {
  type Inode,
  type InodeFile,
  O_CREAT,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  type SuperBlock,
} from '../../../src/fs/index.ts'
import { type HostFs, loadKernelCalls, loadSystem, openHostFs } from '../../../src/host/index.ts'
import { decodeName } from '../../../src/path/index.ts'
import { openKernelFs } from '../../../src/replay/index.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'

describe('HostFs keeps', () => {
  let directory: string
  let host: HostFs
  let superBlock: SuperBlock

  beforeEach(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-exact-'))
    host = openHostFs(directory)
    superBlock = host.superBlock
  })
  afterEach(() => {
    host?.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  function find(...names: readonly string[]): Inode {
    return names.reduce((dir, name) => superBlock.lookup(dir, name) as Inode, superBlock.root)
  }

  it('names of any bytes, in every call', () => {
    const odd = decodeName(Buffer.from('caf\xe9\xff\x01\n', 'latin1'))
    const names = [odd, 'größe-漢字-😀', '-', ' ', 'n'.repeat(255)]
    for (const name of names) {
      host.mkdir(`/${name}`, 0o755)
      host.writeFile(`/${name}/${name}`, 'content')
      host.symlink(name, `/${name}/link`)
      host.rename(`/${name}/${name}`, `/${name}/renamed`)
      host.link(`/${name}/renamed`, `/${name}/${name}`)
      expect(host.readlink(`/${name}/link`)).to.equal(name)
      expect(Buffer.from(host.readFile(`/${name}/link`)).toString()).to.equal('content')
    }
    expect(host.readdir('/').map(({ name }) => name)).to.have.members(names)
    expect(fs.readdirSync(directory, { encoding: 'buffer' }).map(bytes => decodeName(bytes))).to.have.members(names)
  })

  it('times as the kernel keeps them, near and far', function () {
    skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root')
    const kernel = openKernelFs(directory)
    try {
      for (const seconds of [0n, -1n, -(2n ** 31n), 2n ** 31n, 2n ** 32n + 7n, 2n ** 34n, 2n ** 40n, -(2n ** 40n)]) {
        const timeNs = seconds * 1_000_000_000n + 123_456_789n
        host.writeFile('/mine', '')
        kernel.writeFile('/kernel', '')
        host.utimens('/mine', { atime: timeNs, mtime: timeNs + 1n })
        kernel.utimens('/kernel', { atime: timeNs, mtime: timeNs + 1n })
        const { atimeNs, mtimeNs } = kernel.lstat('/kernel')
        expect(host.lstat('/mine'), `${seconds}`).to.include({ atimeNs, mtimeNs })
        expect(host.lstat('/kernel'), `${seconds}`).to.include({ atimeNs, mtimeNs })
      }
    } finally {
      kernel.close()
    }
  })

  it('the order, inode numbers, types and offsets of getdents64', function () {
    skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root')
    for (let i = 0; i < 3000; i++) fs.writeFileSync(path.join(directory, `file-${i * 7919}`), '')
    host.symlink('x', '/link')
    host.mknod('/fifo', 0o010644)
    host.mknod('/socket', 0o140644)
    const kernel = openKernelFs(directory)
    const handle = kernel.open('/', O_RDONLY | O_DIRECTORY)
    try {
      const mine = host.open('/', O_RDONLY | O_DIRECTORY)
      expect(mine.readdir()).to.deep.equal(handle.readdir())
      fs.unlinkSync(path.join(directory, 'link'))
      expect(mine.readdir()).to.have.length(3005)
      mine.rewind()
      expect(mine.readdir()).to.have.length(3004)
      mine.close()
    } finally {
      handle.close()
      kernel.close()
    }
  })

  it('holes where content is copied by the kernel', () => {
    const source = host.open('/source', O_RDWR | O_CREAT, 0o644)
    source.write(Buffer.from('begin'), 0)
    source.write(Buffer.from('end'), 8 << 20)
    source.truncate(16 << 20)
    host.writeFile('/target', '')
    const [from, to] = [superBlock.openFile(source.inode, O_RDONLY), superBlock.openFile(find('target'), O_RDWR)]
    expect(to.copyFrom?.(from, 16 << 20)).to.equal(true)
    const { sizeBytes, blocks } = host.lstat('/target')
    // The hole at the end is for the caller to make, unless blocks were shared.
    expect(sizeBytes).to.be.oneOf([9 << 20, 16 << 20])
    host.truncate('/target', 16 << 20)
    // A MiB from each of the two places that hold something: overlayfs looks for holes no more often.
    expect(blocks * 512).to.be.within(8192, 3 << 20)
    expect(Buffer.from(host.readFile('/target')).equals(Buffer.from(host.readFile('/source')))).to.equal(true)
    for (const file of [source, from, to]) file.close()
  })

  it('nothing of a source that it cannot copy from', () => {
    host.writeFile('/target', '')
    const to = superBlock.openFile(find('target'), O_RDWR)
    expect(to.copyFrom?.({ read: () => 0 } as unknown as InodeFile, 5)).to.equal(false)
    to.close()
  })

  it('handles through renames, for files outside of the root too, but no directories there', function () {
    host.mkdir('/d', 0o755)
    host.mkdir('/d/sub', 0o755)
    host.writeFile('/d/f', 'content')
    const ofFile = superBlock.encodeHandle(find('d', 'f'))
    const ofSub = superBlock.encodeHandle(find('d', 'sub'))
    skipUnless(this, ofFile !== null && superBlock.decodeHandle(ofFile) !== null, 'needs CAP_DAC_READ_SEARCH', {
      optional: true,
    })
    if (ofFile === null || ofSub === null) throw new Error('no handles')
    host.rename('/d', '/e')
    expect(superBlock.decodeHandle(ofFile)).to.equal(find('e', 'f'))
    expect(superBlock.decodeHandle(ofSub)).to.equal(find('e', 'sub'))
    const inner = openHostFs(path.join(directory, 'e', 'sub'))
    const file = inner.superBlock.decodeHandle(ofFile)
    expect(file?.type).to.equal('file')
    expect(inner.superBlock.decodeHandle(superBlock.encodeHandle(find('e')) as never)).to.equal(null)
    if (file !== null) {
      expect(inner.superBlock.stat(file).sizeBytes).to.equal(7)
      const open = inner.superBlock.openFile(file, O_RDONLY)
      const bytes = Buffer.alloc(7)
      expect([open.read(bytes, 0), bytes.toString()]).to.deep.equal([7, 'content'])
      open.close()
    }
    host.unlink('/e/f')
    inner.close()
    expect(superBlock.decodeHandle(ofFile)).to.equal(null)
    expect(superBlock.decodeHandle({ type: 1, bytes: new Uint8Array(8) })).to.equal(null)
  })

  it('objects that are only named, until they are let go', () => {
    host.symlink('target', '/link')
    const handle = host.open('/link', 0o10000000 | 0o400000)
    host.unlink('/link')
    expect(handle.stat()).to.include({ nlink: 0, sizeBytes: 6 })
    handle.close()
    expect(() => superBlock.stat(handle.inode)).to.throw('ENOENT')
  })
})

describe('HostFs and descriptors', () => {
  let directory: string

  before(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
  })
  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-descriptors-'))
  })
  afterEach(() => fs.rmSync(directory, { recursive: true, force: true }))

  it('has as many after thousands of operations as before, and none when it is closed', () => {
    const before = descriptors()
    const host = openHostFs(directory)
    for (let i = 0; i < 400; i++) host.mkdir(`/d${i}`, 0o755)
    const round = (): void => {
      for (let i = 0; i < 400; i++) {
        host.writeFile(`/d${i}/f`, 'x')
        host.readFile(`/d${i}/f`)
        host.readdir(`/d${i}`)
        host.rename(`/d${i}/f`, `/d${(i * 37) % 400}/g`)
        host.open(`/d${i}`, O_TMPFILE | O_RDWR, 0o600).close()
        expect(() => host.open(`/d${i}/missing`, O_RDONLY)).to.throw('ENOENT')
        host.unlink(`/d${(i * 37) % 400}/g`)
      }
    }
    round()
    const open = descriptors()
    expect(open - before).to.be.lessThan(300)
    for (let i = 0; i < 4; i++) round()
    expect(descriptors()).to.be.at.most(open)
    const left = host.open('/d1', O_RDONLY | O_DIRECTORY)
    host.close()
    expect(descriptors()).to.equal(before)
    expect(() => host.lstat('/d1')).to.throw('EBADF')
    expect(() => left.readdir()).to.throw('EBADF')
  })

  it('works deep down and with few descriptors', () => {
    const host = openHostFs(directory)
    const deep = '/d'.repeat(400)
    for (let i = 1; i <= 400; i++) host.mkdir('/d'.repeat(i), 0o755)
    host.writeFile(`${deep}/f`, 'deep')
    expect(Buffer.from(host.readFile(`${deep}/f`)).toString()).to.equal('deep')
    expect(host.lstat('/d/d/d').nlink).to.equal(3)
    host.close()
  })

  it('gives its own up where the process may open no more', function () {
    const script = `
      import { openHostFs } from ${JSON.stringify(new URL('../../../src/host/index.js', import.meta.url))}
      const host = openHostFs('.')
      for (let i = 0; i < 200; i++) host.mkdir('/d' + i, 0o755), host.writeFile('/d' + i + '/f', 'x')
      const open = []
      try {
        for (;;) open.push(host.open('/d' + (open.length % 200) + '/f', 0))
      } catch (error) {
        console.log(error.code, open.length > 60 ? 'late' : open.length)
      }
      for (const handle of open) handle.close()
      console.log(host.lstat('/d7/f').sizeBytes)`
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', 'ulimit -n 128; exec "$0" --input-type=module -e "$1"', process.execPath, script],
      { cwd: directory, encoding: 'utf8' },
    )
    expect(stdout, stderr).to.equal('EMFILE late\n1\n')
  })
})

/** How many this process has open. */
function descriptors(): number {
  return fs.readdirSync('/proc/self/fd').length
}
