import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { hostRootfs, resolveInRootfs } from '../../src/bundle/index.ts'
import { mountFlags } from '../../src/bundle/host-resolv-conf.ts'
import { resolveUser } from '../../src/bundle/user.ts'

describe('hostRootfs()', () => {
  let top: string
  let root: string

  beforeEach(() => {
    top = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-rootfs-'))
    root = path.join(top, 'rootfs')
    fs.mkdirSync(path.join(root, 'etc'), { recursive: true })
    fs.writeFileSync(path.join(top, 'passwd'), 'eve:x:666:666::/outside:\n')
  })
  afterEach(() => fs.rmSync(top, { recursive: true }))

  it('never reads outside the rootfs', () => {
    for (const target of [
      '../../passwd',
      path.join(top, 'passwd'),
      '../../../../../../etc/passwd',
      '/proc/self/root/etc/passwd',
    ]) {
      fs.symlinkSync(target, path.join(root, 'etc/passwd'))
      expect(resolveInRootfs(hostRootfs(root), '/etc/passwd').found, target).to.equal(false)
      expect(() => resolveUser('eve', { rootfs: hostRootfs(root), warn: () => undefined })).to.throw(
        'Cannot use user "eve"',
      )
      fs.unlinkSync(path.join(root, 'etc/passwd'))
    }
  })

  it('never follows a linked /etc out of the rootfs', () => {
    fs.rmdirSync(path.join(root, 'etc'))
    fs.symlinkSync(top, path.join(root, 'etc'))
    expect(resolveInRootfs(hostRootfs(root), '/etc/passwd')).to.deep.equal({ found: false, reason: 'missing' })
  })

  it('follows links inside the rootfs', () => {
    fs.mkdirSync(path.join(root, 'nix'))
    fs.writeFileSync(path.join(root, 'nix/accounts'), 'ada:x:7:8::/home/ada:\n')
    fs.symlinkSync('/etc/../nix/accounts', path.join(root, 'etc/passwd'))
    expect(resolveUser('ada', { rootfs: hostRootfs(root), warn: () => undefined })).to.include({ uid: 7, gid: 8 })
  })

  it('does not wait for a FIFO', () => {
    execFileSync('mkfifo', [path.join(root, 'etc/passwd')])
    expect(() => resolveUser('ada', { rootfs: hostRootfs(root), warn: () => undefined })).to.throw('no regular file')
    expect(() => hostRootfs(root).readlink('etc/passwd')).to.throw('EINVAL')
  })

  it('refuses to read a link, should one have come in between', () => {
    fs.symlinkSync(path.join(top, 'passwd'), path.join(root, 'etc/passwd'))
    expect(() => hostRootfs(root).readFile('etc/passwd')).to.throw('ELOOP')
  })

  it('takes names that are no UTF-8', () => {
    fs.mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff)]))
    fs.symlinkSync(Buffer.of(0xff), path.join(root, 'link'))
    const resolved = resolveInRootfs(hostRootfs(root), '/link')
    expect(resolved.found && resolved.path).to.equal('\udcff')
    expect(hostRootfs(root).isEmpty('\udcff')).to.equal(true)
    expect(hostRootfs(root).isEmpty('')).to.equal(false)
  })

  it('knows that a name of 300 bytes is not there', () => {
    expect(hostRootfs(root).lstat('x'.repeat(300))).to.equal(null)
    expect(hostRootfs(root).lstat('etc/nothing/more')).to.equal(null)
  })
})

describe('mountFlags()', () => {
  const mountinfo = [
    '22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
    '23 22 0:5 / /run rw,nosuid,nodev,noexec,noatime - tmpfs tmpfs rw',
    '24 22 0:6 / /run/my\\040dir ro,nosuid - tmpfs tmpfs rw',
    '25 22 0:7 / /runner ro,nodev - tmpfs tmpfs rw',
    '26 23 0:8 / /run rw,nosuid - tmpfs tmpfs rw',
    '',
  ].join('\n')
  const cases: readonly [string, readonly string[]][] = [
    ['/etc/resolv.conf', ['relatime']],
    ['/run/resolv.conf', ['nosuid']],
    ['/run', ['nosuid']],
    ['/run/my dir/resolv.conf', ['nosuid']],
    ['/runner/resolv.conf', ['nodev']],
    ['/running', ['relatime']],
  ]
  for (const [source, flags] of cases) {
    it(`finds the mount of ${source}`, () => expect(mountFlags(mountinfo, source)).to.deep.equal(flags))
  }
})
