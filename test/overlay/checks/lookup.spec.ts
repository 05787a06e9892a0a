// Which layer a name is found in: whiteouts, opaque directories, names (rules 1, 2, 54-57, 67-71, 77).
import { expect } from 'chai'
import {
  errno,
  exists,
  isWhiteout,
  names,
  overlayChecks,
  text,
  TR,
  xattr,
  xattrs,
} from '../../support/overlay-stages.ts'
import { directory, marked, mayHaveXwhiteouts, opaque, whiteout, xwhiteout } from '../../support/overlay-trees.ts'

overlayChecks('whiteouts and merging', [
  [
    'L01',
    'the highest layer wins for non-directories',
    s => {
      const m = s.mount({ lower: [{ both: 'l1' }, { both: 'l2' }], upper: { both: 'u' } })
      expect(text(m, 'both')).to.equal('u')
    },
  ],
  [
    'L02',
    'a name only in the lowest layer is visible',
    s => {
      const m = s.mount({ lower: [{}, { low2: 'l2' }] })
      expect(text(m, 'low2')).to.equal('l2')
    },
  ],
  [
    'L03',
    'a whiteout in the upper layer hides the name from lookup and listing',
    s => {
      const m = s.mount({ lower: [{ whu: 'x' }], upper: { whu: whiteout } })
      expect([errno(() => m.stat('whu')), names(m)]).to.deep.equal(['ENOENT', []])
    },
  ],
  [
    'L04',
    'a whiteout in a middle layer hides what is beneath',
    s => {
      const m = s.mount({ lower: [{ wh1: whiteout }, { wh1: 'x', d: directory }] })
      expect([errno(() => m.stat('wh1')), names(m)]).to.deep.equal(['ENOENT', ['d']])
    },
  ],
  [
    'L05',
    'a whiteout with nothing beneath is hidden too, in the upper and in the lowest layer',
    s => {
      const m = s.mount({ lower: [{}, { bottom: whiteout }], upper: { nothing: whiteout } })
      expect([names(m), errno(() => m.stat('bottom'))]).to.deep.equal([[], 'ENOENT'])
    },
  ],
  [
    'L06',
    'a directory over a file is an upper directory alone',
    s => {
      const m = s.mount({ lower: [{ fd: 'file' }], upper: { fd: directory } })
      expect(names(m, 'fd')).to.deep.equal([])
    },
  ],
  [
    'L07',
    'a file over a directory is a file',
    s => {
      const m = s.mount({ lower: [{ 'df/x': directory }], upper: { df: 'file' } })
      expect(text(m, 'df')).to.equal('file')
    },
  ],
  [
    'L08',
    'a non-directory in a middle layer ends the merging',
    s => {
      const m = s.mount({ lower: [{ mid: 'f' }, { 'mid/hid': '' }], upper: { 'mid/a': directory } })
      expect(names(m, 'mid')).to.deep.equal(['a'])
    },
  ],
  [
    'L09',
    'mode and owner of a whiteout do not matter',
    s => {
      const upper = { a: { type: 'char', rdev: '0:0', mode: '0777', uid: 5, gid: 5 } } as const
      const m = s.mount({ lower: [{ a: '' }], upper })
      expect(names(m)).to.deep.equal([])
    },
  ],
  [
    'L10',
    'character device 0:1 and block device 0:0 are no whiteouts',
    s => {
      const lower = { c01: { type: 'char', rdev: '0:1' }, b00: { type: 'block', rdev: '0:0' } } as const
      const m = s.mount({ lower: [lower] })
      expect(names(m)).to.deep.equal(['b00', 'c01'])
    },
  ],
  [
    'L52',
    'an upper directory over a whiteout of a middle layer hides what is below that, without a mark',
    s => {
      const m = s.mount({ lower: [{ d: whiteout }, { 'd/below': '' }], upper: { d: directory } })
      expect(names(m, 'd')).to.deep.equal([])
    },
  ],
  [
    'L53',
    'an upper directory over a lower symlink to a directory does not merge',
    s => {
      const m = s.mount({ lower: [{ 'real/f': '', d: { target: 'real' } }], upper: { d: directory } })
      expect(names(m, 'd')).to.deep.equal([])
    },
  ],
  [
    'U06',
    'one whiteout hides all layers',
    s => {
      const m = s.mount({ lower: [{ f: 'top' }, { f: 'bottom' }] })
      m.unlink('f')
      expect([exists(m, 'f'), isWhiteout(s.u, 'f')]).to.deep.equal([false, true])
    },
  ],
])

