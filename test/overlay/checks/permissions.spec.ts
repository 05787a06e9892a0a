// Callers without privileges: what they may do is asked of the merged tree, what the overlay does is done by the
// mounter (rules 116, 148, 150-153).
import { expect } from 'chai'
import {
  type FileSystem,
  makeDevice,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  rootOfNamespace,
  S_IFCHR,
  type Tree,
  user,
} from '../../../src/fs/index.ts'
import {
  errno,
  exists,
  isWhiteout,
  type Layers,
  names,
  type OverlayStage,
  overlayChecks,
  text,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'

const nobody = user(65_534)
const { uid } = nobody

const lower: Tree = {
  private: { content: 'x', mode: '0600' },
  readOnly: { content: 'x', mode: '0444', uid, gid: uid },
  own: { content: 'x', uid, gid: uid, xattrs: { 'trusted.b': '1', 'user.a': '1' } },
  other: 'x',
  public: { type: 'dir', mode: '0777' },
  'public/rootFile': 'x',
  sticky: { type: 'dir', mode: '1777' },
  'sticky/rootFile': 'x',
}

/** The overlay for nobody. */
function mount(s: OverlayStage): FileSystem {
  return s.mount({ lower: [lower] }).as(nobody)
}

function answers(...attempts: readonly (() => unknown)[]): readonly string[] {
  return attempts.map(errno)
}

overlayChecks('permissions', [
  [
    'P01',
    'modes and owners of the merged tree count, for the caller: EACCES',
    s => {
      const m = mount(s)
      const refused = answers(
        () => m.open('private', O_RDONLY),
        () => m.open('readOnly', O_WRONLY),
      )
      expect(refused).to.deep.equal(['EACCES', 'EACCES'])
      expect(text(m, 'readOnly')).to.equal('x')
    },
  ],
  [
    'P02',
    'what is refused copies nothing up',
    s => {
      const m = mount(s)
      answers(
        () => m.open('private', O_RDWR),
        () => m.open('readOnly', O_WRONLY),
        () => m.truncate('other', 0),
      )
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'P03',
    'the copy-up of one’s own file is done by the mounter, who may write overlay.origin; the owner stays',
    s => {
      mount(s).open('own', O_WRONLY).close()
      expect(s.u.lstat('own').uid).to.equal(uid)
      expect(xattrs(s.u, 'own')).to.include(`${TR}origin`)
    },
  ],
  [
    'P04',
    'chmod, chown and utimens of others’ files: EPERM, no copy-up',
    s => {
      const m = mount(s)
      const refused = answers(
        () => m.chmod('other', 0o777),
        () => m.chown('other', uid, uid),
        () => m.utimens('other', { atime: 1n, mtime: 1n }),
      )
      expect([refused, names(s.u)]).to.deep.equal([['EPERM', 'EPERM', 'EPERM'], []])
    },
  ],
  [
    'P05',
    'utimens to the present needs the permission to write: EACCES',
    s => {
      const m = mount(s)
      expect(errno(() => m.utimens('other', { atime: 'now', mtime: 'now' }))).to.equal('EACCES')
    },
  ],
  [
    'P06',
    'the whiteout of an unlink belongs to the mounter',
    s => {
      mount(s).unlink('public/rootFile')
      expect([isWhiteout(s.u, 'public/rootFile'), s.u.lstat('public/rootFile').uid]).to.deep.equal([true, 0])
    },
  ],
  [
    'P07',
    'what a caller makes belongs to the caller',
    s => {
      mount(s).writeFile('public/new', '')
      expect(s.u.lstat('public/new')).to.include({ uid, gid: uid })
    },
  ],
  [
    'P08',
    'over a whiteout too',
    s => {
      const m = mount(s)
      m.unlink('public/rootFile')
      m.writeFile('public/rootFile', 'new')
      expect(s.u.lstat('public/rootFile')).to.include({ uid, gid: uid })
    },
  ],
  [
    'P09',
    'a sticky directory keeps others’ files: EPERM, no copy-up',
    s => {
      const m = mount(s)
      const refused = answers(
        () => m.unlink('sticky/rootFile'),
        () => m.rename('sticky/rootFile', 'sticky/z'),
      )
      expect([refused, exists(s.u, 'sticky')]).to.deep.equal([['EPERM', 'EPERM'], false])
    },
  ],
  [
    'P10',
    'names in a directory that the caller may not write: EACCES, no copy-up',
    s => {
      const m = mount(s)
      const refused = answers(
        () => m.writeFile('new', ''),
        () => m.unlink('own'),
        () => m.mkdir('new', 0o755),
        () => m.rename('own', 'own2'),
      )
      expect([refused, names(s.u)]).to.deep.equal([['EACCES', 'EACCES', 'EACCES', 'EACCES'], []])
    },
  ],
  [
    'P11',
    'mknod of devices, 0:0 or others: EPERM',
    s => {
      const m = mount(s)
      const refused = answers(
        () => m.mknod('public/w', S_IFCHR, 0),
        () => m.mknod('public/w', S_IFCHR, makeDevice(1, 3)),
      )
      expect(refused).to.deep.equal(['EPERM', 'EPERM'])
    },
  ],
  [
    'P12',
    'attributes of trusted are neither listed nor read',
    s => {
      const m = mount(s)
      expect([xattrs(m, 'own'), xattr(m, 'own', 'trusted.b')]).to.deep.equal([['user.a'], 'ENODATA'])
    },
  ],
  [
    'P13',
    'link of others’ files: EPERM (protected_hardlinks=1), no copy-up',
    s => {
      const m = mount(s)
      expect(errno(() => m.link('other', 'public/l'))).to.equal('EPERM')
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'P14',
    'writing takes set-user-ID and set-group-ID from the upper copy',
    s => {
      const m = s.mount({ lower: [{ su: { content: 'x', mode: '6755', uid, gid: uid } }] })
      const handle = m.as(nobody).open('su', O_RDWR)
      handle.write(new TextEncoder().encode('y'))
      handle.close()
      expect(s.u.lstat('su').mode & 0o7777).to.equal(0o755)
    },
  ],
  [
    'P14b',
    'opening for writing does not',
    s => {
      const m = s.mount({ lower: [{ su: { content: 'x', mode: '6755', uid, gid: uid } }] })
      m.as(nobody).open('su', O_WRONLY).close()
      expect(s.u.lstat('su').mode & 0o7777).to.equal(0o6755)
    },
  ],
  [
    'P15',
    'the root of a layer beneath another does not guard what is in it',
    s => {
      const m = s.mount({ lower: [{ '': { type: 'dir', mode: '0700' }, 'd/f': 's' }] })
      expect(text(m.as(nobody), 'd/f')).to.equal('s')
    },
  ],
])

const kernel = 'such a mount needs a user namespace of its own'

/** Root of a user namespace that has one id: that of nobody. */
const namespaceRoot = rootOfNamespace([{ first: uid, count: 1 }])

/** The overlay of a mounter who is root nowhere but in a user namespace. Layers belong to them. */
function mountAsNobody(s: OverlayStage, options = ''): FileSystem {
  makeForNobody(s, options)
  return s.remount().as(namespaceRoot)
}

function makeForNobody(s: OverlayStage, options: string): void {
  const layers: Layers = { lower: [{ f: { content: 'x', uid, gid: uid } }], options, mounter: namespaceRoot }
  s.make(layers)
  for (const layer of [s.u, s.w]) layer.chown('', uid, uid)
}

overlayChecks('a mounter without privileges', [
  [
    'P16',
    'unlink leaves a whiteout; mkdir over it fails with EIO, for want of trusted attributes',
    s => {
      const m = mountAsNobody(s)
      expect(
        answers(
          () => m.unlink('f'),
          () => m.mkdir('f', 0o755),
        ),
      ).to.deep.equal(['OK', 'EIO'])
      expect(isWhiteout(s.u, 'f')).to.equal(true)
    },
    { kernel },
  ],
  [
    'P17',
    'with userxattr it succeeds and sets user.overlay.opaque',
    s => {
      const m = mountAsNobody(s, 'userxattr')
      m.unlink('f')
      m.mkdir('f', 0o755)
      expect(xattr(s.u, 'f', 'user.overlay.opaque')).to.equal('y')
    },
    { kernel },
  ],
  [
    'P18',
    'redirect_dir=on and metacopy=on: the mount is refused with EPERM',
    s => {
      const refused = ['redirect_dir=on', 'metacopy=on'].map(options => {
        makeForNobody(s, options)
        return s.tryMount()
      })
      expect(refused).to.deep.equal(['EPERM', 'EPERM'])
    },
    { kernel },
  ],
  [
    'P19',
    'a whiteout belongs to the mounter',
    s => {
      mountAsNobody(s).unlink('f')
      expect([isWhiteout(s.u, 'f'), s.u.lstat('f').uid]).to.deep.equal([true, uid])
    },
    { kernel },
  ],
])
