import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { diffTrees, MemoryFs, parseTree, readTree, type Tree, writeTree } from '../../../src/fs/index.ts'
import { Sha256 } from '../../../src/fs/tree/sha256.ts'
import { decodeName } from '../../../src/path/index.ts'

const epochFs = (): MemoryFs => new MemoryFs({ now: () => 0n })

/** What a tree is listed as when it is built on an empty file system. */
function listed(tree: Tree): ReturnType<typeof readTree> {
  const fs = epochFs()
  writeTree(fs, '/t', tree)
  return readTree(fs, '/t', { mtime: ns => ns !== 0n })
}

const file = { type: 'file', mode: '0644', uid: 0, gid: 0, nlink: 1 } as const
const dir = { type: 'dir', mode: '0755', uid: 0, gid: 0 } as const

describe('writeTree and readTree', () => {
  const rows: readonly (readonly [string, Tree, object])[] = [
    ['a file by its content', { 'a/b': 'hi' }, { '': dir, a: dir, 'a/b': { ...file, size: 2, content: 'hi' } }],
    [
      'attributes of a file',
      {
        f: {
          content: '',
          mode: '4751',
          uid: 3,
          gid: 4,
          mtime: '12.5',
          xattrs: { 'user.b': 'x', 'user.a': { base64: '/w==' } },
        },
      },
      {
        '': dir,
        f: {
          type: 'file',
          mode: '4751',
          uid: 3,
          gid: 4,
          mtime: '12.500000000',
          size: 0,
          content: '',
          nlink: 1,
          xattrs: { 'user.a': { base64: '/w==' }, 'user.b': 'x' },
        },
      },
    ],
    [
      'a directory named behind its entries, with its time, setgid bit and no write permission',
      { 'd/s/f': '', d: { type: 'dir', mode: '2555', gid: 7, mtime: '-1.25' } },
      {
        '': dir,
        d: { ...dir, mode: '2555', gid: 7, mtime: '-1.250000000' },
        'd/s': dir,
        'd/s/f': { ...file, size: 0, content: '' },
      },
    ],
    [
      'a symlink has no mode',
      { l: { target: 'x y', uid: 1, mtime: '7' } },
      { '': dir, l: { type: 'symlink', uid: 1, gid: 0, mtime: '7', target: 'x y', nlink: 1 } },
    ],
    [
      'devices, fifo and socket',
      {
        c: { type: 'char', rdev: '1:3' },
        b: { type: 'block', rdev: '259:65536', mode: '0600' },
        p: { type: 'fifo' },
        s: { type: 'socket' },
      },
      {
        '': dir,
        b: { ...file, type: 'block', mode: '0600', rdev: '259:65536' },
        c: { ...file, type: 'char', rdev: '1:3' },
        p: { ...file, type: 'fifo' },
        s: { ...file, type: 'socket' },
      },
    ],
    [
      'marks of an overlay',
      { o: { type: 'dir', opaque: true }, 'o/w': { type: 'whiteout' }, 'x/y': { type: 'xwhiteout' } },
      {
        '': dir,
        o: { ...dir, xattrs: { 'trusted.overlay.opaque': 'y' } },
        'o/w': { type: 'whiteout' },
        x: { ...dir, xattrs: { 'trusted.overlay.opaque': 'x' } },
        'x/y': { ...file, size: 0, content: '', xattrs: { 'trusted.overlay.whiteout': 'y' } },
      },
    ],
    [
      'two names of one file',
      { a: 'x', b: { link: 'a' } },
      { '': dir, a: { ...file, nlink: 2, size: 1, content: 'x' }, b: { ...file, nlink: 2, size: 1, content: 'x' } },
    ],
    [
      'bytes that are no UTF-8, in names and contents',
      { '\udcff': { base64: '/w==' }, '1': 'one', __proto__x: '' },
      {
        '': dir,
        '1': { ...file, size: 3, content: 'one' },
        __proto__x: { ...file, size: 0, content: '' },
        '\udcff': { ...file, size: 1, base64: '/w==' },
      },
    ],
    [
      'attributes of the root',
      { '': { type: 'dir', mode: '0700', xattrs: { 'user.a': '1' } } },
      { '': { ...dir, mode: '0700', xattrs: { 'user.a': '1' } } },
    ],
  ]
  for (const [title, tree, expected] of rows) {
    it(title, () => expect(listed(tree)).to.deep.equal(expected))
  }

  it('keeps a name that means something to JavaScript', () => {
    const tree = JSON.parse('{ "__proto__": "x", "constructor/y": "" }') as Tree
    expect(Object.keys(listed(tree))).to.deep.equal(['', '__proto__', 'constructor', 'constructor/y'])
  })

  it('hashes what is longer than 4 KiB, holes included', () => {
    const { f, g } = listed({ f: { content: 'ab', size: 300_000 }, g: { content: 'x'.repeat(4096) } })
    const bytes = Buffer.alloc(300_000)
    bytes.write('ab')
    expect(f).to.deep.equal({ ...file, size: 300_000, sha256: createHash('sha256').update(bytes).digest('hex') })
    expect(g?.content).to.have.length(4096)
  })

  it('leaves out what differs from run to run, unless asked', () => {
    const origin = { base64: '+wD/' }
    const xattrs = {
      'trusted.overlay.impure': 'y',
      'trusted.overlay.nlink': 'U+1',
      'trusted.overlay.origin': origin,
      'user.overlay.uuid': origin,
      'user.overlay.origin': '',
      'security.selinux': 'label',
    }
    const fs = epochFs()
    writeTree(fs, '/', { d: { type: 'dir', xattrs } })
    expect(readTree(fs, '/')['d']?.xattrs).to.deep.equal({
      'trusted.overlay.origin': '*',
      'user.overlay.origin': '',
      'user.overlay.uuid': '*',
    })
    expect(readTree(fs, '/', { exact: true })['d']?.xattrs).to.deep.equal(xattrs)
  })

  it('writes the marks of a userxattr overlay', () => {
    const fs = epochFs()
    writeTree(fs, '/', { d: { type: 'dir', opaque: true }, 'e/w': { type: 'xwhiteout' } }, { xattrPrefix: 'user' })
    expect(fs.listxattr('/d')).to.deep.equal(['user.overlay.opaque'])
    expect(fs.listxattr('/e')).to.deep.equal(['user.overlay.opaque'])
    expect(fs.listxattr('/e/w')).to.deep.equal(['user.overlay.whiteout'])
  })

  it('gives a tree back as it was listed', () => {
    const bytes = fc.uint8Array({ maxLength: 20 })
    const name = bytes
      .map(raw => decodeName(raw).replaceAll(/[/\0]/g, '_'))
      .filter(text => !['', '.', '..'].includes(text))
    const key = fc.array(name, { minLength: 1, maxLength: 3 }).map(names => names.join('/'))
    const anyNode = fc.oneof(
      fc.record({ type: fc.constant('dir' as const), mode: fc.constantFrom('0755', '1777', '2000', '0000') }),
      fc.record({
        type: fc.constant('file' as const),
        base64: bytes.map(raw => Buffer.from(raw).toString('base64')),
        uid: fc.nat(99),
      }),
      fc.record({ type: fc.constant('symlink' as const), target: name }),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(key, anyNode), { maxLength: 12 }), pairs => {
        const dirs = new Set(pairs.flatMap(([path]) => path.split('/').map((_, at, all) => all.slice(0, at).join('/'))))
        const tree = Object.fromEntries(pairs.filter(([path, { type }]) => type === 'dir' || !dirs.has(path))) as Tree
        const first = listed(tree)
        const again: Record<string, object> = {}
        for (const [path, node] of Object.entries(first)) {
          again[path] = Object.fromEntries(Object.entries(node).filter(([field]) => field !== 'nlink'))
        }
        expect(diffTrees(listed(again), first)).to.deep.equal([])
      }),
    )
  })

  it('does not recurse: ten thousand directories inside each other', () => {
    const fs = epochFs()
    const { superBlock } = fs
    let at = superBlock.root
    for (let depth = 0; depth < 10_000; depth++) {
      at = superBlock.create(at, 'd', { type: 'dir', mode: 0o755, umask: 0, uid: 0, gid: 0 })
    }
    const listing = readTree(fs, '/')
    // Paths end at 4096 bytes: what is behind them is listed as what the file system answers.
    expect(Object.values(listing).at(-1)).to.deep.equal({ errno: 'ENAMETOOLONG' })
  })
})

