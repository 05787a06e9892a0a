// What making objects leaves in the upper layer: copied-up parents, and nothing of what a whiteout hides (rules 96-98,
// 117-122).
import { expect } from 'chai'
import {
  makeDevice,
  O_CREAT,
  O_EXCL,
  O_WRONLY,
  root,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  type Tree,
} from '../../../src/fs/index.ts'
import {
  type Check,
  errno,
  exists,
  isWhiteout,
  names,
  type OverlayStage,
  overlayChecks,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory } from '../../support/overlay-trees.ts'

const opaqueMark = `${TR}opaque`
const ages = 1_000_000_000_000_000_000n
const nested: Tree = {
  a: { type: 'dir', mode: '0710', uid: 5, gid: 6, mtime: '1000000000', xattrs: { 'user.k': 'v' } },
  'a/b': { type: 'dir', mode: '2755', mtime: '2000000' },
  'a/b/f': 'x',
}
/** Objects to be removed and made anew. */
const old: Tree = {
  f: { type: 'file', content: 'low', mode: '0600', uid: 9, gid: 9, xattrs: { 'user.q': '1' } },
  'd/x': '',
  s: { type: 'symlink', target: 'zz' },
}

function makeInNested(s: OverlayStage): void {
  s.mount({ lower: [nested] }).writeFile('a/b/new', '')
}

function modeOf(s: OverlayStage, path: string): number {
  return s.u.lstat(path).mode & 0o7777
}

/** mkdir in a merged and in an upper parent: whether each is opaque. */
function opaqueDirectories(options: string, isOpaque: boolean): Check[2] {
  return s => {
    const m = s.mount({ lower: [{ low: directory }], options })
    for (const path of ['n', 'low/n', 'n/n']) m.mkdir(path, 0o755)
    const marks = ['n', 'low/n', 'n/n'].map(path => xattr(s.u, path, opaqueMark))
    const merged = isOpaque ? 'y' : 'ENODATA'
    expect(marks).to.deep.equal([merged, merged, 'ENODATA'])
  }
}

overlayChecks('making objects', [
  [
    'D01',
    'a file in the root has no attribute of overlayfs, and nothing stays in the workdir',
    s => {
      s.mount().writeFile('top', '')
      expect([xattrs(s.u, 'top'), names(s.w, 'work')]).to.deep.equal([[], []])
    },
  ],
  [
    'D02',
    'missing parents are copied up without their children, with mode, owner and attributes',
    s => {
      makeInNested(s)
      const { mode, uid, gid } = s.u.lstat('a')
      expect([mode & 0o7777, uid, gid, xattr(s.u, 'a', 'user.k')]).to.deep.equal([0o710, 5, 6, 'v'])
      expect([names(s.u, 'a/b'), modeOf(s, 'a/b')]).to.deep.equal([['new'], 0o2755])
    },
  ],
  [
    'D03',
    'a copied-up parent keeps its times',
    s => {
      makeInNested(s)
      expect(s.u.lstat('a').mtimeNs).to.equal(ages)
    },
  ],
  [
    'D04',
    'the directory of the new name gets a new time',
    s => {
      makeInNested(s)
      expect(s.m.lstat('a/b').mtimeNs > ages).to.equal(true)
    },
  ],
  [
    'D05',
    'each copied-up directory has overlay.origin, its parent overlay.impure',
    s => {
      makeInNested(s)
      const has = (path: string, mark: string): boolean => xattrs(s.u, path).includes(`${TR}${mark}`)
      expect([has('a', 'origin'), has('a/b', 'origin')]).to.deep.equal([true, true])
      expect([has('/', 'impure'), has('a', 'impure'), has('a/b', 'impure')]).to.deep.equal([true, true, false])
    },
  ],
  [
    'D06',
    'and is neither opaque nor redirected',
    s => {
      makeInNested(s)
      expect(xattrs(s.u, 'a')).to.deep.equal([`${TR}impure`, `${TR}origin`, 'user.k'])
    },
  ],
  [
    'D07',
    'in a directory with setgid a file takes its group, a directory setgid too',
    s => {
      const m = s.mount({ lower: [{ d: { type: 'dir', mode: '2755', gid: 33 } }] })
      m.writeFile('d/g', '')
      m.mkdir('d/gd', 0o755)
      expect([s.u.lstat('d/g').gid, s.u.lstat('d/gd').gid, modeOf(s, 'd/gd') & S_ISGID]).to.deep.equal([
        33,
        33,
        S_ISGID,
      ])
    },
  ],
  [
    'D08',
    'O_EXCL on a lower file: EEXIST, it is not copied up',
    s => {
      const m = s.mount({ lower: [nested] })
      expect(errno(() => m.open('a/b/f', O_CREAT | O_EXCL | O_WRONLY))).to.equal('EEXIST')
      expect(exists(s.u, 'a/b/f')).to.equal(false)
    },
  ],
  [
    'D09',
    'the umask holds',
    s => {
      s.mount().writeFile('um', '', 0o666)
      expect(modeOf(s, 'um')).to.equal(0o644)
    },
  ],
  ['D20', 'mkdir where no lower name exists is not opaque by default', opaqueDirectories('', false)],
  [
    'D21reon',
    'with redirect_dir=on it is in a merged parent, never in an upper one',
    opaqueDirectories('redirect_dir=on', true),
  ],
  ['D21meon', 'with metacopy=on too', opaqueDirectories('metacopy=on', true)],
  ['D21inon', 'with index=on too', opaqueDirectories('index=on', true)],
  ['D21nfon', 'with nfs_export=on too', opaqueDirectories('nfs_export=on', true)],
  ['D21xion', 'with xino=on too', opaqueDirectories('xino=on', true)],
  ['D21xito', 'with xino=auto not', opaqueDirectories('xino=auto', false)],
  [
    'D22',
    'mknod of a character device 0:0: EPERM; other devices, block 0:0 and regular files are made',
    s => {
      const m = s.mount()
      const results = [
        errno(() => m.mknod('w', S_IFCHR | 0o600, 0)),
        errno(() => m.mknod('c', S_IFCHR | 0o600, makeDevice(1, 3))),
        errno(() => m.mknod('b', S_IFBLK | 0o600, 0)),
        errno(() => m.mknod('f', S_IFREG | 0o600, 0)),
      ]
      expect(results).to.deep.equal(['EPERM', 'OK', 'OK', 'OK'])
    },
  ],
  [
    'D23',
    'on a name that exists: EEXIST',
    s => {
      const m = s.mount({ lower: [{ x: '' }] })
      expect(errno(() => m.mknod('x', S_IFCHR, 0))).to.equal('EEXIST')
    },
  ],
  [
    'D23b',
    'in a directory that does not exist: ENOENT',
    s => {
      const m = s.mount()
      expect(errno(() => m.mknod('nodir/x', S_IFCHR, 0))).to.equal('ENOENT')
    },
  ],
  [
    'D45',
    'the target of a symlink has 1 to 4095 bytes',
    s => {
      const m = s.mount()
      m.symlink('x'.repeat(4095), 'long')
      const refused = ['x'.repeat(4096), ''].map(target => errno(() => m.symlink(target, 'other')))
      expect([m.readlink('long').length, ...refused]).to.deep.equal([4095, 'ENAMETOOLONG', 'ENOENT'])
    },
  ],
  [
    'D46',
    'a symlink has mode 0777 and the length of its target as size',
    s => {
      const m = s.mount()
      m.symlink('abc', 's')
      expect([modeOf(s, 's'), m.lstat('s').sizeBytes]).to.deep.equal([0o777, 3])
    },
  ],
  [
    'D47',
    'a socket is made in the upper layer',
    s => {
      s.mount().mknod('k', S_IFSOCK | 0o755)
      expect(s.u.lstat('k').mode & 0o170000).to.equal(S_IFSOCK)
    },
  ],
])

