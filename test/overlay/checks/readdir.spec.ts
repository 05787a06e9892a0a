// Listings: order, snapshots, numbers and types (rules 79-84).
import { expect } from 'chai'
import { type DirectoryEntry, type FileSystem, O_DIRECTORY } from '../../../src/fs/index.ts'
import { errno, isWhiteout, names, overlayChecks } from '../../support/overlay-stages.ts'
import { directory, opaque, whiteout } from '../../support/overlay-trees.ts'

/** Every entry in order, "." and ".." included. */
function entries(of: FileSystem, path: string): readonly DirectoryEntry[] {
  const handle = of.open(path, O_DIRECTORY)
  try {
    return handle.readdir()
  } finally {
    handle.close()
  }
}

function order(of: FileSystem, path = '/'): readonly string[] {
  return entries(of, path).map(({ name }) => name)
}

function files(...of: readonly string[]): { readonly [name: string]: string } {
  return Object.fromEntries(of.map(name => [name, '']))
}

const layered = {
  lower: [files('q', 'both', 'l1only'), files('m1', 'z9', 'both', 'a0')],
  upper: { ...files('u1', 'z9', 'u0', 'q'), m1: whiteout },
}

overlayChecks('listings', [
  [
    'E01',
    'all names of the lowest layer in its order, then the others, upper layer first; whiteouts are left out',
    s => {
      const m = s.mount(layered)
      const [middle, lowest] = s.l.map(layer => order(layer, ''))
      const first = lowest?.filter(name => name !== 'm1') ?? []
      const rest = [...order(s.u, ''), ...(middle ?? [])].filter(name => name !== 'm1' && !first.includes(name))
      expect(order(m)).to.deep.equal([...first, ...new Set(rest)])
    },
  ],
  [
    'E02',
    'each name once; "." and ".." where the lowest layer has them',
    s => {
      const m = s.mount(layered)
      const shown = order(m)
      const lowest = order(s.l[1] as FileSystem, '').filter(name => name !== 'm1')
      expect(new Set(shown).size).to.equal(shown.length)
      expect(shown.slice(0, lowest.length)).to.deep.equal(lowest)
    },
  ],
  [
    'E03',
    'd_off counts positions, hidden whiteouts included',
    s => {
      const m = s.mount({ lower: [files('a', 'b', 'c')], upper: { b: whiteout } })
      const offsets = entries(m, '/').map(({ offset }) => offset)
      // The last one leads behind the end: 5 names, one of them hidden.
      expect(offsets.at(-1)).to.equal(5)
      expect(offsets)
        .to.deep.equal(offsets.toSorted((a, b) => a - b))
        .and.have.length(4)
      expect(new Set(offsets).size).to.equal(4)
    },
  ],
  [
    'E04',
    'on one file system d_ino is st_ino',
    s => {
      const m = s.mount({ ...layered, lower: [...layered.lower, { d: directory, 'e/x': '' }] })
      m.chmod('l1only', 0o600)
      m.mkdir('d/new', 0o755)
      for (const path of ['/', 'd', 'e'])
        for (const { name, ino } of entries(m, path))
          if (name !== '..') expect(ino, `${path} ${name}`).to.equal(m.lstat(`${path}/${name}`).ino)
    },
  ],
  [
    'E05',
    'd_ino of ".." in the root is that of the parent of the lowest layer',
    s => {
      const m = s.mount({ lower: [{ f: '' }] })
      const above = entries(m, '/').find(({ name }) => name === '..')
      expect(above?.ino).to.equal(s.lower.lstat('..').ino)
    },
  ],
  [
    'E06',
    'a directory of one lower layer has its order; merged, the new names come behind',
    s => {
      const m = s.mount({ lower: [{ 'd/f0': '', 'd/f1': '', 'd/f2': '' }] })
      const raw = order(s.lower, 'd')
      expect(order(m, 'd')).to.deep.equal(raw)
      m.mkdir('d/new', 0o755)
      expect(order(m, 'd')).to.deep.equal([...raw, 'new'])
    },
  ],
  [
    'E07',
    'an open directory keeps its list',
    s => {
      const m = s.mount({ lower: [files('f0', 'f1')] })
      m.writeFile('u', '')
      const handle = m.open('/', O_DIRECTORY)
      const before = handle.readdir()
      m.unlink('f1')
      m.writeFile('late', '')
      expect(handle.readdir()).to.deep.equal(before)
      expect(before.map(({ name }) => name)).to.include('f1')
      handle.close()
    },
    { kernel: 'KernelFs reads a whole directory at once and keeps it itself' },
  ],
  [
    'E08',
    'back at the beginning the list is made anew',
    s => {
      const m = s.mount({ lower: [files('f0', 'f1')] })
      const handle = m.open('/', O_DIRECTORY)
      handle.readdir()
      m.unlink('f1')
      m.writeFile('late', '')
      handle.rewind()
      const shown = handle.readdir().map(({ name }) => name)
      expect(shown).to.include('late').and.not.include('f1')
      handle.close()
    },
  ],
  [
    'E10',
    'a merged directory has no end to seek to: EINVAL, as for negative positions',
    s => {
      const m = s.mount({ lower: [files('f0')] })
      const handle = m.open('/', O_DIRECTORY)
      expect([errno(() => handle.seek(0, 'end')), errno(() => handle.seek(-5, 'set'))]).to.deep.equal([
        'EINVAL',
        'EINVAL',
      ])
      handle.close()
    },
  ],
  [
    'E11',
    'd_type is that of the top-most layer',
    s => {
      const m = s.mount({ lower: [{ x: directory, y: '', z: '' }], upper: { x: '', y: directory, z: { target: 'q' } } })
      const types = new Map(entries(m, '/').map(({ name, type }) => [name, type]))
      expect([types.get('x'), types.get('y'), types.get('z')]).to.deep.equal(['file', 'dir', 'symlink'])
    },
  ],
  [
    'E12',
    'a whiteout in a directory of one layer is listed though it cannot be looked up, until the directory is merged',
    s => {
      const m = s.mount({ lower: [{ 'd/w': whiteout, 'd/f': '' }] })
      expect([names(m, 'd'), errno(() => m.stat('d/w'))]).to.deep.equal([['f', 'w'], 'ENOENT'])
      m.writeFile('d/n', '')
      expect(names(m, 'd')).to.deep.equal(['f', 'n'])
    },
  ],
  [
    'E13',
    'so is one in an opaque lower directory',
    s => {
      const m = s.mount({ lower: [{ d: opaque, 'd/w': whiteout }, { 'd/w': '' }] })
      expect([names(m, 'd'), errno(() => m.stat('d/w'))]).to.deep.equal([['w'], 'ENOENT'])
    },
  ],
  [
    'U01',
    'a directory with nothing but whiteouts of lower and upper layers can be removed',
    s => {
      const m = s.mount({ lower: [{ 'd/w': whiteout, 'd/f': '' }] })
      m.unlink('d/f')
      expect(names(m, 'd')).to.deep.equal([])
      m.rmdir('d')
      expect(isWhiteout(s.u, 'd')).to.equal(true)
    },
  ],
  [
    'U02',
    'so can a lower directory whose only entry is a whiteout, though that is listed',
    s => {
      const m = s.mount({ lower: [{ 'd/w': whiteout }] })
      expect([names(m, 'd'), errno(() => m.rmdir('d'))]).to.deep.equal([['w'], 'OK'])
    },
  ],
])
