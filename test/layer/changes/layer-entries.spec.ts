// Which entries a layer gets, in which order, and what it refuses.

import { expect } from 'chai'
import { OvlError, type Warning } from '../../../src/errors/index.ts'
import { makeDevice, MemoryFs, S_IFCHR, S_IFSOCK, type Tree, writeTree } from '../../../src/fs/index.ts'
import {
  diffTrees,
  diffUpper,
  encodeLayer,
  encodeLayerBytes,
  type EncodeOptions,
  layerEntries,
  type LayerEntryOptions,
} from '../../../src/layer/index.ts'
import { type TarHeader, TarReader } from '../../../src/tar/index.ts'

type Row = {
  readonly name: string
  readonly lower?: Tree
  readonly upper: Tree
  readonly options?: Omit<LayerEntryOptions, 'warn'>
  /** "NAME", "NAME -> LINK". */
  readonly names: readonly string[]
}

const mtime = '1600000000'
const y = { 'trusted.overlay.opaque': 'y' }
const redirectTo = (to: string) => ({ 'trusted.overlay.redirect': to })

const rows: readonly Row[] = [
  {
    name: 'parents come with what is in them, siblings sorted by their bytes',
    upper: { 'b/x': '', 'a-b': '', 'a/z': '', 'a/é': '', Z: '' },
    names: ['Z', 'a/', 'a/z', 'a/é', 'a-b', 'b/', 'b/x'],
  },
  {
    name: 'a whiteout stands where its name would',
    upper: { 'd/a': '', 'd/b': { type: 'whiteout' }, 'd/c': '' },
    names: ['d/', 'd/a', 'd/.wh.b', 'd/c'],
  },
  {
    name: 'a whiteout that is known to hide nothing is left out, and its directory with it',
    lower: { d: { type: 'dir', mtime } },
    upper: { d: { type: 'dir', mtime }, 'd/b': { type: 'whiteout' } },
    names: [],
  },
  {
    name: 'an opaque marker comes right behind its directory',
    upper: { d: { type: 'dir', xattrs: y }, 'd/+': '' },
    names: ['d/', 'd/.wh..wh..opq', 'd/+'],
  },
  {
    name: 'below an opaque marker everything is told again, and no whiteouts are needed',
    lower: { 'd/a': { content: 'x', mtime }, 'd/b': 'x', 'd/e/f': 'x' },
    upper: { d: { type: 'dir', xattrs: y }, 'd/a': { content: 'x', mtime }, 'd/b': { type: 'whiteout' }, 'd/e/g': '' },
    names: ['d/', 'd/.wh..wh..opq', 'd/a', 'd/e/', 'd/e/g'],
  },
  {
    name: 'with explicit whiteouts each hidden name has one, and what is the same below is left alone',
    lower: { 'd/a': { content: 'x', mtime }, 'd/b': 'x', 'd/e/f': 'x' },
    upper: { d: { type: 'dir', xattrs: y }, 'd/a': { content: 'x', mtime }, 'd/b': { type: 'whiteout' }, 'd/e/g': '' },
    options: { opaque: 'explicit' },
    names: ['d/', 'd/.wh.b', 'd/e/', 'd/e/.wh.f', 'd/e/g'],
  },
  {
    name: 'what was renamed is hidden at its old path and whole at its new one',
    lower: { 'd/a': 'x', 'd/s/b': 'x', 'd/gone': 'x' },
    upper: {
      d: { type: 'whiteout' },
      e: { type: 'dir', xattrs: redirectTo('/d') },
      'e/gone': { type: 'whiteout' },
      'e/new': '',
    },
    names: ['.wh.d', 'e/', 'e/a', 'e/new', 'e/s/', 'e/s/b'],
  },
  {
    name: 'a directory renamed over another hides it',
    lower: { 'd/a': 'x', 'e/b': 'x' },
    upper: { d: { type: 'whiteout' }, e: { type: 'dir', xattrs: redirectTo('d') } },
    names: ['.wh.d', 'e/', 'e/.wh..wh..opq', 'e/a'],
  },
  {
    name: 'a renamed directory keeps its hard links to names elsewhere',
    lower: { 'd/a': { content: 'x', mtime }, 'f/b': { link: 'd/a' } },
    upper: { d: { type: 'whiteout' }, e: { type: 'dir', xattrs: redirectTo('d') } },
    names: ['.wh.d', 'e/', 'e/a', 'f/', 'f/b -> e/a'],
  },
  {
    name: 'names of one file are links to the first',
    upper: { z: 'x', 'a/b': { link: 'z' }, s: { target: 'z' }, t: { link: 's' } },
    names: ['a/', 'a/b', 's', 't -> s', 'z -> a/b'],
  },
  {
    name: 'directories there only for what is in them can be left out',
    lower: { 'd/e/f': 'x', 'm/f': 'x' },
    upper: { 'd/e/f': 'xy', 'm/f': 'xy', m: { type: 'dir', mode: '0700' }, 'new/f': 'x' },
    options: { withoutParents: true },
    names: ['d/e/f', 'm/', 'm/f', 'new/', 'new/f'],
  },
  {
    name: 'but not where an opaque directory hides those that they were',
    lower: { 'o/d/f': 'x' },
    upper: { o: { type: 'dir', opaque: true }, 'o/d/f': 'xy' },
    options: { withoutParents: true },
    names: ['o/', 'o/.wh..wh..opq', 'o/d/', 'o/d/f'],
  },
  {
    name: 'nor where nobody knows what they were',
    upper: { d: { type: 'dir', xattrs: { 'trusted.overlay.origin': '' } }, 'd/f': 'x' },
    options: { withoutParents: true },
    names: ['d/', 'd/f'],
  },
  {
    name: 'the root is told when more than its time changed',
    lower: { '': { type: 'dir', mode: '0755' } },
    upper: { '': { type: 'dir', mode: '0711' }, a: '' },
    names: ['./', 'a'],
  },
]

