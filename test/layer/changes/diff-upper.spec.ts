// What an upperdir says: read alone, and compared with what lies below it.

import { expect } from 'chai'
import { MemoryFs, type Tree, writeTree } from '../../../src/fs/index.ts'
import { type Change, diffUpper, type DiffUpperOptions, type MarkStyle } from '../../../src/layer/index.ts'

type Row = {
  readonly name: string
  readonly lower?: Tree
  readonly upper: Tree
  readonly options?: Omit<DiffUpperOptions, 'lower'>
  /** Without path, which is the key; parents left out unless they are the point. */
  readonly changes: Record<string, Omit<Change, 'path'>>
}

const y = { 'trusted.overlay.opaque': 'y' }
const copied = { 'trusted.overlay.origin': '' }
const mtime = '1600000000'

const bare: readonly Row[] = [
  {
    name: 'tells what was copied up from what is new by overlay.origin',
    upper: { old: { content: 'x', xattrs: copied }, new: 'x' },
    changes: { new: { kind: 'added', type: 'file' }, old: { kind: 'changed', type: 'file' } },
  },
  {
    name: 'reads whiteouts of both kinds',
    upper: { a: { type: 'whiteout' }, b: { type: 'xwhiteout' }, c: { type: 'char', rdev: '0:1' } },
    changes: {
      a: { kind: 'deleted', type: null, whiteout: 'device' },
      b: { kind: 'deleted', type: null, whiteout: 'xattr' },
      c: { kind: 'added', type: 'char' },
    },
  },
  {
    name: 'reads opaque only as "y", and nothing below it as hidden by itself',
    upper: { d: { type: 'dir', xattrs: y }, e: { type: 'dir', xattrs: { 'trusted.overlay.opaque': 'n' } } },
    changes: { d: { kind: 'added', type: 'dir', opaque: true }, e: { kind: 'added', type: 'dir' } },
  },
  {
    name: 'reads redirects, relative and absolute, and folds the whiteout at the old path',
    upper: {
      d: { type: 'whiteout' },
      e: { type: 'dir', xattrs: { 'trusted.overlay.redirect': 'd' } },
      'e/f': { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/g/h' } },
    },
    changes: {
      e: { kind: 'renamed', type: 'dir', from: 'd', isParent: true },
      'e/f': { kind: 'renamed', type: 'dir', from: 'g/h' },
    },
  },
  {
    name: 'reads metacopies',
    upper: { big: { content: '', size: 4096, xattrs: { ...copied, 'trusted.overlay.metacopy': '' } } },
    changes: { big: { kind: 'changed', type: 'file', metacopy: true } },
  },
  {
    name: 'takes no notice of marks under the other prefix',
    upper: { d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } } },
    changes: { d: { kind: 'added', type: 'dir' } },
  },
  {
    name: 'reads marks of a mount with userxattr',
    options: { userxattr: true },
    upper: { d: { type: 'dir', xattrs: { 'user.overlay.opaque': 'y' } }, e: { type: 'dir', xattrs: y } },
    changes: { d: { kind: 'added', type: 'dir', opaque: true }, e: { kind: 'added', type: 'dir' } },
  },
  {
    name: 'takes names that begin with .wh. for files, as the kernel does',
    upper: { '.wh.a': '', 'd/.wh..wh..opq': '' },
    changes: {
      '.wh.a': { kind: 'added', type: 'file' },
      d: { kind: 'added', type: 'dir', isParent: true },
      'd/.wh..wh..opq': { kind: 'added', type: 'file' },
    },
  },
  {
    name: 'recognises fuse-overlayfs by a directory that is marked twice',
    upper: {
      '.wh.a': '',
      d: { type: 'dir', xattrs: { 'user.fuseoverlayfs.opaque': 'y' } },
      'd/.wh..opq': { type: 'whiteout' },
      'd/.wh..wh..opq': '',
      'd/b': 'x',
    },
    changes: {
      a: { kind: 'deleted', type: null, whiteout: 'name' },
      d: { kind: 'added', type: 'dir', opaque: true, isParent: true },
      'd/b': { kind: 'added', type: 'file' },
    },
  },
  {
    name: 'recognises AUFS by what it makes in the root of a branch',
    upper: { '.wh..wh.aufs': '', '.wh..wh.plnk/1.2': '', 'd/.wh..wh..opq': '', 'd/.wh.x': '', '.wh.e': '' },
    changes: {
      d: { kind: 'added', type: 'dir', opaque: true, isParent: true },
      'd/x': { kind: 'deleted', type: null, whiteout: 'name' },
      e: { kind: 'deleted', type: null, whiteout: 'name' },
    },
  },
]

