// What rename(2) of directories leaves in the upper layer: opaque marks and redirects (rules 127, 128, 131-137).
import { expect } from 'chai'
import { type FileSystem, O_DIRECTORY, O_RDONLY, RENAME_EXCHANGE } from '../../../src/fs/index.ts'
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
import { directory, whiteout } from '../../support/overlay-trees.ts'

const opaqueMark = `${TR}opaque`
const redirect = `${TR}redirect`

/** A mount with directories to move about, the first rename done. */
function moved(s: OverlayStage): FileSystem {
  const lower = { 'd/x': '', 'p/q/r/y': '', z: directory }
  const m = s.mount({ lower: [lower], options: 'redirect_dir=on' })
  m.rename('d', 'd2')
  return m
}

overlayChecks('rename of directories', [
  [
    'R18',
    'a lower directory: EXDEV, nothing is copied up',
    s => {
      const m = s.mount({ lower: [{ d: directory }] })
      expect([errno(() => m.rename('d', 'e')), names(s.u)]).to.deep.equal(['EXDEV', []])
    },
  ],
  [
    'R19',
    'a merged directory: EXDEV',
    s => {
      const m = s.mount({ lower: [{ d: directory }], upper: { d: directory } })
      expect(errno(() => m.rename('d', 'e'))).to.equal('EXDEV')
    },
  ],
  [
    'R20',
    'one of the upper layer alone is moved, and opaque in a merged parent',
    s => {
      s.mount({ upper: { d: directory } }).rename('d', 'e')
      expect([names(s.m), xattrs(s.u, 'e')]).to.deep.equal([['e'], [opaqueMark]])
    },
  ],
  [
    'R21',
    'not opaque in a parent of the upper layer alone',
    s => {
      const m = s.mount({ lower: [{ low: directory }] })
      for (const path of ['d', 'up']) m.mkdir(path, 0o755)
      m.rename('d', 'up/d')
      const inUpper = xattrs(s.u, 'up/d')
      m.rename('up/d', 'low/d')
      expect([inUpper, xattrs(s.u, 'low/d')]).to.deep.equal([[], [opaqueMark]])
    },
  ],
  [
    'R22',
    'an opaque one, made where a lower one was removed, is moved; a whiteout stays behind',
    s => {
      const m = s.mount({ lower: [{ d: directory }] })
      m.rmdir('d')
      m.mkdir('d', 0o755)
      m.writeFile('d/f', '')
      m.rename('d', 'e')
      expect([isWhiteout(s.u, 'd'), xattr(s.u, 'e', opaqueMark), names(m, 'e')]).to.deep.equal([true, 'y', ['f']])
    },
  ],
  [
    'R23',
    'an upper one over a whiteout: the whiteout goes, the directory becomes opaque',
    s => {
      const m = s.mount({ lower: [{ 'b/x': '' }] })
      m.mkdir('n', 0o755)
      m.writeFile('n/f', '')
      m.unlink('b/x')
      m.rmdir('b')
      m.rename('n', 'b')
      expect([xattr(s.u, 'b', opaqueMark), exists(s.u, 'n'), names(m, 'b')]).to.deep.equal(['y', false, ['f']])
    },
  ],
  [
    'R24',
    'over a merged one that holds whiteouts only: it is emptied and replaced',
    s => {
      const m = s.mount({ lower: [{ 'b/x': '' }] })
      m.mkdir('n', 0o755)
      m.unlink('b/x')
      const before = names(s.u, 'b')
      m.rename('n', 'b')
      expect([before, names(m, 'b'), names(s.u, 'b'), xattr(s.u, 'b', opaqueMark)]).to.deep.equal([['x'], [], [], 'y'])
    },
  ],
  [
    'R25',
    'over an empty lower one: opaque',
    s => {
      const m = s.mount({ lower: [{ b: directory }] })
      m.mkdir('n', 0o755)
      m.rename('n', 'b')
      expect(xattr(s.u, 'b', opaqueMark)).to.equal('y')
    },
  ],
  [
    'R30',
    'EXCHANGE of a lower file and an upper directory: the directory becomes opaque',
    s => {
      const m = s.mount({ lower: [{ a: 'A' }], upper: { b: directory } })
      m.rename('a', 'b', { flags: RENAME_EXCHANGE })
      expect([text(m, 'b'), names(m, 'a'), xattrs(s.u, 'a')]).to.deep.equal(['A', [], [opaqueMark]])
    },
  ],
  [
    'R31',
    'EXCHANGE with a lower directory: EXDEV',
    s => {
      const m = s.mount({ lower: [{ a: 'A', b: directory }] })
      expect(errno(() => m.rename('a', 'b', { flags: RENAME_EXCHANGE }))).to.equal('EXDEV')
    },
  ],
  [
    'R32',
    'and with redirect_dir=on the directory gets a redirect',
    s => {
      const m = s.mount({ lower: [{ a: 'A', 'd/x': '' }], options: 'redirect_dir=on' })
      m.rename('a', 'd', { flags: RENAME_EXCHANGE })
      expect([names(m, 'a'), text(m, 'd'), xattr(s.u, 'a', redirect)]).to.deep.equal([['x'], 'A', 'd'])
    },
  ],
  [
    'R33',
    'redirect_dir=on: the directory alone is copied up and redirects to its old name, a whiteout stays behind',
    s => {
      const m = moved(s)
      expect([xattr(s.u, 'd2', redirect), isWhiteout(s.u, 'd')]).to.deep.equal(['d', true])
      expect([names(s.u, 'd2'), names(m, 'd2')]).to.deep.equal([[], ['x']])
    },
  ],
  [
    'R34',
    'its inode number stays',
    s => {
      const m = s.mount({ lower: [{ d: directory }], options: 'redirect_dir=on' })
      const { ino } = m.lstat('d')
      m.rename('d', 'd2')
      expect(m.lstat('d2').ino).to.equal(ino)
    },
  ],
  [
    'R35',
    'renamed again it keeps the redirect, and leaves no second whiteout',
    s => {
      moved(s).rename('d2', 'd3')
      expect([xattr(s.u, 'd3', redirect), exists(s.u, 'd2')]).to.deep.equal(['d', false])
    },
  ],
  [
    'R36',
    'in another parent the redirect becomes absolute',
    s => {
      moved(s).rename('d2', 'z/d4')
      expect(xattr(s.u, 'z/d4', redirect)).to.equal('/d')
    },
  ],
  [
    'R37',
    'and stays so at its first name, where the whiteout was',
    s => {
      const m = moved(s)
      m.rename('d2', 'z/d4')
      m.rename('z/d4', 'd')
      expect([xattr(s.u, 'd', redirect), names(m, 'd'), isWhiteout(s.u, 'd')]).to.deep.equal(['/d', ['x'], false])
    },
  ],
  [
    'R38',
    'an absolute redirect is built through the redirects of the directories above',
    s => {
      const m = moved(s)
      m.rename('p/q', 'p/q2')
      m.rename('p/q2/r', 'z/r')
      expect([xattr(s.u, 'z/r', redirect), xattr(s.u, 'p/q2', redirect)]).to.deep.equal(['/p/q/r', 'q'])
    },
  ],
  [
    'R39',
    'a default mount follows it, and does not rename the directory again: EXDEV',
    s => {
      moved(s).rename('p/q/r', 'z/r')
      const m = s.remount('')
      expect([names(m, 'z/r'), errno(() => m.rename('z/r', 'z/r2'))]).to.deep.equal([['y'], 'EXDEV'])
    },
  ],
  [
    'R40',
    'an absolute redirect of more than 256 bytes: EXDEV; one name works',
    s => {
      const long = `${'n'.repeat(130)}/${'n'.repeat(130)}`
      const m = s.mount({ lower: [{ [`${long}/leaf/f`]: '' }], options: 'redirect_dir=on' })
      const results = ['leaf', `${long}/leaf2`].map(to => errno(() => m.rename(`${long}/leaf`, to)))
      expect(results).to.deep.equal(['EXDEV', 'OK'])
    },
  ],
  [
    'R41',
    'a lower directory over an empty lower one: nothing of that shows',
    s => {
      const m = s.mount({ lower: [{ 'd/x': '', e: directory }], options: 'redirect_dir=on' })
      m.rename('d', 'e')
      expect([xattr(s.u, 'e', redirect), isWhiteout(s.u, 'd'), names(m, 'e')]).to.deep.equal(['d', true, ['x']])
    },
  ],
  [
    'R42',
    'one of the upper layer alone never gets a redirect',
    s => {
      const m = s.mount({ lower: [{ d: directory }], options: 'redirect_dir=on' })
      m.mkdir('n', 0o755)
      m.rename('n', 'n2')
      expect(xattrs(s.u, 'n2')).to.deep.equal([opaqueMark])
    },
  ],
  [
    'R44',
    'a directory merged from several layers shows them all',
    s => {
      const m = s.mount({ lower: [{ 'd/a': '' }, { 'd/b': '' }], options: 'redirect_dir=on' })
      m.rename('d', 'e')
      expect(names(m, 'e')).to.deep.equal(['a', 'b'])
    },
  ],
  [
    'R46',
    'an open directory goes on under its new name',
    s => {
      const m = s.mount({ lower: [{ 'd/x': '' }], options: 'redirect_dir=on' })
      const handle = m.open('d', O_RDONLY | O_DIRECTORY)
      m.rename('d', 'e')
      const listed = handle.readdir().map(({ name }) => name)
      handle.close()
      expect(listed).to.include('x')
    },
  ],
  [
    'R50',
    'over one of the upper layer alone with a stray whiteout: ENOTEMPTY',
    s => {
      const m = s.mount({ upper: { 'd/w': whiteout, n: directory } })
      expect(errno(() => m.rename('n', 'd'))).to.equal('ENOTEMPTY')
    },
  ],
])