describe('layerEntries()', () => {
  for (const { name, lower, upper, options, names } of rows) {
    it(name, () => {
      const below = lower === undefined ? {} : { lower: fileSystemOf(lower) }
      const changeset = diffUpper(fileSystemOf(upper), below)
      expect(namesOf(encodeLayerBytes(layerEntries(changeset, { ...options, warn: fail })))).to.deep.equal(names)
    })
  }

  for (const [what, upper, options] of [
    ['a renamed directory', { e: { type: 'dir', xattrs: redirectTo('d') } }, {}],
    ['a metacopy', { f: { size: 5, xattrs: { 'trusted.overlay.metacopy': '' } } }, {}],
    ['explicit whiteouts', { d: { type: 'dir', xattrs: y } }, { opaque: 'explicit' }],
  ] as const) {
    it(`refuses ${what} without the lower layers`, () => {
      expect(codeOf(() => layerEntries(diffUpper(fileSystemOf(upper)), { ...options, warn: fail }))).to.equal(
        'NEEDS_LOWER',
      )
    })
  }

  it('refuses a metacopy whose data no lower layer has', () => {
    const upper = fileSystemOf({ f: { size: 5, xattrs: { 'trusted.overlay.metacopy': '' } } })
    const changeset = diffUpper(upper, { lower: fileSystemOf({}) })
    expect(codeOf(() => layerEntries(changeset, { warn: fail }))).to.equal('BAD_ENTRY')
  })

  for (const name of ['.wh.a', '.wh..wh..opq', 'd/.wh.', '.wh..wh.plnk/x']) {
    it(`refuses a file named ${name}`, () => {
      const changeset = diffTrees(fileSystemOf({}), fileSystemOf({ [name]: '' }))
      expect(codeOf(() => layerEntries(changeset, { warn: fail }))).to.equal('RESERVED_NAME')
    })
  }

  it('refuses a device that a layer would take for a whiteout', () => {
    const tree = fileSystemOf({})
    tree.mknod('/a', S_IFCHR, makeDevice(0, 0))
    const changeset = diffTrees(fileSystemOf({}), tree)
    expect(codeOf(() => layerEntries(changeset, { warn: fail }))).to.equal('BAD_ENTRY')
  })

  it('leaves out sockets with a warning, and hides what they replaced', () => {
    const warnings: Warning[] = []
    const tree = fileSystemOf({})
    tree.mknod('/s', S_IFSOCK | 0o600)
    tree.mknod('/t', S_IFSOCK | 0o600)
    const entries = layerEntries(diffTrees(fileSystemOf({ t: 'x' }), tree), { warn: one => void warnings.push(one) })
    expect(namesOf(encodeLayerBytes(entries))).to.deep.equal(['.wh.t'])
    expect(warnings.map(({ code, path }) => [code, path])).to.deep.equal([
      ['SOCKET_LEFT_OUT', 's'],
      ['SOCKET_LEFT_OUT', 't'],
    ])
  })
})

