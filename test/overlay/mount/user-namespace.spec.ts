// Root of a user namespace, as a caller and as a mounter. What a namespace with the ids of the machine does is compared
// with the kernel (fixtures/scenarios/user-namespace.json, random scenarios); here are files of ids that are not in it.
import { expect } from 'chai'
import {
  makeDevice,
  MemoryFs,
  root,
  rootOfNamespace,
  S_IFCHR,
  S_ISUID,
  user,
  writeTree,
} from '../../../src/fs/index.ts'
import { OverlayFs } from '../../../src/overlay/index.ts'
import { outcome } from '../../support/tmpfs.ts'

const first = 100_000
const namespaceRoot = rootOfNamespace([{ first, count: 65_536 }])

function layers(): MemoryFs {
  const fs = new MemoryFs()
  writeTree(fs, '/', {
    'l/own': { type: 'file', content: 'own', mode: '0600', uid: first + 5, gid: first + 5 },
    'l/half': { type: 'file', content: 'half', mode: '0600', uid: first + 5, gid: 0 },
    'l/foreign': { type: 'file', content: 'foreign', mode: '0600' },
    'l/program': { type: 'file', content: 'x', mode: '4777', uid: first, gid: first, xattrs: { 'trusted.a': '1' } },
    l: { type: 'dir', mode: '1777', uid: first + 5, gid: first + 5 },
    u: { type: 'dir', uid: first, gid: first },
    w: { type: 'dir', uid: first, gid: first },
  })
  return fs
}

describe('root of a user namespace', () => {
  it('is capable over objects whose owner and group the namespace has', () => {
    const fs = layers().as(namespaceRoot)
    const reads = ['own', 'half', 'foreign'].map(name => outcome(() => fs.readFile(`l/${name}`).length))
    expect(reads).to.deep.equal([3, 'EACCES', 'EACCES'])
    const chmods = ['own', 'half', 'foreign'].map(name => outcome(() => fs.chmod(`l/${name}`, 0o640)))
    expect(chmods).to.deep.equal(['done', 'EPERM', 'EPERM'])
    const unlinks = ['own', 'half', 'foreign'].map(name => outcome(() => fs.unlink(`l/${name}`)))
    expect(unlinks, 'sticky').to.deep.equal(['done', 'EPERM', 'EPERM'])
  })

  it('gives to ids of the namespace only', () => {
    const fs = layers().as(namespaceRoot)
    expect(outcome(() => fs.chown('l/own', first + 7, -1))).to.equal('done')
    expect([outcome(() => fs.chown('l/own', 0, -1)), outcome(() => fs.chown('l/own', -1, 1))]).to.deep.equal([
      'EINVAL',
      'EINVAL',
    ])
  })

  it('has no trusted attributes and no devices, and a write takes set-user-ID', () => {
    const fs = layers().as(namespaceRoot)
    expect([
      outcome(() => fs.getxattr('l/program', 'trusted.a')),
      outcome(() => fs.listxattr('l/program')),
      outcome(() => fs.setxattr('l/program', 'trusted.b', new Uint8Array(1))),
      outcome(() => fs.mknod('l/null', S_IFCHR, makeDevice(1, 3))),
      outcome(() => fs.mknod('l/whiteout', S_IFCHR, 0)),
    ]).to.deep.equal(['ENODATA', [], 'EPERM', 'EPERM', 'done'])
    fs.writeFile('l/program', 'changed')
    expect(fs.stat('l/program').mode & S_ISUID).to.equal(0)
  })

  it('mounts, and what is beyond it in the layers stays so for whoever uses the overlay', () => {
    const fs = layers()
    const at = (path: string) => ({ fs, path })
    const m = new OverlayFs({
      lower: [at('l')],
      upper: at('u'),
      work: at('w'),
      options: 'userxattr',
      mounter: namespaceRoot,
    })
    expect(outcome(() => m.as(root).readFile('foreign'))).to.equal('EACCES')
    expect(outcome(() => m.as(user(first + 5)).writeFile('own', 'changed'))).to.equal('done')
    m.as(namespaceRoot).unlink('program')
    expect(fs.lstat('u/program')).to.include({ uid: first, gid: first, rdev: 0 })
    expect([outcome(() => fs.lstat('u/own').uid), fs.listxattr('u/own')]).to.deep.equal([
      first + 5,
      ['user.overlay.origin'],
    ])
  })
})