overlayChecks('making objects over whiteouts', [
  [
    'D12',
    'a file: nothing of the lower one shows, no attribute of overlayfs, the whiteout is gone',
    s => {
      const m = s.mount({ lower: [old] })
      m.unlink('f')
      m.writeFile('f', '')
      const { uid, sizeBytes } = s.u.lstat('f')
      expect([uid, modeOf(s, 'f'), sizeBytes, xattrs(s.u, 'f')]).to.deep.equal([0, 0o644, 0, []])
      expect(names(s.w, 'work').every(name => isWhiteout(s.w, `work/${name}`))).to.equal(true)
    },
  ],
  [
    'D14',
    'a directory is opaque, without origin',
    s => {
      const m = s.mount({ lower: [old] })
      m.unlink('d/x')
      m.rmdir('d')
      m.mkdir('d', 0o755)
      expect([xattr(s.u, 'd', opaqueMark), xattrs(s.u, 'd'), names(m, 'd')]).to.deep.equal(['y', [opaqueMark], []])
    },
  ],
  [
    'D15',
    'a symlink',
    s => {
      const m = s.mount({ lower: [old] })
      m.unlink('s')
      m.symlink('new', 's')
      expect([m.readlink('s'), xattrs(s.u, 's')]).to.deep.equal(['new', []])
    },
  ],
  [
    'D16',
    'a FIFO has the mode that was asked for',
    s => {
      const m = s.mount({ lower: [old] })
      m.unlink('s')
      m.mknod('s', S_IFIFO | 0o640)
      expect(modeOf(s, 's')).to.equal(0o640)
    },
  ],
  [
    'D17',
    'a directory in place of a file is opaque too',
    s => {
      const m = s.mount({ lower: [old] })
      m.unlink('s')
      m.mkdir('s', 0o755)
      expect(xattr(s.u, 's', opaqueMark)).to.equal('y')
    },
  ],
  [
    'D18',
    'the umask holds',
    s => {
      const m = s.mount({ lower: [old] }).as({ ...root, umask: 0o077 })
      m.unlink('f')
      m.writeFile('f', '', 0o666)
      expect(modeOf(s, 'f')).to.equal(0o600)
    },
  ],
  [
    'D19',
    'setgid of the directory is inherited',
    s => {
      const m = s.mount({ lower: [{ sg: { type: 'dir', mode: '2777', gid: 44 }, 'sg/x': '' }] })
      m.unlink('sg/x')
      m.mkdir('sg/x', 0o755)
      expect([s.u.lstat('sg/x').gid, modeOf(s, 'sg/x') & S_ISGID]).to.deep.equal([44, S_ISGID])
    },
  ],
])