describe('encodeLayer()', () => {
  const tree: Tree = {
    f: {
      content: 'text',
      mode: '4750',
      uid: 3_000_000,
      gid: 5,
      mtime: '1600000000.123456789',
      xattrs: {
        'user.a': 'v',
        'trusted.overlay.overlay.redirect': 'kept',
        'trusted.overlay.origin': '',
        'security.selinux': 's',
      },
    },
    old: { content: '', mtime: '-1.5' },
    w: { type: 'whiteout', mtime: '77' },
  }

  it('keeps metadata, without marks of overlayfs and labels of the host', () => {
    const [file, old, marker] = headersOf(tree)
    expect(file).to.include({
      name: 'f',
      mode: 0o4750,
      uid: 3_000_000,
      gid: 5,
      mtimeSec: 1_600_000_000,
      mtimeNsec: 123_456_789,
    })
    expect([...(file?.pax?.keys() ?? [])].filter(key => key.startsWith('SCHILY'))).to.deep.equal([
      'SCHILY.xattr.trusted.overlay.redirect',
      'SCHILY.xattr.user.a',
    ])
    expect(old).to.include({ mtimeSec: -2, mtimeNsec: 500_000_000 })
    expect(marker).to.include({ name: '.wh.w', mode: 0o600, uid: 0, mtimeSec: 0, size: 0 })
  })

  it('writes whole seconds when asked', () => {
    expect(headersOf(tree, { timePrecision: 's' })[0]).to.include({ mtimeSec: 1_600_000_000, mtimeNsec: 0 })
  })

  it('clamps later times', () => {
    const [file, old] = headersOf(tree, { latestTimeSec: 1_500_000_000 })
    expect(file).to.include({ mtimeSec: 1_500_000_000, mtimeNsec: 0 })
    expect(old).to.include({ mtimeSec: -2 })
  })

  it('gives the same bytes whatever the sizes of the buffers', () => {
    const entries = layerEntries(diffUpper(fileSystemOf({ ...tree, big: { content: 'x'.repeat(3000) } })), {
      warn: fail,
    })
    const whole = encodeLayerBytes(entries)
    for (const sizeBytes of [1, 7, 512, 1000, 1 << 20]) {
      const encoder = encodeLayer(entries)
      const parts: Buffer[] = []
      for (;;) {
        const part = Buffer.alloc(sizeBytes)
        const length = encoder.read(part)
        if (length === 0) break
        parts.push(part.subarray(0, length))
      }
      expect(Buffer.concat(parts).equals(whole), `buffers of ${sizeBytes} bytes`).to.equal(true)
    }
  })

  it('does not write a file short that shrank while it was read', () => {
    const source = fileSystemOf({ f: 'content' })
    const entries = layerEntries(diffTrees(fileSystemOf({}), source), { warn: fail })
    source.truncate('/f', 3)
    expect(codeOf(() => encodeLayerBytes(entries))).to.equal('READ_FAILED')
  })
})

function headersOf(tree: Tree, options: EncodeOptions = {}): readonly TarHeader[] {
  return readHeaders(encodeLayerBytes(layerEntries(diffUpper(fileSystemOf(tree)), { warn: fail }), options))
}

function namesOf(tar: Uint8Array): readonly string[] {
  return readHeaders(tar).map(({ name, linkName, type }) => (type === 0x31 ? `${name} -> ${linkName}` : name))
}

function readHeaders(tar: Uint8Array): readonly TarHeader[] {
  const headers: TarHeader[] = []
  const reader = new TarReader({
    entry: header => void headers.push(header),
    data: () => undefined,
    end: () => undefined,
  })
  reader.push(tar)
  reader.finish()
  return headers
}

function codeOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    if (error instanceof OvlError) return error.code
    throw error
  }
  return 'none'
}

function fail(warning: Warning): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}

function fileSystemOf(tree: Tree): MemoryFs {
  const fs = new MemoryFs({ now: () => 1_700_000_000_000_000_000n })
  writeTree(fs, '/', tree)
  return fs
}
