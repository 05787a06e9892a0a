import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import {
  O_CREAT,
  O_RDWR,
  O_TMPFILE,
  RENAME_EXCHANGE,
  RENAME_WHITEOUT,
  S_IFCHR,
  S_IFIFO,
} from '../../../src/fs/index.ts'
import { type HostFs, openHostFs } from '../../../src/host/index.ts'

describe('openHostFs()', () => {
  let directory: string
  let host: HostFs

  beforeEach(() => {
    directory = fs.mkdtempSync(path.join(tmpdir(), 'ovl-host-fs-'))
    host = openHostFs(directory)
  })
  afterEach(() => {
    host.close()
    fs.rmSync(directory, { recursive: true })
  })

  it('reads and writes what node:fs sees', () => {
    host.mkdir('/d', 0o755)
    host.writeFile('/d/f', 'text')
    host.symlink('d/f', '/l')
    host.link('/d/f', '/d/g')
    host.mknod('/p', S_IFIFO | 0o644)
    expect(fs.readFileSync(path.join(directory, 'l'), 'utf8')).to.equal('text')
    expect(host.lstat('/d/g').nlink).to.equal(2)
    expect(Buffer.from(host.readFile('/l')).toString()).to.equal('text')
    expect(
      host
        .readdir('/')
        .map(({ name, type }) => `${name} ${type}`)
        .toSorted(),
    ).to.deep.equal(['d dir', 'l symlink', 'p fifo'])
    host.rename('/d', '/e')
    host.unlink('/e/g')
    expect(host.stat('/e/f').nlink).to.equal(1)
    host.setxattr('/e/f', 'user.a', Buffer.from('b'))
    expect(host.listxattr('/e/f')).to.deep.equal(['user.a'])
    host.truncate('/e/f', 2)
    host.utimens('/e/f', { atime: 5n, mtime: -7n })
    expect(host.stat('/e/f')).to.include({ sizeBytes: 2, atimeNs: 5n, mtimeNs: -7n })
  })

  it('makes whiteouts, exchanges names, and gives temporary files names', () => {
    host.mknod('/w', S_IFCHR, 0)
    host.writeFile('/a', 'a')
    host.writeFile('/b', 'b')
    host.rename('/a', '/b', { flags: RENAME_EXCHANGE })
    expect(Buffer.from(host.readFile('/a')).toString()).to.equal('b')
    host.rename('/a', '/c', { flags: RENAME_WHITEOUT })
    expect(host.lstat('/a')).to.include({ rdev: 0, mode: S_IFCHR })
    const handle = host.open('/', O_TMPFILE | O_RDWR, 0o640)
    handle.write(Buffer.from('temporary'))
    handle.linkAs('/t')
    handle.close()
    expect(fs.readFileSync(path.join(directory, 't'), 'utf8')).to.equal('temporary')
  })

  it('keeps open files right through renames and removal', () => {
    host.mkdir('/d', 0o755)
    const handle = host.open('/d/f', O_RDWR | O_CREAT, 0o644)
    host.rename('/d', '/e')
    handle.chmod(0o600)
    expect(host.stat('/e/f').mode & 0o777).to.equal(0o600)
    host.unlink('/e/f')
    handle.write(Buffer.from('x'))
    expect(handle.stat()).to.include({ nlink: 0, sizeBytes: 1 })
    handle.close()
  })

  it('makes objects of another owner exactly', () => {
    fs.chmodSync(directory, 0o2777)
    const other = host.as({ uid: 1000, gid: 1001, groups: [], capable: false, umask: 0o027 })
    other.writeFile('/f', '', 0o4777)
    expect(host.lstat('/f')).to.include({ uid: 1000, gid: 0 })
    expect(host.lstat('/f').mode & 0o7777).to.equal(0o4750)
  })
})
