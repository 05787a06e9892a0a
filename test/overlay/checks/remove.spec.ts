// What removing names leaves in the upper layer, and what links share there (rules 54, 55, 92, 123-129).
import { expect } from 'chai'
import { O_RDONLY, type Tree } from '../../../src/fs/index.ts'
import {
  errno,
  exists,
  isWhiteout,
  names,
  type OverlayStage,
  overlayChecks,
  text,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory, opaque, whiteout } from '../../support/overlay-trees.ts'

const ages = '1000000000'

/** A directory whose two lower files are gone. */
function emptied(s: OverlayStage): void {
  const m = s.mount({ lower: [{ 'd/a': '', 'd/b': '', e: directory }] })
  m.unlink('d/a')
  m.unlink('d/b')
}

/** A lower file with a second name in another directory. */
function linked(s: OverlayStage): void {
  const lower: Tree = { f: { type: 'file', content: 'data', mtime: ages }, d: directory, sub: directory }
  s.mount({ lower: [lower] }).link('f', 'sub/g')
}

overlayChecks('removing names', [
  [
    'D10',
    'unlink of a lower file leaves a character device 0:0',
    s => {
      s.mount({ lower: [{ f: '' }] }).unlink('f')
      expect(isWhiteout(s.u, 'f')).to.equal(true)
    },
  ],
  [
    'D11',
    'of mode 0000, of root, without attributes',
    s => {
      s.mount({ lower: [{ f: { type: 'file', content: '', uid: 9 } }] }).unlink('f')
      const { mode, uid } = s.u.lstat('f')
      expect([mode & 0o7777, uid, xattrs(s.u, 'f')]).to.deep.equal([0, 0, []])
    },
  ],
  [
    'D13',
    'rmdir of a merged directory: a whiteout takes its place',
    s => {
      emptied(s)
      s.m.rmdir('d')
      expect(isWhiteout(s.u, 'd')).to.equal(true)
    },
  ],
  [
    'D24',
    'a file of the upper layer alone leaves none',
    s => {
      const m = s.mount()
      m.writeFile('up', '')
      m.unlink('up')
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'D25',
    'a copied-up file leaves one',
    s => {
      const m = s.mount({ lower: [{ q: 'x' }] })
      m.writeFile('q', 'mod')
      m.unlink('q')
      expect(isWhiteout(s.u, 'q')).to.equal(true)
    },
  ],
  [
    'D26',
    'and so does one made anew over a whiteout',
    s => {
      const m = s.mount({ lower: [{ q: 'x' }] })
      m.unlink('q')
      m.writeFile('q', 'again')
      m.unlink('q')
      expect(isWhiteout(s.u, 'q')).to.equal(true)
    },
  ],
  [
    'D27',
    'none is left where a middle layer hides the name',
    s => {
      const m = s.mount({ lower: [{ f: whiteout }, { f: 'x' }] })
      m.writeFile('f', '')
      m.unlink('f')
      expect(exists(s.u, 'f')).to.equal(false)
    },
  ],
  [
    'D28',
    'the whiteouts of a mount are links of one inode, which is in the workdir too',
    s => {
      const m = s.mount({ lower: [{ a: '', b: '' }] })
      m.unlink('a')
      m.unlink('b')
      const [a, b] = [s.u.lstat('a'), s.u.lstat('b')]
      expect([a.ino === b.ino, a.nlink >= 3]).to.deep.equal([true, true])
    },
  ],
  [
    'D29',
    'a name that is hidden: ENOENT',
    s => {
      const m = s.mount({ lower: [{ f: '' }] })
      m.unlink('f')
      const attempts = [() => m.unlink('f'), () => m.rmdir('f'), () => m.stat('f')]
      expect(attempts.map(attempt => errno(attempt))).to.deep.equal(['ENOENT', 'ENOENT', 'ENOENT'])
    },
  ],
  [
    'D30',
    'after unmount the shared whiteout is all that may stay in the workdir',
    s => {
      s.mount({ lower: [{ f: '' }] }).unlink('f')
      s.unmount()
      expect(names(s.w, 'work').every(name => isWhiteout(s.w, `work/${name}`))).to.equal(true)
    },
  ],
  [
    'D31',
    'and the next mount removes it',
    s => {
      s.mount({ lower: [{ f: '' }] }).unlink('f')
      s.remount()
      expect(names(s.w, 'work')).to.deep.equal([])
    },
  ],
  [
    'D32',
    'rmdir of a lower directory that is not empty: ENOTEMPTY, nothing is copied up',
    s => {
      const m = s.mount({ lower: [{ 'd/a': '' }] })
      expect([errno(() => m.rmdir('d')), names(s.u)]).to.deep.equal(['ENOTEMPTY', []])
    },
  ],
  [
    'D33',
    'unlink of a directory EISDIR, rmdir of a file ENOTDIR',
    s => {
      const m = s.mount({ lower: [{ 'd/a': '' }] })
      expect([errno(() => m.unlink('d')), errno(() => m.rmdir('d/a'))]).to.deep.equal(['EISDIR', 'ENOTDIR'])
    },
  ],
  [
    'D34',
    'a directory of whiteouts lists empty',
    s => {
      emptied(s)
      expect([names(s.m, 'd'), names(s.u, 'd')]).to.deep.equal([[], ['a', 'b']])
    },
  ],
  [
    'D35',
    'its rmdir leaves one whiteout, and nothing but whiteouts in the workdir',
    s => {
      emptied(s)
      s.m.rmdir('d')
      const left = names(s.w, 'work')
      expect(left.every(name => name.startsWith('#') && isWhiteout(s.w, `work/${name}`))).to.equal(true)
    },
  ],
  [
    'D36',
    'rmdir of an empty lower directory: a whiteout',
    s => {
      s.mount({ lower: [{ e: directory }] }).rmdir('e')
      expect(isWhiteout(s.u, 'e')).to.equal(true)
    },
  ],
  [
    'D37',
    'rmdir of upper directories leaves nothing',
    s => {
      const m = s.mount()
      m.mkdir('p', 0o755)
      m.mkdir('p/c', 0o755)
      m.rmdir('p/c')
      m.rmdir('p')
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'D38',
    'in an opaque directory nothing is left',
    s => {
      const m = s.mount({ lower: [{ 'd/a': '' }], upper: { d: opaque } })
      m.writeFile('d/a', '')
      m.unlink('d/a')
      expect(names(s.u, 'd')).to.deep.equal([])
    },
  ],
  [
    'D39',
    'and its rmdir leaves a whiteout where a lower one exists',
    s => {
      s.mount({ lower: [{ 'd/a': '' }], upper: { d: opaque } }).rmdir('d')
      expect(isWhiteout(s.u, 'd')).to.equal(true)
    },
  ],
  [
    'D40',
    'the directory is copied up and gets a new time',
    s => {
      const m = s.mount({ lower: [{ d: { type: 'dir', mtime: ages }, 'd/a': '' }] })
      m.unlink('d/a')
      expect([m.lstat('d').mtimeNs > 1_600_000_000_000_000_000n, exists(s.u, 'd')]).to.deep.equal([true, true])
    },
  ],
  [
    'D41',
    'an open lower file is read on after its unlink',
    s => {
      const m = s.mount({ lower: [{ f: 'data' }] })
      const handle = m.open('f', O_RDONLY)
      m.unlink('f')
      const bytes = new Uint8Array(8)
      expect(handle.read(bytes)).to.equal(4)
      handle.close()
    },
  ],
  [
    'D42',
    'a stray whiteout in a directory of the upper layer alone is listed, and keeps it from going: ENOTEMPTY',
    s => {
      const m = s.mount({ upper: { 'd/w': whiteout } })
      expect([names(m, 'd'), errno(() => m.rmdir('d'))]).to.deep.equal([['w'], 'ENOTEMPTY'])
    },
  ],
  [
    'D43',
    'with overlay.origin on the directory, an empty one too, it is hidden and goes',
    s => {
      const m = s.mount({ upper: { d: { type: 'dir', xattrs: { [`${TR}origin`]: '' } }, 'd/w': whiteout } })
      expect([names(m, 'd'), errno(() => m.rmdir('d')), exists(s.u, 'd')]).to.deep.equal([[], 'OK', false])
    },
  ],
  [
    'D44',
    'in an opaque directory over a lower one it is listed, and yet the directory goes',
    s => {
      const m = s.mount({ lower: [{ d: directory }], upper: { d: opaque, 'd/w': whiteout } })
      expect([names(m, 'd'), errno(() => m.rmdir('d')), isWhiteout(s.u, 'd')]).to.deep.equal([['w'], 'OK', true])
    },
  ],
])

overlayChecks('linking', [
  [
    'K01',
    'a lower file is copied up with the directory of the new name; both names are one upper file',
    s => {
      linked(s)
      expect(s.u.lstat('f').ino).to.equal(s.u.lstat('sub/g').ino)
      expect([s.m.lstat('f').nlink, s.m.lstat('sub/g').nlink]).to.deep.equal([2, 2])
    },
  ],
  [
    'K02',
    'its time stays',
    s => {
      linked(s)
      expect(s.m.lstat('f').mtimeNs).to.equal(BigInt(ages) * 1_000_000_000n)
    },
  ],
  [
    'K03',
    'to a name that exists EEXIST, of a directory EPERM, of nothing ENOENT',
    s => {
      linked(s)
      const results = [
        errno(() => s.m.link('f', 'sub/g')),
        errno(() => s.m.link('d', 'dd')),
        errno(() => s.m.link('no', 'dd')),
      ]
      expect(results).to.deep.equal(['EEXIST', 'EPERM', 'ENOENT'])
    },
  ],
  [
    'K04',
    'a file with an origin makes the directory of the new name impure',
    s => {
      linked(s)
      expect(xattr(s.u, 'sub', `${TR}impure`)).to.equal('y')
    },
  ],
  [
    'K05',
    'unlink of one name: a whiteout where a lower one exists, the other stays with one link',
    s => {
      linked(s)
      s.m.unlink('f')
      expect([isWhiteout(s.u, 'f'), s.m.lstat('sub/g').nlink]).to.deep.equal([true, 1])
    },
  ],
  [
    'K06',
    'over a whiteout: it is replaced',
    s => {
      linked(s)
      s.m.unlink('f')
      s.m.link('sub/g', 'f')
      expect([text(s.m, 'f'), s.m.lstat('f').nlink]).to.deep.equal(['data', 2])
    },
  ],
  [
    'K07',
    'symlinks and FIFOs are copied up and linked too',
    s => {
      const m = s.mount({ lower: [{ s: { type: 'symlink', target: 'zz' }, p: { type: 'fifo' } }] })
      m.link('s', 's2')
      m.link('p', 'p2')
      expect([s.u.lstat('s').nlink, s.u.lstat('p').nlink]).to.deep.equal([2, 2])
    },
  ],
])
