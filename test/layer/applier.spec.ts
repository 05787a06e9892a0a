import { expect } from 'chai'
import { defaultLimits, isCode, type WarningCode } from '../../src/errors/index.ts'
import type { ApplyOptions, TreeSink } from '../../src/layer/index.ts'
import { applyLayers, applyTo, flatten } from '../support/apply-layers.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'

const file = (name: string, content = ''): TarCaseEntry => ({ type: 'file', name, content })
const dir = (name: string, mode = '0755'): TarCaseEntry => ({ type: 'dir', name, mode })
const link = (name: string, linkname: string): TarCaseEntry => ({ type: 'symlink', name, linkname })
const hard = (name: string, linkname: string): TarCaseEntry => ({ type: 'hardlink', name, linkname })
const whiteout = (name: string): TarCaseEntry => file(name.replace(/([^/]+)$/, '.wh.$1'))

type Layers = readonly (readonly TarCaseEntry[])[]

function apply(layers: Layers, options: Partial<ApplyOptions> = {}) {
  return applyLayers(
    layers.map(entries => makeTar(entries)),
    options,
  )
}

function paths(layers: Layers, options: Partial<ApplyOptions> = {}): string[] {
  return [...flatten(apply(layers, options).tree).keys()].filter(path => path !== '.').toSorted()
}