overlayChecks('opaque directories', [
  [
    'L11',
    'opaque=y in the upper layer hides all that is beneath',
    s => {
      const m = s.mount({ lower: [{ 'd/f0': '' }, { 'd/f1': '' }], upper: { d: opaque, 'd/u': '' } })
      expect(names(m, 'd')).to.deep.equal(['u'])
    },
  ],
  [
    'L12',
    'opaque=y in a middle layer: the directory merges with those above and hides those below',
    s => {
      const m = s.mount({ lower: [{ 'e/f0': '' }, { e: opaque, 'e/f1': '' }, { 'e/f2': '' }] })
      expect(names(m, 'e')).to.deep.equal(['f0', 'f1'])
    },
  ],
  [
    'L13',
    'only the one byte "y" is opaque: n, yy, Y, 1 and an empty value are not',
    s => {
      const values = ['n', 'yy', 'Y', '1', '']
      const lower = Object.fromEntries(values.map(value => [`v${value}/low`, '']))
      const upper = Object.fromEntries(values.map(value => [`v${value}`, marked('dir', 'opaque', value)]))
      const m = s.mount({ lower: [lower], upper })
      for (const value of values) expect(names(m, `v${value}`), value).to.deep.equal(['low'])
    },
  ],
  [
    'L14',
    'opacity holds for the whole subtree',
    s => {
      const m = s.mount({ lower: [{ s: opaque, 's/sub/f0': '' }, { 's/sub/f1': '' }], upper: {} })
      expect(names(m, 's/sub')).to.deep.equal(['f0'])
    },
  ],
  [
    'L15',
    'without userxattr, user.overlay.* are ordinary attributes without meaning',
    s => {
      const upper = { d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } } } as const
      const m = s.mount({ lower: [{ 'd/low': '' }], upper })
      expect([names(m, 'd'), xattrs(m, 'd')]).to.deep.equal([['low'], ['user.overlay.opaque']])
    },
  ],
  [
    'L16',
    'with userxattr only user.overlay.* count; trusted.overlay.* are ordinary',
    s => {
      const upper = {
        d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } },
        g: { type: 'dir', xattrs: { [`${TR}opaque`]: 'y' } },
      } as const
      const m = s.mount({ lower: [{ 'd/low': '', 'g/low': '' }], upper, options: 'userxattr' })
      expect([names(m, 'd'), names(m, 'g')]).to.deep.equal([[], ['low']])
      expect(xattrs(m, 'g')).to.include(`${TR}opaque`)
      expect(xattrs(m, 'd')).to.deep.equal([])
    },
  ],
  [
    'L16b',
    'looking a merged directory up writes overlay.origin on it and overlay.impure on its parent',
    s => {
      const m = s.mount({ lower: [{ 'd/low': '' }], upper: { d: directory } })
      names(m, 'd')
      expect([xattrs(s.u, 'd').includes(`${TR}origin`), xattrs(s.u, '').includes(`${TR}impure`)]).to.deep.equal([
        true,
        true,
      ])
      expect(xattrs(s.lower, '')).to.deep.equal([])
    },
  ],
  [
    'L47',
    'metadata and attributes of a merged directory are those of its top-most layer',
    s => {
      const top = { type: 'dir', mode: '0750', uid: 3, gid: 4, xattrs: { 'user.a': '1' } } as const
      const bottom = { type: 'dir', mode: '0711', uid: 7, gid: 7, xattrs: { 'user.b': '2' } } as const
      const m = s.mount({ lower: [{ d: top }, { d: bottom }] })
      const { mode, uid, gid } = m.stat('d')
      expect([mode & 0o7777, uid, gid, xattrs(m, 'd')]).to.deep.equal([0o750, 3, 4, ['user.a']])
    },
  ],
  [
    'L48',
    'the root has the metadata of upperdir',
    s => {
      const root = { type: 'dir', mode: '0701', uid: 11, gid: 12, xattrs: { 'user.r': '1' } } as const
      const m = s.mount({ lower: [{ '': { type: 'dir', mode: '0777' } }], upper: { '': root } })
      const { mode, uid, gid } = m.stat('/')
      expect([mode & 0o7777, uid, gid, xattrs(m, '/')]).to.deep.equal([0o701, 11, 12, ['user.r']])
    },
  ],
  [
    'L49',
    'without upperdir the root has the metadata of the top lower layer',
    s => {
      const m = s.mount({ lower: [{ '': { type: 'dir', mode: '0741' } }, {}], upper: null })
      expect(m.stat('/').mode & 0o7777).to.equal(0o741)
    },
  ],
  [
    'L50',
    'opaque=y on the root of the upper layer is ignored',
    s => {
      const m = s.mount({ lower: [{ '': opaque, 'f/x': '' }], upper: { '': opaque } })
      expect(names(m)).to.deep.equal(['f'])
    },
  ],
])

