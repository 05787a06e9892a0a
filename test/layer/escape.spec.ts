// Hostile archives: whatever they say, nothing outside of the destination is created, changed, read or chmodded.
// Every case runs on a real directory with a witness beside it, and may end in a tree or in an OvlError.

import { expect } from 'chai'
import fc from 'fast-check'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { OvlError } from '../../src/errors/index.ts'
import { applyToDirectory, listTree, makeArena, removeArenas } from '../support/disk-tree.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'

type Layers = readonly (readonly TarCaseEntry[])[]
type HostileCase = {
  readonly name: string
  readonly layers: (outside: string) => Layers
  readonly outcome: 'error' | 'contained'
}

const file = (name: string, content = 'pwned'): TarCaseEntry => ({ type: 'file', name, content })
const link = (name: string, linkname: string): TarCaseEntry => ({ type: 'symlink', name, linkname })
const hard = (name: string, linkname: string): TarCaseEntry => ({ type: 'hardlink', name, linkname })
const dir = (name: string, mode = '0755'): TarCaseEntry => ({ type: 'dir', name, mode })

const table: readonly HostileCase[] = [
  {
    name: '".." in a name',
    layers: () => [[file('../outside/secret'), file('a/../../../outside/new')]],
    outcome: 'contained',
  },
  { name: 'an absolute name', layers: outside => [[file(`${outside}/secret`)]], outcome: 'contained' },
  {
    name: 'a file through an absolute symlink',
    layers: outside => [[link('l', outside), file('l/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a file through a relative symlink',
    layers: () => [[link('l', '../outside'), file('l/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a file through a symlink of the layer below',
    layers: outside => [[link('l', outside)], [file('l/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a symlink that replaces a directory before its children come',
    layers: outside => [[dir('d'), link('d', outside), file('d/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a chain of symlinks',
    layers: () => [[link('a', 'b'), link('b', 'c'), link('c', '../outside'), file('a/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a file over a symlink to a file outside',
    layers: outside => [[link('s', `${outside}/secret`), file('s')]],
    outcome: 'contained',
  },
  {
    name: 'a directory over a symlink to a directory outside',
    layers: outside => [[link('s', outside), dir('s', '0777'), file('s/secret')]],
    outcome: 'contained',
  },
  {
    name: 'a directory entry that would chmod through a symlink',
    layers: outside => [[link('s', outside)], [dir('s', '0777')]],
    outcome: 'contained',
  },
  { name: 'a hard link to a file outside', layers: outside => [[hard('h', `${outside}/secret`)]], outcome: 'error' },
  { name: 'a hard link with ".."', layers: () => [[hard('h', '../outside/secret')]], outcome: 'error' },
  {
    name: 'a hard link through a symlink',
    layers: outside => [[link('l', outside), hard('h', 'l/secret'), file('h')]],
    outcome: 'error',
  },
  {
    name: 'a hard link to a symlink, then a file over it',
    layers: outside => [
      [
        link('l', `${outside}/secret`),
        hard('h', 'l'),
        file('h'),
        { type: 'hardlink', name: 'h2', linkname: 'l', mode: '0777' },
      ],
    ],
    outcome: 'contained',
  },
  {
    name: 'a whiteout with ".."',
    layers: () => [[file('x')], [file('../outside/.wh.secret'), file('a/../../outside/.wh..wh..opq')]],
    outcome: 'contained',
  },
  { name: 'a whiteout of ".."', layers: () => [[dir('d')], [file('d/.wh...')]], outcome: 'error' },
  { name: 'a whiteout of "."', layers: () => [[dir('d')], [file('d/.wh..')]], outcome: 'error' },
  {
    name: 'a whiteout through a symlink of the same layer',
    layers: outside => [[file('x')], [link('l', outside), file('l/.wh.secret'), file('l/.wh..wh..opq')]],
    outcome: 'contained',
  },
  {
    name: 'a whiteout through a symlink below',
    layers: outside => [[link('l', outside)], [file('l/.wh.secret'), file('l/.wh..wh..opq')]],
    outcome: 'contained',
  },
  {
    name: 'an opaque marker on a symlink below',
    layers: outside => [[link('l', outside)], [file('l/.wh..wh..opq')]],
    outcome: 'contained',
  },
  { name: 'AUFS link names', layers: () => [[hard('h', '.wh..wh.plnk/../../outside/secret')]], outcome: 'error' },
  { name: 'the root as a symlink', layers: outside => [[link('.', outside), file('secret')]], outcome: 'error' },
  {
    name: 'the root as a symlink, by ".."',
    layers: outside => [[link('a/..', outside), file('secret')]],
    outcome: 'error',
  },
  {
    name: 'a device over a directory',
    layers: () => [[dir('d'), { type: 'char', name: 'd', devmajor: 1, devminor: 3 }, file('d/x')]],
    outcome: 'contained',
  },
  {
    name: 'a symlink loop as a parent',
    layers: () => [[link('a', 'b'), link('b', 'a'), file('a/x')]],
    outcome: 'error',
  },
  { name: 'a symlink to itself as a parent', layers: () => [[link('a', 'a/b'), file('a/x')]], outcome: 'error' },
  {
    name: 'NUL in a PAX name',
    layers: () => [[{ ...file('x'), pax: { path: 'a\0/../../outside/secret' } }]],
    outcome: 'error',
  },
  {
    name: 'a FIFO in the way of a file',
    layers: () => [[{ type: 'fifo', name: 'f' }, file('f'), file('f/x')]],
    outcome: 'contained',
  },
  {
    name: 'xattrs on a symlink',
    layers: outside => [
      [
        {
          ...link('s', `${outside}/secret`),
          xattrs: { 'user.evil': '1', 'security.capability': 'x', 'trusted.t': '1' },
        },
      ],
    ],
    outcome: 'contained',
  },
  {
    name: 'a huge sparse file',
    layers: () => [
      [
        {
          ...file('GNUSparseFile.0/s', ''),
          pax: {
            'GNU.sparse.major': '0',
            'GNU.sparse.minor': '1',
            'GNU.sparse.name': '../../outside/secret',
            'GNU.sparse.size': '1099511627776',
            'GNU.sparse.numblocks': '0',
            'GNU.sparse.map': '',
          },
        },
      ],
    ],
    outcome: 'contained',
  },
  {
    name: 'a GNU sparse name that climbs',
    layers: () => [
      [
        {
          ...file('GNUSparseFile.0/s', ''),
          pax: {
            'GNU.sparse.major': '1',
            'GNU.sparse.minor': '0',
            'GNU.sparse.name': '../../outside/secret',
            'GNU.sparse.realsize': '1',
          },
          content: '0\n'.padEnd(512, '\0'),
        },
      ],
    ],
    outcome: 'contained',
  },
]

describe('a hostile archive stays inside the destination', () => {
  after(removeArenas)
  for (const { name, layers, outcome } of table) {
    it(`${name} (${outcome})`, () => {
      const failure = inArena(outside => layers(outside))
      if (outcome === 'error') expect(failure).to.be.instanceOf(OvlError)
      else if (failure !== null) throw failure
    })
  }

  it('random layers of links, whiteouts and climbing names', () => {
    const name = fc
      .array(fc.constantFrom('a', 'b', 'l', '..', '.', '', '.wh.a', '.wh.l', '.wh..wh..opq', '.wh..wh.plnk'), {
        minLength: 1,
        maxLength: 4,
      })
      .map(parts => parts.join('/'))
    const target = fc.oneof(name, fc.constantFrom('/', '../outside', '../../outside', 'OUTSIDE', 'OUTSIDE/secret'))
    const entry = fc.record({
      type: fc.constantFrom('file', 'dir', 'symlink', 'hardlink', 'fifo'),
      name,
      linkname: target,
      mode: fc.constantFrom('0755', '0777', '4755'),
      content: fc.constantFrom('', 'pwned'),
    })
    const layers = fc.array(fc.array(entry, { maxLength: 8 }), { minLength: 1, maxLength: 3 })
    fc.assert(
      fc.property(
        layers,
        all =>
          void inArena(outside =>
            all.map(one => one.map(e => ({ ...e, linkname: e.linkname.replace('OUTSIDE', outside) }))),
          ),
      ),
      { numRuns: 300 },
    )
  })
})

/** Applies layers beside a witness directory and checks that it is as before; returns the error, if any. */
function inArena(layers: (outside: string) => Layers): OvlError | null {
  const arena = makeArena()
  const outside = join(arena, 'outside')
  const root = join(arena, 'root')
  fs.mkdirSync(root)
  fs.mkdirSync(outside, 0o750)
  fs.writeFileSync(join(outside, 'secret'), 'secret', { mode: 0o400 })
  const before = witness(arena)
  const failure = attempt(() =>
    applyToDirectory(
      root,
      layers(outside).map(entries => makeTar(entries)),
    ),
  )
  expect(witness(arena)).to.deep.equal(before)
  for (const path of listTree(root)) {
    const stat = fs.lstatSync(join(root, path))
    if (stat.isFile()) expect(firstBytes(join(root, path))).to.not.equal('secret')
  }
  return failure
}

/** Of a file that may be a terabyte of hole. */
function firstBytes(path: string): string {
  const fd = fs.openSync(path, 'r')
  try {
    const bytes = Buffer.alloc(6)
    return bytes.toString('latin1', 0, fs.readSync(fd, bytes))
  } finally {
    fs.closeSync(fd)
  }
}

function witness(arena: string): unknown[] {
  return listTree(arena)
    .filter(path => path !== '.' && path !== 'root' && !path.startsWith('root/'))
    .map(path => {
      const { mode, uid, gid, nlink, mtimeMs, ctimeMs, size } = fs.lstatSync(join(arena, path))
      return [path, mode, uid, gid, nlink, mtimeMs, ctimeMs, size]
    })
}

function attempt(call: () => unknown): OvlError | null {
  try {
    call()
    return null
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
}