describe('parseTree', () => {
  const rows: readonly (readonly [unknown, string])[] = [
    [[], 'a tree is an object of paths and nodes'],
    [{ 'a//b': '' }, '"a//b": a path is relative'],
    [{ '/a': '' }, '"/a": a path is relative'],
    [{ 'a/../b': '' }, '"a/../b": a path is relative'],
    [{ 'a\0': '' }, 'a path has no NUL'],
    [{ a: '', 'a/b': '' }, '"a/b": its parent is no dir'],
    [{ a: { target: 'x' }, 'a/b/c': '' }, '"a/b/c": its parent is no dir'],
    [{ a: 1 }, '"a": a node is a string or an object'],
    [{ a: {} }, '"a": type is missing'],
    [{ a: { type: 'pipe' } }, 'type must be one of file, dir'],
    [{ a: { type: 'dir', content: '' } }, '"content" says nothing about a node of type dir'],
    [{ a: { type: 'file', colour: 1 } }, 'no node has a "colour"'],
    [{ a: { type: 'file', constructor: 1 } }, 'no node has a "constructor"'],
    [{ a: { content: 'x', base64: '' } }, 'content and base64 exclude each other'],
    [{ a: { base64: 'x' } }, 'base64 must be a string in base64'],
    [{ a: { content: '', mode: '0888' } }, 'mode must be a string of octal digits'],
    [{ a: { content: '', mode: 420 } }, 'mode must be a string of octal digits'],
    [{ a: { content: '', mode: '17777' } }, 'mode must be a string of octal digits'],
    [{ a: { content: '', uid: -1 } }, 'uid must be a whole number'],
    [{ a: { content: '', gid: 4294967295 } }, 'gid must be a whole number'],
    [{ a: { size: 0.5 } }, 'size must be a whole number'],
    [{ a: { content: '', mtime: 'now' } }, 'mtime must be a string'],
    [{ a: { content: '', mtime: 5 } }, 'mtime must be a string'],
    [{ a: { type: 'symlink' } }, 'a symlink needs a target'],
    [{ a: { target: 'b', mode: '0777' } }, 'a symlink has no mode'],
    [{ a: { type: 'char' } }, 'a device needs an rdev'],
    [{ a: { type: 'block', rdev: '4096:0' } }, 'a device needs an rdev'],
    [{ a: { content: '', xattrs: { 'user.a': 1 } } }, 'the value of xattr "user.a" must be'],
    [{ a: { content: '', xattrs: [] } }, 'xattrs must be an object'],
    [{ a: { type: 'dir', opaque: 'y' } }, 'opaque must be true or false'],
    [{ b: { link: 'a' }, a: '' }, 'link must be the path of an earlier node'],
    [{ a: { type: 'dir' }, b: { link: 'a' } }, 'a directory has one name'],
    [{ a: '', b: { link: 'a', mode: '0600' } }, '"mode" says nothing about a link'],
    [{ '': 'x' }, 'the root is a dir'],
    [{ 'a\u001b': 1 }, String.raw`"a\x1b": a node is`],
  ]
  for (const [tree, message] of rows) {
    it(`refuses ${JSON.stringify(tree)}`, () => {
      expect(() => parseTree(tree, 'lower 1'))
        .to.throw()
        .that.includes({ code: 'BAD_SCENARIO' })
        .and.has.property('message')
        .that.includes('Cannot read lower 1: ')
        .and.includes(message)
    })
  }

  it('gives the tree that it was given', () => {
    const tree = { 'a/b': 'x', c: { link: 'a/b' } }
    expect(parseTree(tree)).to.equal(tree)
  })
})

