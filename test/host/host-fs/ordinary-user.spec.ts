// A HostFs in the hands of an ordinary user: the kernel's refusals under Linux's names, and nothing left of what could
// not be made. The effective user of this process changes for the time of a test.

import { expect } from 'chai'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type FileSystem, root, S_IFBLK, S_IFCHR } from '../../../src/fs/index.ts'
import { type HostFs, loadSystem, openHostFs } from '../../../src/host/index.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'

const nobody = 65534

describe('HostFs of an ordinary user', () => {
  let directory = ''
  let host: HostFs

  beforeEach(function () {
    skipUnless(this, isRoot() && loadSystem() !== null, 'needs root and koffi')
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-user-'))
    fs.chownSync(directory, nobody, nobody)
    fs.writeFileSync(path.join(directory, 'of-root'), 'x', { mode: 0o600 })
    fs.mkdirSync(path.join(directory, 'closed'), { mode: 0o700 })
    process.setegid?.(nobody)
    process.seteuid?.(nobody)
    host = openHostFs(directory)
  })
  afterEach(() => {
    if (directory === '') return
    process.seteuid?.(0)
    process.setegid?.(0)
    host.close()
    fs.rmSync(directory, { recursive: true, force: true })
    directory = ''
  })

  it('works on what is the user’s own', () => {
    expect(host.caller).to.include({ uid: nobody, gid: nobody, capable: false })
    host.mkdir('/d', 0o750)
    host.writeFile('/d/f', 'mine', 0o4755)
    host.mknod('/d/whiteout', S_IFCHR, 0)
    host.setxattr('/d/f', 'user.a', Buffer.from('b'))
    host.rename('/d/f', '/d/g')
    expect(host.lstat('/d/g')).to.include({ uid: nobody, gid: nobody, sizeBytes: 4 })
  })

  // As the emulator's root, so that it is the kernel who refuses.
  const refusals: readonly [string, string, (asRoot: FileSystem) => void][] = [
    ['reading another’s file', 'EACCES', asRoot => asRoot.readFile('/of-root')],
    ['listing another’s directory', 'EACCES', asRoot => asRoot.readdir('/closed')],
    ['looking into another’s directory', 'EACCES', asRoot => asRoot.lstat('/closed/f')],
    ['writing into another’s directory', 'EACCES', asRoot => asRoot.mkdir('/closed/d', 0o755)],
    ['giving a file away', 'EPERM', asRoot => asRoot.chown('/own', 0, 0)],
    ['chmod of another’s file', 'EPERM', asRoot => asRoot.chmod('/of-root', 0o644)],
    ['a device', 'EPERM', asRoot => asRoot.mknod('/null', S_IFCHR | 0o666, 0x100003)],
    ['a block device', 'EPERM', asRoot => asRoot.mknod('/disk', S_IFBLK | 0o666, 0x800001)],
    ['trusted attributes', 'EOPNOTSUPP', asRoot => asRoot.setxattr('/own', 'trusted.a', new Uint8Array(1))],
    ['a file of another owner', 'EPERM', asRoot => asRoot.writeFile('/other', 'x')],
    ['a directory of another owner', 'EPERM', asRoot => asRoot.mkdir('/other', 0o755)],
  ]
  for (const [name, errno, call] of refusals) {
    it(`${name}: ${errno}`, () => {
      host.writeFile('/own', 'x')
      const before = host.readdir('/').map(entry => entry.name)
      expect(() => call(host.as(root))).to.throw(errno)
      expect(host.readdir('/').map(entry => entry.name)).to.deep.equal(before)
    })
  }

  it('knows what it cannot do', () => {
    const { features } = host.superBlock
    expect(features.xattrs).to.not.include('trusted')
    host.writeFile('/own', 'x')
    const own = host.superBlock.lookup(host.superBlock.root, 'own')
    const handle = own === null ? null : host.superBlock.encodeHandle(own)
    if (handle !== null) expect(host.superBlock.decodeHandle(handle)).to.equal(null)
    expect(() => host.getxattr('/own', 'trusted.a')).to.throw('ENODATA')
  })
})
