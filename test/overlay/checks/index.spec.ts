// Hard links of lower layers, the index of index=on and nfs_export=on (rules 51, 63, 64, 90, 103, 140).
import { expect } from 'chai'
import type { FileSystem } from '../../../src/fs/index.ts'
import {
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
import { directory } from '../../support/overlay-trees.ts'

/** Three names of one file, and another directory. */
const linked = { a: 'DATA', b: { link: 'a' }, c: { link: 'a' }, 'd/x': '' }

function mountLinked(s: OverlayStage, options = 'index=on'): FileSystem {
  return s.mount({ lower: [linked], options })
}

function append(m: FileSystem, path: string, more: string): void {
  m.writeFile(path, text(m, path) + more)
}

/** Index entries without temporary names. */
function entries(s: OverlayStage): readonly string[] {
  return names(s.w, 'index').filter(name => !name.startsWith('#'))
}

function hex(of: FileSystem, path: string, mark: string): string {
  return Buffer.from(of.getxattr(path, TR + mark)).toString('hex')
}

function nlinks(m: FileSystem, ...paths: readonly string[]): readonly number[] {
  return paths.map(path => m.lstat(path).nlink)
}

overlayChecks('lower hard links, index=off', [
  [
    'K08',
    'they show their lower count and one number',
    s => {
      const m = mountLinked(s, '')
      expect(nlinks(m, 'a', 'b', 'c')).to.deep.equal([3, 3, 3])
      expect(new Set(['a', 'b', 'c'].map(path => m.lstat(path).ino)).size).to.equal(1)
    },
  ],
  [
    'K09',
    'writing breaks the link: one name changes, has one link, another number and no origin',
    s => {
      const m = mountLinked(s, '')
      append(m, 'a', '!')
      expect([text(m, 'a'), text(m, 'b'), nlinks(m, 'a', 'b')]).to.deep.equal(['DATA!', 'DATA', [1, 3]])
      expect(m.lstat('a').ino).to.equal(s.u.lstat('a').ino).and.not.equal(m.lstat('b').ino)
      expect(xattrs(s.u, 'a')).to.deep.equal([])
    },
  ],
  [
    'K10',
    'the other names keep the lower count when one is removed',
    s => {
      const m = mountLinked(s, '')
      m.unlink('a')
      expect(nlinks(m, 'b', 'c')).to.deep.equal([3, 3])
    },
  ],
  [
    'R08',
    'rename between two of them really renames',
    s => {
      const m = mountLinked(s, '')
      m.rename('a', 'b')
      expect([exists(m, 'a'), exists(m, 'b')]).to.deep.equal([false, true])
    },
  ],
])

overlayChecks('lower hard links, index=on', [
  [
    'K11',
    'a change shows under every name, count and number stay; other names are not copied up',
    s => {
      const m = mountLinked(s)
      const { ino } = m.lstat('b')
      append(m, 'a', '!')
      expect(['a', 'b', 'c'].map(path => text(m, path))).to.deep.equal(['DATA!', 'DATA!', 'DATA!'])
      expect(nlinks(m, 'a', 'b', 'c')).to.deep.equal([3, 3, 3])
      expect(['a', 'b', 'c'].map(path => m.lstat(path).ino)).to.deep.equal([ino, ino, ino])
      expect(names(s.u)).to.deep.equal(['a'])
    },
  ],
  [
    'K12',
    'the index entry is a link of the upper file, with overlay.nlink',
    s => {
      const m = mountLinked(s)
      append(m, 'a', '!')
      const [entry = ''] = entries(s)
      expect(entries(s)).to.have.length(1)
      expect(s.w.lstat(`index/${entry}`).ino).to.equal(s.u.lstat('a').ino)
      expect(s.u.lstat('a').nlink).to.equal(2)
      expect(xattr(s.u, 'a', `${TR}nlink`)).to.equal('U+1')
    },
  ],
  [
    'K13',
    'its name is overlay.origin in hexadecimal',
    s => {
      const m = mountLinked(s)
      append(m, 'a', '!')
      expect(entries(s)).to.deep.equal([hex(s.u, 'a', 'origin')])
    },
  ],
  [
    'K14',
    'copying the second name up only links it',
    s => {
      const m = mountLinked(s)
      append(m, 'a', '!')
      m.chmod('b', 0o600)
      expect(s.u.lstat('b').ino).to.equal(s.u.lstat('a').ino)
      expect([s.u.lstat('a').nlink, nlinks(m, 'a', 'b', 'c'), entries(s).length]).to.deep.equal([3, [3, 3, 3], 1])
    },
  ],
  [
    'K15',
    'the count falls with every name, upper or lower; the entry goes with the last',
    s => {
      const m = mountLinked(s)
      append(m, 'a', '!')
      m.unlink('b')
      expect(nlinks(m, 'a', 'c')).to.deep.equal([2, 2])
      m.unlink('a')
      expect([nlinks(m, 'c'), text(m, 'c'), entries(s).length]).to.deep.equal([[1], 'DATA!', 1])
      m.unlink('c')
      expect(entries(s)).to.deep.equal([])
    },
  ],
  [
    'K16',
    'all names are whiteouts then',
    s => {
      const m = mountLinked(s)
      for (const path of ['a', 'b', 'c']) m.unlink(path)
      expect(['a', 'b', 'c'].map(path => isWhiteout(s.u, path))).to.deep.equal([true, true, true])
    },
  ],
  [
    'R09',
    'rename between two of them does nothing',
    s => {
      const m = mountLinked(s)
      m.rename('a', 'b')
      expect([exists(m, 'a'), exists(m, 'b'), nlinks(m, 'a')]).to.deep.equal([true, true, [3]])
    },
  ],
  [
    'K11-remount',
    'after a remount all names still are one file, with the count of before',
    s => {
      const m = mountLinked(s)
      append(m, 'a', '!')
      m.unlink('b')
      m.link('a', 'd/new')
      const before = [nlinks(m, 'a', 'c', 'd/new'), m.lstat('c').ino]
      const again = s.remount()
      expect([nlinks(again, 'a', 'c', 'd/new'), again.lstat('c').ino]).to.deep.equal(before)
      append(again, 'c', '?')
      expect(['a', 'c', 'd/new'].map(path => text(again, path))).to.deep.equal(['DATA!?', 'DATA!?', 'DATA!?'])
    },
  ],
])

overlayChecks('nfs_export=on', [
  [
    'F10',
    'a directory that is copied up has an entry: a directory with overlay.upper, the handle of the upper one',
    s => {
      const m = s.mount({ lower: [{ d: directory }], options: 'nfs_export=on' })
      m.chmod('d', 0o700)
      const [entry = ''] = entries(s)
      expect(entry).to.equal(hex(s.u, 'd', 'origin'))
      const upper = s.w.getxattr(`index/${entry}`, `${TR}upper`)
      // As F01, with the flag for "of the upper layer".
      expect([upper[0], upper[1], upper[2], upper[3]]).to.deep.equal([0, 0xfb, upper.length, 4])
    },
  ],
  [
    'F11',
    'so has every file: two links on the disk, one in the overlay',
    s => {
      const m = s.mount({ lower: [{ f: '' }], options: 'nfs_export=on' })
      m.chmod('f', 0o600)
      expect([entries(s).length, s.u.lstat('f').nlink, nlinks(m, 'f')]).to.deep.equal([1, 2, [1]])
    },
  ],
  [
    'F12',
    'an unlink makes the entry a whiteout',
    s => {
      const m = s.mount({ lower: [{ f: '' }], options: 'nfs_export=on' })
      m.chmod('f', 0o600)
      m.unlink('f')
      const [entry = ''] = entries(s)
      expect([isWhiteout(s.w, `index/${entry}`), isWhiteout(s.u, 'f')]).to.deep.equal([true, true])
    },
  ],
])

overlayChecks('marks of the mount', [
  [
    'F13',
    'overlay.uuid: 16 bytes on the root of the upper layer',
    s => {
      s.mount()
      expect(s.u.getxattr('', `${TR}uuid`)).to.have.length(16)
    },
  ],
  [
    'F14',
    'and the next mount keeps it',
    s => {
      s.mount()
      const first = hex(s.u, '', 'uuid')
      s.remount()
      expect(hex(s.u, '', 'uuid')).to.equal(first)
    },
  ],
  [
    'W01',
    'temporary names are "#" and a number in lowercase hexadecimal',
    s => {
      const m = s.mount({ lower: [{ f: '', g: '' }] })
      m.unlink('f')
      expect(names(s.w, 'work')).to.have.length(1)
      expect(names(s.w, 'work').join()).to.match(/^#[\da-f]+$/)
    },
  ],
])