describe('diffTrees', () => {
  it('names what differs, and only that', () => {
    const a: Tree = {
      same: 'x',
      gone: 'x',
      f: { content: 'a', mode: '0644', xattrs: { 'user.a': '1' } },
      'd\n': { type: 'dir' },
    }
    const b: Tree = {
      same: 'x',
      new: { target: 't' },
      f: { content: 'a', mode: '0600', xattrs: { 'user.a': '2' } },
      'd\n': { type: 'fifo' },
    }
    expect(diffTrees(a, b, { names: ['emulator', 'kernel'] })).to.deep.equal([
      String.raw`d\n: type "dir" (emulator), "fifo" (kernel)`,
      'f: mode "0644" (emulator), "0600" (kernel)',
      'f: xattrs {"user.a":"1"} (emulator), {"user.a":"2"} (kernel)',
      'gone: only in emulator: {"type":"file","content":"x"}',
      'new: only in kernel: {"target":"t"}',
    ])
  })

  it('judges only what the first tree names, if asked', () => {
    const listing = listed({ a: 'x', 'd/e': { type: 'fifo', mode: '0600' } })
    const literal: Tree = { '': { type: 'dir' }, a: 'x', d: { type: 'dir' }, 'd/e': { type: 'fifo' } }
    expect(diffTrees(literal, listing, { onlyNamed: true })).to.deep.equal([])
    expect(diffTrees({ ...literal, a: 'y' }, listing, { onlyNamed: true })).to.deep.equal([
      'a: content "y" (a), "x" (b)',
    ])
  })
})

describe('Sha256', () => {
  it('agrees with the built-in one, however the bytes are portioned', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 8 }), portions => {
        const hash = new Sha256()
        for (const portion of portions) hash.update(portion)
        expect(hash.hex()).to.equal(createHash('sha256').update(Buffer.concat(portions)).digest('hex'))
      }),
    )
  })
})
