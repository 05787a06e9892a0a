// What rename(2) of files leaves in the upper layer, and what it refuses (rules 131, 136-141).
import { expect } from 'chai'
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, type Tree } from '../../../src/fs/index.ts'
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

/** The upper layer after `rename a b`. */
function upperAfter(s: OverlayStage, layers: Parameters<OverlayStage['mount']>[0], flags = 0): Record<string, string> {
  const m = s.mount(layers)
  m.rename('a', 'b', { flags })
  return Object.fromEntries(names(s.u).map(name => [name, isWhiteout(s.u, name) ? 'whiteout' : text(s.u, name)]))
}

/** The errnos of renames that must fail, on one mount; nothing else happens there. */
function refusals(s: OverlayStage, options = ''): Record<string, string> {
  const lower: Tree = { f: 'x', d: directory, 'e/x': '', emp: directory, g: 'x' }
  const m = s.mount({ lower: [lower], options })
  const attempt = (from: string, to: string, flags = 0): string => errno(() => m.rename(from, to, { flags }))
  return {
    fileOverDirectory: attempt('f', 'd'),
    directoryOverFile: attempt('d', 'f'),
    missing: attempt('nope', 'z'),
    intoItself: attempt('d', 'd/sub'),
    overFullDirectory: attempt('d', 'e'),
    lowerDirectory: attempt('d', 'nd'),
    missingParent: attempt('f', 'q/w'),
    noReplace: attempt('f', 'g', RENAME_NOREPLACE),
    whiteout: attempt('f', 'zz', RENAME_WHITEOUT),
    unknownFlag: attempt('f', 'zz', 8),
    exchangeMissing: attempt('f', 'zz', RENAME_EXCHANGE),
    bothFlags: attempt('f', 'g', RENAME_NOREPLACE | RENAME_EXCHANGE),
  }
}