const compared: readonly Row[] = [
  {
    name: 'leaves out what was copied up and is the same',
    lower: { 'd/a': { content: 'x', mtime } },
    upper: { 'd/a': { content: 'x', mtime, xattrs: copied } },
    changes: {},
  },
  {
    name: 'keeps it with `all`',
    options: { all: true },
    lower: { d: { type: 'dir', mtime }, 'd/a': { content: 'x', mtime } },
    upper: { d: { type: 'dir', mtime }, 'd/a': { content: 'x', mtime, xattrs: copied } },
    changes: {
      d: { kind: 'changed', type: 'dir', isParent: true },
      'd/a': { kind: 'changed', type: 'file', identical: true },
    },
  },
  {
    name: 'tells content, mode, owner, time and attributes apart',
    lower: {
      a: { content: 'x', mtime },
      b: { content: 'x', mtime },
      c: { content: 'x', mtime, xattrs: { 'user.one': '1', 'user.two': '2' } },
      l: { target: 'a', mtime },
    },
    upper: {
      a: { content: 'xyz', mtime },
      b: { content: 'x', mtime: '1600000000.000000005', mode: '0600', uid: 7 },
      c: { content: 'y', mtime, xattrs: { 'user.two': '3', 'user.three': '3', 'trusted.overlay.overlay.opaque': 'y' } },
      l: { target: 'b', mtime },
    },
    changes: {
      a: { kind: 'changed', type: 'file', content: { before: 1, after: 3 } },
      b: {
        kind: 'changed',
        type: 'file',
        mode: { before: 0o644, after: 0o600 },
        owner: { before: { uid: 0, gid: 0 }, after: { uid: 7, gid: 0 } },
        time: { before: { sec: 1_600_000_000, nsec: 0 }, after: { sec: 1_600_000_000, nsec: 5 } },
      },
      c: {
        kind: 'changed',
        type: 'file',
        content: { before: 1, after: 1 },
        xattrs: { added: ['trusted.overlay.opaque', 'user.three'], changed: ['user.two'], removed: ['user.one'] },
      },
      l: { kind: 'changed', type: 'symlink', target: { before: 'a', after: 'b' } },
    },
  },
  {
    name: 'tells whiteouts that hide something from those that do not',
    lower: { a: 'x', 'd/b': 'x' },
    upper: { a: { type: 'whiteout' }, d: { type: 'whiteout' }, gone: { type: 'whiteout' } },
    changes: {
      a: { kind: 'deleted', type: 'file', whiteout: 'device' },
      d: { kind: 'deleted', type: 'dir', whiteout: 'device' },
      gone: { kind: 'deleted', type: null, whiteout: 'device', hidesNothing: true },
    },
  },
  {
    name: 'names what an opaque directory hides, and compares what was made again',
    lower: {
      d: { type: 'dir', mtime },
      'd/a': { content: 'x', mtime },
      'd/b': 'x',
      'd/c/e': 'x',
      'd/c/f': { content: 'f', mtime },
    },
    upper: {
      d: { type: 'dir', mtime, xattrs: y },
      'd/a': { content: 'x', mtime },
      'd/c/f': { content: 'g', mtime },
    },
    changes: {
      d: { kind: 'changed', type: 'dir', opaque: true, hides: ['b'], isParent: true },
      'd/c': { kind: 'changed', type: 'dir', hides: ['e'], isParent: true },
      'd/c/f': { kind: 'changed', type: 'file', content: { before: 1, after: 1 } },
    },
  },
  {
    name: 'says nothing of a mark on a directory that has nothing below it',
    lower: {},
    upper: { d: { type: 'dir', xattrs: y } },
    changes: { d: { kind: 'added', type: 'dir' } },
  },
  {
    name: 'follows a redirect and compares with what was there',
    lower: { 'd/a': { content: 'x', mtime }, 'd/b': 'x', 'd/c': 'x' },
    upper: {
      d: { type: 'whiteout' },
      e: { type: 'dir', mode: '0700', xattrs: { 'trusted.overlay.redirect': '/d' } },
      'e/a': { content: 'xy', mtime },
      'e/b': { type: 'whiteout' },
      'e/new': 'n',
    },
    changes: {
      e: { kind: 'renamed', type: 'dir', from: 'd', mode: { before: 0o755, after: 0o700 }, isParent: true },
      'e/a': { kind: 'changed', type: 'file', content: { before: 1, after: 2 } },
      'e/b': { kind: 'deleted', type: 'file', whiteout: 'device' },
      'e/new': { kind: 'added', type: 'file' },
    },
  },
  {
    name: 'takes a redirect to its own path for none, and one that leads nowhere for a plain directory',
    lower: { 'd/a': 'x', 'e/a': { content: 'x', mtime } },
    upper: {
      'd/new': 'n',
      d: { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/d' } },
      e: { type: 'dir', xattrs: { 'trusted.overlay.redirect': 'nothing' } },
    },
    changes: {
      d: { kind: 'changed', type: 'dir', isParent: true },
      'd/new': { kind: 'added', type: 'file' },
      e: { kind: 'changed', type: 'dir', opaque: true, hides: ['a'] },
    },
  },
  {
    name: 'fetches the data of metacopies',
    lower: { big: { content: 'data', mtime }, moved: { content: 'more', mtime } },
    upper: {
      big: { size: 4, mtime, mode: '0600', xattrs: { 'trusted.overlay.metacopy': '' } },
      moved: { type: 'whiteout' },
      to: { size: 4, mtime, xattrs: { 'trusted.overlay.metacopy': '', 'trusted.overlay.redirect': 'moved' } },
    },
    changes: {
      big: { kind: 'changed', type: 'file', metacopy: true, mode: { before: 0o644, after: 0o600 } },
      to: { kind: 'renamed', type: 'file', from: 'moved', metacopy: true },
    },
  },
  {
    name: 'sees types change',
    lower: { a: 'x', 'd/b': 'x' },
    upper: { 'a/c': 'x', d: { target: 'a' } },
    changes: {
      a: { kind: 'changed', type: 'dir', typeBefore: 'file', isParent: true },
      'a/c': { kind: 'added', type: 'file' },
      d: { kind: 'changed', type: 'symlink', typeBefore: 'dir' },
    },
  },
  {
    name: 'names the first of the names of a hard link',
    lower: {},
    upper: { b: 'x', a: { link: 'b' }, 'd/c': { link: 'b' } },
    changes: {
      a: { kind: 'added', type: 'file' },
      b: { kind: 'added', type: 'file', linkTo: 'a' },
      d: { kind: 'added', type: 'dir', isParent: true },
      'd/c': { kind: 'added', type: 'file', linkTo: 'a' },
    },
  },
  {
    name: 'sees that a copy broke a hard link',
    lower: { a: { content: 'x', mtime }, b: { link: 'a' } },
    upper: { a: { content: 'x', mtime } },
    changes: { a: { kind: 'changed', type: 'file', links: true } },
  },
  {
    name: 'finds the other names of an indexed hard link',
    lower: { a: { content: 'x', mtime }, 'd/b': { link: 'a' }, 'e/c': { link: 'a' } },
    upper: {
      a: { content: 'xy', mtime, xattrs: { 'trusted.overlay.nlink': 'U+1' } },
      index: { link: 'a' },
      e: { type: 'dir', mtime },
      'e/c': { type: 'whiteout' },
    },
    changes: {
      a: { kind: 'changed', type: 'file', content: { before: 1, after: 2 } },
      d: { kind: 'changed', type: 'dir', isParent: true },
      'd/b': { kind: 'changed', type: 'file', content: { before: 1, after: 2 }, linkTo: 'a' },
      e: { kind: 'changed', type: 'dir', isParent: true },
      'e/c': { kind: 'deleted', type: 'file', whiteout: 'device' },
      index: { kind: 'added', type: 'file', linkTo: 'a' },
    },
  },
]

describe('diffUpper()', () => {
  for (const row of bare) it(`alone: ${row.name}`, () => check(row))
  for (const row of compared) it(`with the lower layers: ${row.name}`, () => check(row))

  it('says whose marks it read', () => {
    const styles: readonly [Tree, MarkStyle][] = [
      [{ a: '' }, 'overlay'],
      [{ '.wh..wh.plnk': { type: 'dir' } }, 'aufs'],
      [{ a: { content: '', xattrs: { 'user.fuseoverlayfs.origin': 'a' } } }, 'fuse-overlayfs'],
    ]
    expect(styles.map(([tree]) => diffUpper(fileSystemOf(tree)).style)).to.deep.equal(styles.map(([, style]) => style))
  })

  for (const redirect of ['', '/', 'a/b', '/a//b', '..', '/a/', '.']) {
    it(`refuses the redirect ${JSON.stringify(redirect)}, as the kernel does`, () => {
      const upper = fileSystemOf({ d: { type: 'dir', xattrs: { 'trusted.overlay.redirect': redirect } } })
      expect(() => diffUpper(upper))
        .to.throw()
        .with.property('code', 'BAD_ENTRY')
    })
  }

  it('says how large files are', () => {
    const lower = fileSystemOf({ a: 'x', big: 'data' })
    const upper = fileSystemOf({ a: 'xyz', new: 'n', big: { size: 4, xattrs: { 'trusted.overlay.metacopy': '' } } })
    const { changes } = diffUpper(upper, { lower })
    expect(changes.map(({ path, sizeBytes }) => [path, sizeBytes])).to.deep.equal([
      ['a', 3],
      ['new', 1],
    ])
  })

  it('leaves out parents of which nothing but the time changed', () => {
    const lower = fileSystemOf({ 'a/b/c': 'x', d: { type: 'dir', mode: '0755' } })
    const upper = fileSystemOf({ 'a/b/new': 'x', d: { type: 'dir', mode: '0700' }, 'd/new': 'x' })
    const { changes } = diffUpper(upper, { lower, withoutParents: true })
    expect(changes.map(({ path }) => path)).to.deep.equal(['a/b/new', 'd', 'd/new'])
  })
})

function check({ lower, upper, options, changes }: Row): void {
  const below = lower === undefined ? {} : { lower: fileSystemOf(lower) }
  const got = diffUpper(fileSystemOf(upper), { ...options, ...below })
  // Every tree is made with the times of that moment: those of directories that hold something say nothing here.
  const shown = got.changes.map(({ path, ...change }) => {
    const isTimed = !change.isParent && !change.opaque && !change.typeBefore
    const entries = Object.entries(change).filter(([key]) => key !== 'sizeBytes' && (key !== 'time' || isTimed))
    return [path, Object.fromEntries(entries)]
  })
  expect(Object.fromEntries(shown)).to.deep.equal(changes)
}

function fileSystemOf(tree: Tree): MemoryFs {
  const fs = new MemoryFs({ now: () => 1_700_000_000_000_000_000n })
  writeTree(fs, '/', tree)
  return fs
}
