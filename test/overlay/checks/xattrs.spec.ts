// Attributes through an overlay: which are shown, how those under overlayfs' own prefix are kept apart (rules 65, 66,
// 145-149), and changes of metadata that belong to it (142-144).
import { expect } from 'chai'
import { XATTR_CREATE } from '../../../src/fs/index.ts'
import {
  errno,
  exists,
  names,
  type OverlayStage,
  overlayChecks,
  setXattr,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const marked = {
  f: { type: 'file', xattrs: { 'user.a': '1', 'trusted.b': '2', [`${TR}overlay.opaque`]: 'y', [`${TR}zzz`]: 'q' } },
  d: directory,
} as const

function mountMarked(s: OverlayStage): OverlayStage['m'] {
  return s.mount({ lower: [marked] })
}

overlayChecks('attributes', [
  [
    'X01',
    'all of overlayfs’ own are hidden, also unknown ones; an escaped one is shown unescaped',
    s => expect(xattrs(mountMarked(s), 'f')).to.deep.equal(['trusted.b', `${TR}opaque`, 'user.a']),
  ],
  [
    'X02',
    'reading a name under the prefix reads the escaped attribute',
    s => {
      const m = mountMarked(s)
      expect([xattr(m, 'f', `${TR}zzz`), xattr(m, 'f', `${TR}opaque`)]).to.deep.equal(['ENODATA', 'y'])
    },
  ],
  [
    'X03',
    'setting one stores the escaped attribute, which means nothing to this mount',
    s => {
      const m = mountMarked(s)
      setXattr(m, 'd', `${TR}opaque`, 'y')
      expect([xattr(s.u, 'd', `${TR}overlay.opaque`), xattr(s.u, 'd', `${TR}opaque`)]).to.deep.equal(['y', 'ENODATA'])
    },
  ],
  [
    'X04',
    'removing one removes the escaped attribute',
    s => {
      const m = mountMarked(s)
      setXattr(m, 'd', `${TR}opaque`, 'y')
      m.removexattr('d', `${TR}opaque`)
      expect(xattrs(s.u, 'd')).to.deep.equal([`${TR}origin`])
    },
  ],
  [
    'X05',
    'escaping nests',
    s => {
      const m = mountMarked(s)
      setXattr(m, 'd', `${TR}overlay.x`, '1')
      expect(xattrs(s.u, 'd')).to.include(`${TR}overlay.overlay.x`)
    },
  ],
  [
    'X06',
    'a name that is longer than 255 bytes once escaped: EOPNOTSUPP',
    s => {
      const m = mountMarked(s)
      const longest = TR + 'n'.repeat(255 - TR.length)
      expect(errno(() => setXattr(m, 'd', longest, '1'))).to.equal('EOPNOTSUPP')
    },
  ],
  [
    'X07',
    'copy-up takes escaped attributes as they are and leaves overlayfs’ own behind',
    s => {
      const m = mountMarked(s)
      m.chmod('f', 0o600)
      const copied = ['trusted.b', `${TR}origin`, `${TR}overlay.opaque`, 'user.a']
      expect(xattrs(s.u, 'f')).to.deep.equal(copied.toSorted())
    },
  ],
  [
    'X08',
    'setting and removing happens in the upper layer',
    s => {
      const m = mountMarked(s)
      setXattr(m, 'f', 'user.a', '9')
      m.removexattr('f', 'trusted.b')
      expect([xattr(s.u, 'f', 'user.a'), xattr(s.lower, 'f', 'user.a')]).to.deep.equal(['9', '1'])
      expect(xattrs(m, 'f')).to.deep.equal([`${TR}opaque`, 'user.a'])
    },
  ],
  [
    'X09',
    'XATTR_CREATE of an attribute that is there: EEXIST',
    s => {
      const m = mountMarked(s)
      expect(errno(() => m.setxattr('f', 'user.a', new Uint8Array(1), XATTR_CREATE))).to.equal('EEXIST')
    },
  ],
  [
    'X10',
    'user.* on a symlink: EPERM',
    s => {
      const m = s.mount()
      m.symlink('q', 's')
      expect(errno(() => setXattr(m, 's', 'user.a', '1'))).to.equal('EPERM')
    },
  ],
  [
    'X13',
    'with userxattr user.overlay.* is escaped and trusted.overlay.* is ordinary',
    s => {
      const m = s.mount({ lower: [{ f: '' }], options: 'userxattr' })
      setXattr(m, 'f', 'user.overlay.redirect', 'zz')
      setXattr(m, 'f', `${TR}foo`, '1')
      expect(xattrs(s.u, 'f')).to.include.members(['user.overlay.overlay.redirect', `${TR}foo`])
    },
  ],
  [
    'X14',
    'names may have 255 bytes',
    s => {
      const m = s.mount()
      m.writeFile('f', '')
      expect(errno(() => setXattr(m, 'f', `user.${'n'.repeat(250)}`, '1'))).to.equal('OK')
    },
  ],
])

overlayChecks('metadata', [
  [
    'A08',
    'reading a lower directory leaves its access time',
    s => {
      const m = s.mount({ lower: [{ d: { type: 'dir', mtime: '1000000000' } }] })
      const { atimeNs } = s.lower.lstat('d')
      names(m, 'd')
      expect(s.lower.lstat('d').atimeNs).to.equal(atimeNs)
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'A09',
    'utimes of a lower directory copies it up',
    s => {
      const m = s.mount({ lower: [{ d: directory }] })
      m.utimens('d', { atime: 7_000_000_000n, mtime: 8_000_000_000n })
      expect(s.u.lstat('d').mtimeNs).to.equal(8_000_000_000n)
    },
  ],
  [
    'A10',
    'chown clears the setuid and setgid bits of a file, for root too',
    s => {
      const m = s.mount({ lower: [{ f: '' }] })
      m.chmod('f', 0o7777)
      m.chown('f', 1, 1)
      expect(s.u.lstat('f').mode & 0o7777).to.equal(0o1777)
    },
  ],
  [
    'A12',
    'changes of the root are changes of upperdir itself',
    s => {
      const m = s.mount()
      m.chmod('/', 0o711)
      m.chown('/', 3, 4)
      setXattr(m, '/', 'user.z', '1')
      m.utimens('/', { atime: 5_000_000_000n, mtime: 6_000_000_000n })
      const { mode, uid, gid, mtimeNs } = s.u.lstat('')
      expect([mode & 0o7777, uid, gid, mtimeNs]).to.deep.equal([0o711, 3, 4, 6_000_000_000n])
      expect(xattr(s.u, '', 'user.z')).to.equal('1')
    },
  ],
  [
    'C60',
    'opening for writing and not writing leaves a copy in the upper layer that differs in nothing but its number',
    s => {
      const m = s.mount({ lower: [{ f: { content: 'same', mtime: '1000000000.123456789', uid: 5 } }] })
      m.open('f', 2).close()
      const { mtimeNs, mode, uid, sizeBytes } = s.lower.lstat('f')
      expect(s.u.lstat('f')).to.include({ mtimeNs, mode, uid, sizeBytes })
    },
  ],
  [
    'C61',
    'and its directory is copied without a difference',
    s => {
      const m = s.mount({ lower: [{ d: { type: 'dir', mtime: '1000000000.5', mode: '0711' }, 'd/f': 'x' }] })
      m.open('d/f', 2).close()
      const { mtimeNs, mode } = s.lower.lstat('d')
      expect([s.u.lstat('d').mtimeNs, s.u.lstat('d').mode]).to.deep.equal([mtimeNs, mode])
    },
  ],
  [
    'G04',
    'looking a merged directory up writes overlay.origin on it, and overlay.impure on its parent',
    s => {
      const m = s.mount({ lower: [{ 'p/d/low': '' }], upper: { 'p/d': directory } })
      expect(xattrs(s.u, 'p/d')).to.deep.equal([])
      m.stat('p/d')
      expect([xattrs(s.u, 'p/d'), xattrs(s.u, 'p')]).to.deep.equal([[`${TR}origin`], [`${TR}impure`, `${TR}origin`]])
    },
  ],
  [
    'G05',
    'a mount writes overlay.uuid on upperdir and makes work/work, and that stays',
    s => {
      s.mount({ lower: [{ f: '' }] })
      s.unmount()
      expect([xattrs(s.u, ''), names(s.w)]).to.deep.equal([[`${TR}uuid`], ['work']])
    },
  ],
  [
    'G06',
    'a merged directory stays impure',
    s => {
      const m = s.mount({ lower: [{ 'd/f': '' }] })
      m.chmod('d/f', 0o600)
      m.unlink('d/f')
      names(m, 'd')
      names(s.remount(), 'd')
      expect(xattrs(s.u, 'd')).to.include(`${TR}impure`)
    },
  ],
  [
    'G07',
    'a directory of the upper layer alone is impure until a listing finds nothing that was copied up',
    s => {
      const m = s.mount({ lower: [{ f: '' }] })
      m.mkdir('d', 0o755)
      m.chmod('f', 0o600)
      m.rename('f', 'd/f')
      const impure = (): boolean => xattrs(s.u, 'd').includes(`${TR}impure`)
      names(m, 'd')
      const whileThere = impure()
      m.rename('d/f', 'f2')
      const afterwards = impure()
      names(m, 'd')
      expect([whileThere, afterwards, impure()]).to.deep.equal([true, true, false])
    },
  ],
  [
    'G08',
    'an upper layer without attributes: no rename of lower files, attributes are lost, no directory with whiteouts goes',
    s => {
      const lower = { a: 'A', x: { content: 'A', xattrs: { 'user.k': 'v' } }, 'd/q': '' }
      const m = s.mount({ lower: [lower], upperOn: 'bare' })
      const answers = [
        errno(() => m.rename('a', 'b')),
        errno(() => m.chmod('x', 0o600)),
        errno(() => setXattr(m, 'x', 'user.n', '1')),
        errno(() => m.link('x', 'x2')),
        errno(() => m.unlink('d/q')),
        errno(() => m.rmdir('d')),
      ]
      expect(answers).to.deep.equal(['EINVAL', 'OK', 'EOPNOTSUPP', 'OK', 'OK', 'EIO'])
      expect([xattrs(m, 'x'), exists(m, 'a')]).to.deep.equal([[], true])
    },
  ],
])