overlayChecks('xattr whiteouts', [
  [
    'L17',
    'in a lower directory with opaque=x: hidden from lookup and listing',
    s => {
      const m = s.mount({
        lower: [
          { d: mayHaveXwhiteouts, 'd/x': xwhiteout },
          { 'd/x': '', 'd/y': '', 'd/keep': '' },
        ],
      })
      expect([names(m, 'd'), errno(() => m.stat('d/x'))]).to.deep.equal([['keep', 'y'], 'ENOENT'])
    },
  ],
  [
    'L18',
    'without opaque=x on the directory: not found, yet listed',
    s => {
      const m = s.mount({ lower: [{ 'e/x': xwhiteout }, { 'e/x': '' }] })
      expect([errno(() => m.stat('e/x')), names(m, 'e')]).to.deep.equal(['ENOENT', ['x']])
    },
  ],
  [
    'L19',
    'a file that is not empty is no xattr whiteout',
    s => {
      const file = { content: 'nonempty', xattrs: { [`${TR}whiteout`]: '' } }
      const m = s.mount({ lower: [{ f: mayHaveXwhiteouts, 'f/x': file }, { 'f/x': '' }] })
      expect(text(m, 'f/x')).to.equal('nonempty')
    },
  ],
  [
    'L20',
    'the value of overlay.whiteout does not matter',
    s => {
      const m = s.mount({ lower: [{ g: mayHaveXwhiteouts, 'g/x': marked('file', 'whiteout', 'y') }, { 'g/x': '' }] })
      expect([names(m, 'g'), errno(() => m.stat('g/x'))]).to.deep.equal([[], 'ENOENT'])
    },
  ],
  [
    'L21',
    'in the upper layer: not found, yet listed; opaque=x counts in lower layers alone',
    s => {
      const upper = { '': mayHaveXwhiteouts, x: xwhiteout, d: mayHaveXwhiteouts, 'd/x': xwhiteout }
      const m = s.mount({ lower: [{ x: '', 'd/x': '' }], upper })
      const found = [errno(() => m.stat('x')), names(m), errno(() => m.stat('d/x')), names(m, 'd')]
      expect(found).to.deep.equal(['ENOENT', ['d', 'x'], 'ENOENT', ['x']])
    },
  ],
  [
    'L22',
    'a file can be made over one of the upper layer',
    s => {
      const upper = { d: mayHaveXwhiteouts, 'd/x': xwhiteout }
      const m = s.mount({ lower: [{ 'd/x': 'low' }], upper })
      m.writeFile('d/x', 'new')
      expect([text(m, 'd/x'), xattr(s.u, 'd/x', `${TR}whiteout`)]).to.deep.equal(['new', 'ENODATA'])
    },
  ],
  [
    'L23',
    'in the lowest layer: not found, yet always listed',
    s => {
      const lowest = { d: mayHaveXwhiteouts, 'd/x': xwhiteout, o: mayHaveXwhiteouts, 'o/x': xwhiteout }
      const m = s.mount({ lower: [{ 'd/a': '' }, lowest] })
      const found = [names(m, 'd'), errno(() => m.stat('d/x')), names(m, 'o'), errno(() => m.stat('o/x'))]
      expect(found).to.deep.equal([['a', 'x'], 'ENOENT', ['x'], 'ENOENT'])
    },
  ],
])

overlayChecks('names and types', [
  [
    'L45',
    'a name has at most 255 bytes',
    s => {
      const m = s.mount()
      const long = 'n'.repeat(255)
      m.writeFile(long, '')
      expect([errno(() => m.stat(`${long}n`)), errno(() => m.writeFile(`${long}n`, ''))]).to.deep.equal([
        'ENAMETOOLONG',
        'ENAMETOOLONG',
      ])
    },
  ],
  [
    'L46',
    '.wh.NAME and .wh..wh..opq are ordinary names',
    s => {
      const m = s.mount({ lower: [{ '.wh.foo': '', foo: '', 'd/low': '' }], upper: { 'd/.wh..wh..opq': '' } })
      expect([names(m), names(m, 'd')]).to.deep.equal([
        ['.wh.foo', 'd', 'foo'],
        ['.wh..wh..opq', 'low'],
      ])
    },
  ],
  [
    'L51',
    'FIFO, symlink, device and socket of a lower layer are shown as they are',
    s => {
      const lower = {
        p: { type: 'fifo' },
        s: { target: 'nowhere' },
        c: { type: 'char', rdev: '1:3', mode: '0666' },
        k: { type: 'socket' },
      } as const
      const m = s.mount({ lower: [lower] })
      expect(
        m
          .readdir('/')
          .map(({ name, type }) => `${name} ${type}`)
          .toSorted(),
      ).to.deep.equal(['c char', 'k socket', 'p fifo', 's symlink'])
      expect([m.lstat('c').rdev, m.readlink('s')]).to.deep.equal([s.lower.lstat('c').rdev, 'nowhere'])
    },
  ],
])