describe('LayerApplier', () => {
  describe('refuses', () => {
    const table: [string, string, Layers, Partial<ApplyOptions>?][] = [
      ['a hard link to nothing', 'BAD_HARD_LINK', [[hard('a', 'b')]]],
      ['a hard link to a directory', 'BAD_HARD_LINK', [[dir('d'), hard('a', 'd')]]],
      ['a hard link to the root', 'BAD_HARD_LINK', [[hard('a', '/')]]],
      ['a hard link to itself', 'BAD_HARD_LINK', [[file('a'), hard('./a', 'a')]]],
      [
        'a hard link to itself by another path',
        'BAD_HARD_LINK',
        [[dir('d'), file('d/a'), link('l', 'd'), hard('l/a', 'd/a')]],
      ],
      ['a hard link that would replace its target’s directory', 'BAD_HARD_LINK', [[file('d/x'), hard('d', 'd/x')]]],
      [
        'a hard link to what the layer hides, link first',
        'BAD_HARD_LINK',
        [[file('f')], [hard('g', 'f'), whiteout('f')]],
      ],
      [
        'a hard link to what the layer hides, link last',
        'BAD_HARD_LINK',
        [[file('f')], [whiteout('f'), hard('g', 'f')]],
      ],
      [
        'a hard link to what the layer hides by its parent',
        'BAD_HARD_LINK',
        [[file('d/f')], [hard('g', 'd/f'), whiteout('d')]],
      ],
      [
        'a hard link to a lower file that the layer replaces later',
        'BAD_HARD_LINK',
        [[file('f')], [hard('g', 'f'), file('f', 'new')]],
      ],
      [
        'a hard link whose own parent hides the target',
        'BAD_HARD_LINK',
        [[dir('real'), file('real/f'), link('l', 'real'), file('x')], [hard('x/y', 'x')]],
      ],
      ['a root that is no directory', 'BAD_ENTRY', [[file('./')]]],
      ['a name longer than NAME_MAX', 'BAD_ENTRY', [[file(`d/${'é'.repeat(128)}`)]]],
      ['a whiteout of a name longer than NAME_MAX', 'BAD_ENTRY', [[file(`.wh.${'n'.repeat(256)}`)]]],
      ['a symlink without a target', 'BAD_ENTRY', [[link('s', '')]]],
      ['a symlink target longer than PATH_MAX', 'BAD_ENTRY', [[link('s', 'x'.repeat(4096))]]],
      ['a file larger than numbers are exact', 'BAD_ENTRY', [[{ ...file('f'), pax: hugeHole() }]]],
      ['an owner beyond 32 bits', 'BAD_ENTRY', [[{ ...file('f'), uid: 2 ** 32 }]]],
      ['an owner of (uid_t) -1', 'BAD_ENTRY', [[{ ...file('f'), gid: 2 ** 32 - 1 }]]],
      ['an owner below -1', 'BAD_ENTRY', [[{ ...file('f'), uid: -2 }]]],
      [
        'a device number beyond 12 bits of major',
        'BAD_ENTRY',
        [[{ type: 'char', name: 'c', devmajor: 4096, devminor: 0 }]],
      ],
      ['".." with --strict', 'UNSAFE_PATH', [[file('a/../b')]], { strict: true }],
      [
        '".." in the target of a hard link with --strict',
        'UNSAFE_PATH',
        [[file('b'), hard('a', 'x/../b')]],
        { strict: true },
      ],
      [
        'more entries than the limit',
        'LIMIT_EXCEEDED',
        [[file('a'), file('b'), file('c')]],
        { limits: { ...defaultLimits, entries: 2 } },
      ],
      [
        'a path longer than the limit',
        'LIMIT_EXCEEDED',
        [[file(`${'d/'.repeat(100)}f`)]],
        { limits: { ...defaultLimits, pathBytes: 100 } },
      ],
    ]
    for (const [what, code, layers, options] of table) {
      it(`${what}: ${code}`, () => {
        expect(() => apply(layers, options))
          .to.throw()
          .and.satisfy((error: unknown) => isCode(error, code))
      })
    }
  })

  describe('warns', () => {
    const table: [string, WarningCode, Layers][] = [
      ['of ".."', 'DOTDOT_PATH', [[file('a/../b')]]],
      ['of a name that occurs twice', 'DUPLICATE_ENTRY', [[file('a'), file('a')]]],
      ['of a directory that occurs twice', 'DUPLICATE_ENTRY', [[dir('a'), dir('a')]]],
      ['of AUFS names', 'AUFS_METADATA', [[file('.wh..wh.aufs')]]],
      ['of a character device 0:0', 'CHAR_DEVICE_WHITEOUT', [[{ type: 'char', name: 'a', devmajor: 0, devminor: 0 }]]],
      [
        'of a symlink below that an implied directory hides',
        'PARENT_SYMLINK_HIDDEN',
        [[dir('usr/bin'), link('bin', 'usr/bin')], [file('bin/x')]],
      ],
      ['of owner -1', 'OWNER_MINUS_ONE', [[{ ...file('a'), uid: -1 }]]],
    ]
    for (const [what, code, layers] of table) {
      it(`${what}: ${code}`, () => {
        expect(apply(layers).warnings.map(warning => warning.code)).to.include(code)
      })
    }

    it('naming layer and path', () => {
      const { warnings } = apply([[file('x')], [dir('usr'), file('a/../usr/y')]])
      expect(warnings.map(({ layer, path }) => [layer, path])).to.deep.equal([[2, 'a/../usr/y']])
    })

    it('not at all about an ordinary image', () => {
      expect(
        apply([
          [dir('./'), dir('a'), file('a/b'), hard('a/c', 'a/b')],
          [dir('a'), whiteout('a/b'), file('a/d')],
        ]).warnings,
      ).to.deep.equal([])
    })
  })

  describe('with keepDirlinks', () => {
    const base = [
      dir('usr'),
      dir('usr/bin'),
      link('bin', 'usr/bin'),
      link('loop', 'loop'),
      link('gone', 'nowhere'),
      link('tofile', 'f'),
      file('f'),
    ]
    const keep = { keepDirlinks: true }

    it('follows a symlink below that leads to a directory', () => {
      expect(paths([base, [file('bin/x')]], keep))
        .to.include.members(['bin', 'usr/bin/x'])
        .and.not.include('bin/x')
    })
    it('keeps the symlink when a directory entry comes over it, and gives its target the attributes', () => {
      const rows = flatten(apply([base, [dir('bin', '0700'), file('bin/x')]], keep).tree)
      expect(rows.get('bin')?.kind).to.equal('symlink')
      expect(rows.get('usr/bin')?.attributes.mode).to.equal(0o700)
    })
    it('hides a symlink that loops, dangles or leads to a file', () => {
      expect(paths([base, [file('loop/x'), file('gone/x'), file('tofile/x')]], keep)).to.include.members([
        'loop/x',
        'gone/x',
        'tofile/x',
      ])
    })
    it('applies whiteouts below the symlink', () => {
      expect(paths([[...base, file('usr/bin/x')], [whiteout('bin/x')]], keep)).to.not.include('usr/bin/x')
    })
    it('without it, a whiteout below the symlink hides nothing', () => {
      expect(paths([[...base, file('usr/bin/x')], [whiteout('bin/x')]])).to.include('usr/bin/x')
    })
  })

  it('follows symlinks of the same layer inside the root, and makes what is missing', () => {
    expect(paths([[link('l', '/a/../../b/c'), file('l/x')]])).to.deep.equal(['b', 'b/c', 'b/c/x', 'l'])
  })

  it('makes a directory opaque that replaces a non-directory of its own layer', () => {
    expect(
      paths([
        [dir('d'), file('d/a')],
        [file('d'), dir('d'), file('d/b')],
      ]),
    ).to.deep.equal(['d', 'd/b'])
  })

  it('goes 15,000 directories deep without a stack', () => {
    const deep = 'd/'.repeat(15_000)
    const removed: string[] = []
    const sink = new Proxy({} as TreeSink, {
      get: (_, name) => (path: string) => void (name === 'remove' && removed.push(path)),
    })
    applyTo(sink, [makeTar([file(`${deep}f`)]), makeTar([whiteout('d'), file('x')])])
    expect(removed.length).to.equal(15_001)
    expect(removed.at(-1)).to.equal('d')
  })

  it('reads a PAX attribute of libarchive, percent and base64 undone, star’s form first', () => {
    const pax = {
      'LIBARCHIVE.xattr.user.k%3d': 'dg',
      'LIBARCHIVE.xattr.user.both': 'eA==',
      'SCHILY.xattr.user.both': 'star',
      'LIBARCHIVE.xattr.security.selinux': 'eA==',
    }
    const xattrs = flatten(apply([[{ ...file('f'), pax }]]).tree).get('f')?.attributes.xattrs
    expect(
      [...(xattrs ?? [])]
        .map(([name, value]) => [name, Buffer.from(value).toString()])
        .toSorted(([a = ''], [b = '']) => a.localeCompare(b)),
    ).to.deep.equal([
      ['user.both', 'star'],
      ['user.k=', 'v'],
    ])
  })
})

/** PAX records that make a file of 2⁶² bytes, all of them a hole. */
function hugeHole(): Record<string, string> {
  return {
    'GNU.sparse.major': '0',
    'GNU.sparse.minor': '1',
    'GNU.sparse.size': String(2n ** 62n),
    'GNU.sparse.numblocks': '1',
    'GNU.sparse.map': '0,0',
  }
}
