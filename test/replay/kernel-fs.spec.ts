import { expect } from 'chai'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { isErrno } from '../../src/errors/index.ts'
import { O_CREAT, O_RDWR, RENAME_EXCHANGE, root, S_IFCHR, S_IFMT, user } from '../../src/fs/index.ts'
import { loadKernelCalls } from '../../src/host/index.ts'
import { type KernelFs, openKernelFs } from '../../src/replay/index.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

describe('KernelFs', () => {
  let directory = ''
  let kernel: KernelFs

  before(function () {
    skipUnless(this, isRoot() && loadKernelCalls() !== null, 'needs root and koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-kernel-fs-'))
    fs.chmodSync(directory, 0o755)
    kernel = openKernelFs(directory)
  })

  after(() => {
    if (directory === '') return
    kernel.close()
    fs.rmSync(directory, { recursive: true, force: true })
  })

  it('keeps paths and links inside its directory', () => {
    kernel.mkdir('/in', 0o755)
    kernel.writeFile('/in/file', 'content')
    kernel.symlink('/in/file', '/in/link')
    kernel.symlink('../../../../../in', '/in/up')
    expect(Buffer.from(kernel.readFile('/in/link')).toString()).to.equal('content')
    expect(Buffer.from(kernel.readFile('/in/up/../../../in/link')).toString()).to.equal('content')
    expect(kernel.readlink('/in/up')).to.equal('../../../../../in')
    expect(kernel.stat('/in/link').sizeBytes).to.equal(7)
    expect(kernel.lstat('/in/link').sizeBytes).to.equal(8)
    expect(kernel.readdir('/in').map(({ name, type }) => `${name} ${type}`)).to.have.members([
      'file file',
      'link symlink',
      'up symlink',
    ])
  })

  it('leaves the process where and who it was', () => {
    const before = [
      process.cwd(),
      process.geteuid?.(),
      process.getegid?.(),
      process.umask(),
      fs.readdirSync('/').join(),
    ]
    const other = kernel.as({ ...user(1000), umask: 0o077 })
    expect(() => other.mkdir('/refused', 0o755)).to.throw('EACCES')
    kernel.as({ ...root, umask: 0 }).mkdir('/open', 0o777)
    other.mkdir('/open/mine', 0o777)
    expect(kernel.lstat('/open/mine')).to.include({ uid: 1000, gid: 1000, mode: 0o040700 })
    const after = [process.cwd(), process.geteuid?.(), process.getegid?.(), process.umask(), fs.readdirSync('/').join()]
    expect(after).to.deep.equal(before)
  })

  it('tells callers apart by ids, groups and capabilities', () => {
    kernel.writeFile('/secret', '')
    kernel.chmod('/secret', 0o640)
    kernel.chown('/secret', 5, 6)
    const canRead = (uid: number, { groups = [] as number[], capable = false } = {}): boolean => {
      try {
        kernel.as({ uid, gid: uid, groups, capable, umask: 0 }).access('/secret', 4)
        return true
      } catch (error) {
        if (isErrno(error, 'EACCES')) return false
        throw error
      }
    }
    expect([
      canRead(0, { capable: true }),
      canRead(0),
      canRead(5),
      canRead(1000),
      canRead(1000, { groups: [6] }),
      canRead(1000, { capable: true }),
      canRead(0, { capable: true }),
    ]).to.deep.equal([true, false, true, false, true, true, true])
  })

  it('keeps nanoseconds before and after 1970, devices, attributes and names of any bytes', () => {
    kernel.writeFile('/f', '')
    for (const time of [-1n, -1_500_000_001n, 0n, 1_700_000_000_123_456_789n]) {
      kernel.utimens('/f', { atime: 'omit', mtime: time })
      expect(kernel.lstat('/f').mtimeNs).to.equal(time)
    }
    kernel.mknod('/device', S_IFCHR | 0o600, ((1 << 20) | 3) >>> 0)
    expect(kernel.lstat('/device').mode & S_IFMT).to.equal(S_IFCHR)
    expect(kernel.lstat('/device').rdev).to.equal((1 << 20) | 3)
    kernel.setxattr('/f', 'user.a', Uint8Array.of(0, 255))
    expect(kernel.listxattr('/f')).to.deep.equal(['user.a'])
    expect([...kernel.getxattr('/f', 'user.a')]).to.deep.equal([0, 255])
    const name = 'x\udcff\ny'
    kernel.writeFile(`/${name}`, '')
    expect(kernel.readdir('/').map(entry => entry.name)).to.include(name)
  })

  it('works with open files', () => {
    const handle = kernel.open('/h', O_CREAT | O_RDWR, 0o600)
    handle.write(Buffer.from('0123456789'), 0)
    handle.truncate(6)
    const target = new Uint8Array(4)
    expect(handle.read(target, 4)).to.equal(2)
    expect(Buffer.from(target).toString('latin1')).to.equal('45\0\0')
    kernel.unlink('/h')
    expect(handle.stat()).to.include({ nlink: 0, sizeBytes: 6 })
    handle.close()
    expect(() => handle.stat()).to.throw('EBADF')
  })

  it('renames with flags and names errors as Linux does', () => {
    kernel.writeFile('/r1', '1')
    kernel.mkdir('/r2', 0o755)
    kernel.rename('/r1', '/r2', { flags: RENAME_EXCHANGE })
    expect(Buffer.from(kernel.readFile('/r2')).toString()).to.equal('1')
    const errors: [string, () => unknown][] = [
      ['ENOENT', () => kernel.lstat('/none')],
      ['ENOTDIR', () => kernel.lstat('/r2/x')],
      ['ENAMETOOLONG', () => kernel.lstat(`/${'x'.repeat(5000)}`)],
      ['EOPNOTSUPP', () => kernel.setxattr('/r2', 'nosuch.a', new Uint8Array())],
      ['ENODATA', () => kernel.getxattr('/r2', 'user.none')],
    ]
    for (const [code, call] of errors) expect(call).to.throw(code)
  })
})