overlayChecks('rename of files', [
  [
    'R01',
    'a lower file is copied up under its new name, with origin and without redirect; a whiteout stays behind',
    s => {
      expect(upperAfter(s, { lower: [{ a: 'AA' }] })).to.deep.equal({ a: 'whiteout', b: 'AA' })
      expect(xattrs(s.u, 'b')).to.deep.equal([`${TR}origin`])
      expect(names(s.m)).to.deep.equal(['b'])
    },
  ],
  [
    'R02',
    'a file of the upper layer alone leaves no whiteout',
    s => expect(upperAfter(s, { upper: { a: 'u' } })).to.deep.equal({ b: 'u' }),
  ],
  [
    'R03',
    'a lower file over a lower file replaces it',
    s => expect(upperAfter(s, { lower: [{ a: 'x', b: 'old' }] })).to.deep.equal({ a: 'whiteout', b: 'x' }),
  ],
  [
    'R04',
    'an upper file over a lower one leaves no whiteout',
    s => expect(upperAfter(s, { lower: [{ b: 'old' }], upper: { a: 'u' } })).to.deep.equal({ b: 'u' }),
  ],
  [
    'R05',
    'a lower file over a whiteout: the whiteout moves to the old name',
    s => {
      const layers = { lower: [{ a: 'x', b: 'old' }], upper: { b: whiteout } }
      expect(upperAfter(s, layers)).to.deep.equal({ a: 'whiteout', b: 'x' })
    },
  ],
  [
    'R06',
    'an upper file over a whiteout: the whiteout is gone',
    s => expect(upperAfter(s, { lower: [{ b: 'old' }], upper: { a: 'u', b: whiteout } })).to.deep.equal({ b: 'u' }),
  ],
  [
    'R07',
    'to its own name: nothing happens, nothing is copied up',
    s => {
      const m = s.mount({ lower: [{ a: 'x' }] })
      m.rename('a', 'a')
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'R10',
    'the whiteout that a rename leaves is an inode of its own, not the one that deletions share',
    s => {
      const m = s.mount({ lower: [{ a: 'x', c: 'x' }] })
      m.unlink('c')
      m.rename('a', 'b')
      const [left, shared] = [s.u.lstat('a'), s.u.lstat('c')]
      expect([left.nlink, left.ino === shared.ino]).to.deep.equal([1, false])
    },
  ],
  [
    'R11',
    'and its mode is 0000',
    s => {
      s.mount({ lower: [{ a: 'x' }] }).rename('a', 'b')
      expect(s.u.lstat('a').mode & 0o7777).to.equal(0)
    },
  ],
  [
    'R12',
    'file over directory EISDIR, directory over file ENOTDIR, missing ENOENT, into itself EINVAL',
    s =>
      expect(refusals(s)).to.include({
        fileOverDirectory: 'EISDIR',
        directoryOverFile: 'ENOTDIR',
        missing: 'ENOENT',
        intoItself: 'EINVAL',
        missingParent: 'ENOENT',
      }),
  ],
  [
    'R13',
    'flags: NOREPLACE EEXIST, WHITEOUT and unknown ones EINVAL, EXCHANGE with nothing ENOENT, both EINVAL',
    s =>
      expect(refusals(s)).to.include({
        noReplace: 'EEXIST',
        whiteout: 'EINVAL',
        unknownFlag: 'EINVAL',
        exchangeMissing: 'ENOENT',
        bothFlags: 'EINVAL',
      }),
  ],
  [
    'R14',
    'a rename that fails copies nothing up',
    s => {
      refusals(s)
      expect(names(s.u)).to.deep.equal([])
    },
  ],
  [
    'R15',
    'of a lower directory: EXDEV, even where the target is not empty',
    s => expect(refusals(s)).to.include({ lowerDirectory: 'EXDEV', overFullDirectory: 'EXDEV' }),
  ],
  [
    'R16',
    'with redirect_dir=on a directory over one that is not empty: ENOTEMPTY',
    s => expect(refusals(s, 'redirect_dir=on')).to.include({ lowerDirectory: 'OK', overFullDirectory: 'ENOTEMPTY' }),
  ],
  [
    'R17',
    'NOREPLACE over a whiteout succeeds',
    s => {
      const layers = { lower: [{ a: 'x', b: 'old' }], upper: { b: whiteout } }
      expect(upperAfter(s, layers, RENAME_NOREPLACE)).to.include({ b: 'x' })
    },
  ],
  [
    'R26',
    'a file with an origin makes the directory it comes to impure',
    s => {
      s.mount({ lower: [{ sub: directory, f: 'x' }] }).rename('f', 'sub/f')
      expect(xattr(s.u, 'sub', `${TR}impure`)).to.equal('y')
    },
  ],
  [
    'R27',
    'an upper file over a lower one in a lower directory: parents are copied up, no whiteout',
    s => {
      const m = s.mount({ lower: [{ 'low/f': 'x' }] })
      m.writeFile('n', '1')
      m.rename('n', 'low/f')
      expect([text(m, 'low/f'), names(s.u), names(s.u, 'low')]).to.deep.equal(['1', ['low'], ['f']])
    },
  ],
  [
    'R28',
    'the times of both directories change, those of the file do not',
    s => {
      const old = '1000000000'
      const lower: Tree = {
        'd/f': { type: 'file', content: '', mtime: old },
        d: { type: 'dir', mtime: old },
        e: { type: 'dir', mtime: old },
      }
      const m = s.mount({ lower: [lower] })
      m.rename('d/f', 'e/f')
      const seconds = (path: string): bigint => m.lstat(path).mtimeNs / 1_000_000_000n
      expect([seconds('d') > 1_600_000_000n, seconds('e') > 1_600_000_000n]).to.deep.equal([true, true])
      expect(seconds('e/f')).to.equal(1_000_000_000n)
    },
  ],
  [
    'R29',
    'EXCHANGE of two lower files copies both up and swaps them, without whiteouts',
    s => {
      const layers = { lower: [{ a: 'A', b: 'B' }] }
      expect(upperAfter(s, layers, RENAME_EXCHANGE)).to.deep.equal({ a: 'B', b: 'A' })
    },
  ],
  [
    'R43',
    'files get no redirect with redirect_dir=on',
    s => {
      s.mount({ lower: [{ f: 'x' }], options: 'redirect_dir=on' }).rename('f', 'g')
      expect(xattrs(s.u, 'g')).to.deep.equal([`${TR}origin`])
    },
  ],
  [
    'R45',
    'symlinks and devices are copied up too',
    s => {
      const m = s.mount({ lower: [{ s: { type: 'symlink', target: 'x' }, c: { type: 'char', rdev: '1:3' } }] })
      m.rename('s', 's2')
      m.rename('c', 'c2')
      expect([s.u.readlink('s2'), s.u.lstat('c2').rdev, isWhiteout(s.u, 's')]).to.deep.equal([
        'x',
        s.lower.lstat('c').rdev,
        true,
      ])
    },
  ],
  [
    'R47',
    'no whiteout stays where one of a lower layer hides the name already',
    s => {
      const m = s.mount({ lower: [{ f: whiteout }, { f: 'x' }] })
      m.writeFile('f', '')
      m.rename('f', 'g')
      expect(exists(s.u, 'f')).to.equal(false)
    },
  ],
  [
    'R48',
    'over one of two upper names of a file: the other keeps it, with one link',
    s => {
      const m = s.mount({ lower: [{ a: 'x' }] })
      m.writeFile('b', 'kept')
      m.link('b', 'b2')
      m.rename('a', 'b')
      expect([m.lstat('b2').nlink, text(m, 'b2')]).to.deep.equal([1, 'kept'])
    },
  ],
])
