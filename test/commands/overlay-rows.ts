// The layers of overlays with something wrong, and what a kernel mount of them shows.

import { loadSystem } from '../../src/host/index.ts'
import type { LayerMaker } from '../support/layer-maker.ts'

/** What a mounted overlay shows of a path: a file, the names of a directory, or the errno of looking. */
export type Sight = string | readonly string[]

/** Layers, what is wrong with them, and what the kernel shows. */
export type Row = {
  readonly name: string
  readonly prepare: (make: LayerMaker) => void
  /** `CODE directory/path`, sorted. */
  readonly findings: readonly string[]
  /** What the kernel shows before anything is mended, by path of the merged tree. */
  readonly shows?: { readonly [path: string]: Sight }
  /** The same after --fix=lower, where names of whiteouts may be gone from listings. */
  readonly showsMended?: { readonly [path: string]: Sight }
  readonly mountOptions?: string
  readonly userxattr?: boolean
  /** Findings that --fix=lower mends. */
  readonly mended?: readonly string[]
}

/** All that can be wrong with the layers themselves. */
export const rows: readonly Row[] = [
  {
    name: 'nothing wrong: whiteouts, opaque directories and redirects that do what they should',
    prepare(make) {
      make.file('l1/hidden').file('l1/opaque/below').file('l1/target/inside')
      make.whiteout('u/hidden').directory('u/opaque', { opaque: 'y' }).directory('u/moved', { redirect: 'target' })
      make.whiteout('u/target').directory('l1/ordinary').file('l1/ordinary/file')
    },
    findings: [],
    shows: { '': ['moved', 'opaque', 'ordinary'], opaque: [], moved: ['inside'] },
  },
  {
    name: 'a whiteout that hides nothing',
    prepare: make => make.directory('l1/d').whiteout('u/gone').directory('u/d').whiteout('u/d/gone').whiteout('l1/low'),
    findings: ['WHITEOUT_USELESS l1/low', 'WHITEOUT_USELESS u/d/gone', 'WHITEOUT_USELESS u/gone'],
    mended: ['WHITEOUT_USELESS l1/low', 'WHITEOUT_USELESS u/d/gone', 'WHITEOUT_USELESS u/gone'],
    shows: { '': ['d'], d: [] },
  },
  {
    name: 'a whiteout upon a whiteout',
    prepare: make => make.file('l3/f').whiteout('l2/f').whiteout('l1/f'),
    findings: ['WHITEOUT_USELESS l1/f'],
    mended: ['WHITEOUT_USELESS l1/f'],
    shows: { '': [] },
  },
  {
    name: 'a whiteout in a directory that merges with nothing',
    prepare: make => make.directory('u/alone').whiteout('u/alone/w').directory('l1/low').whiteout('l1/low/w'),
    findings: ['WHITEOUT_LISTED l1/low/w', 'WHITEOUT_LISTED u/alone/w'],
    mended: ['WHITEOUT_LISTED l1/low/w', 'WHITEOUT_LISTED u/alone/w'],
    shows: { alone: ['w'], 'alone/w': 'ENOENT', low: ['w'] },
    showsMended: { alone: [], 'alone/w': 'ENOENT', low: [] },
  },
  {
    name: 'a whiteout in an opaque directory',
    prepare: make => make.file('l1/d/w').directory('u/d', { opaque: 'y' }).whiteout('u/d/w'),
    findings: ['WHITEOUT_LISTED u/d/w'],
    mended: ['WHITEOUT_LISTED u/d/w'],
    shows: { d: ['w'], 'd/w': 'ENOENT' },
    showsMended: { d: [], 'd/w': 'ENOENT' },
  },
  {
    name: 'a whiteout in a directory with an origin is not listed',
    prepare: make =>
      make.directory('u/d', { origin: '' }).whiteout('u/d/w').directory('l1/e', { origin: '' }).whiteout('l1/e/w'),
    findings: ['WHITEOUT_USELESS l1/e/w', 'WHITEOUT_USELESS u/d/w'],
    shows: { d: [], e: [] },
  },
  {
    name: 'a whiteout in a lower directory that is listed only while nothing is above',
    prepare: make => make.directory('l1/d').whiteout('l1/d/w').directory('u/d'),
    findings: ['WHITEOUT_USELESS l1/d/w'],
    shows: { d: [] },
  },
  {
    name: 'whiteouts made of attributes',
    prepare(make) {
      make.file('l3/good/w').directory('l1/good', { opaque: 'x' }).empty('l1/good/w', { whiteout: '' })
      make.file('l3/plain/w').directory('l1/plain').empty('l1/plain/w', { whiteout: 'y' })
      make.file('l1/upper/w').directory('u/upper').empty('u/upper/w', { whiteout: '' })
    },
    findings: ['WHITEOUT_XATTR_LISTED l1/plain/w', 'WHITEOUT_XATTR_LISTED u/upper/w'],
    shows: { good: [], plain: ['w'], 'plain/w': 'ENOENT', upper: ['w'], 'upper/w': 'ENOENT' },
  },
  {
    name: 'whiteouts made of attributes that hide nothing',
    prepare(make) {
      make.directory('l1/d', { opaque: 'x' }).empty('l1/d/w', { whiteout: '' }).directory('l2/d')
      make.directory('l3/e').empty('l3/e/w', { whiteout: '' })
    },
    findings: ['WHITEOUT_LISTED l3/e/w', 'WHITEOUT_USELESS l1/d/w'],
    mended: ['WHITEOUT_LISTED l3/e/w', 'WHITEOUT_USELESS l1/d/w'],
    shows: { d: [], e: ['w'], 'e/w': 'ENOENT' },
    showsMended: { d: [], e: [] },
  },
  {
    name: 'overlay.whiteout on a file with contents',
    prepare: make => make.file('l1/f').file('u/f', { whiteout: '' }),
    findings: ['WHITEOUT_IGNORED u/f'],
    mended: ['WHITEOUT_IGNORED u/f'],
    shows: { f: 'u/f' },
  },
  {
    name: 'whiteouts of layer archives',
    prepare: make => make.file('l1/a').file('u/.wh.a').file('u/d/.wh..wh..opq'),
    findings: ['AUFS_WHITEOUT u/.wh.a', 'AUFS_WHITEOUT u/d/.wh..wh..opq'],
    shows: { '': ['.wh.a', 'a', 'd'] },
  },
  {
    name: 'an opaque root',
    prepare: make => make.root('u', { opaque: 'y' }).root('l1', { opaque: 'y' }).file('l1/a').file('l2/b').file('u/c'),
    findings: ['OPAQUE_ON_ROOT l1/', 'OPAQUE_ON_ROOT u/'],
    mended: ['OPAQUE_ON_ROOT l1/', 'OPAQUE_ON_ROOT u/'],
    shows: { '': ['a', 'b', 'c'] },
  },
  {
    name: 'opaque directories that hide nothing',
    prepare: make => make.file('l1/file').directory('u/file', { opaque: 'y' }).directory('u/new', { opaque: 'y' }),
    findings: ['OPAQUE_USELESS u/file', 'OPAQUE_USELESS u/new'],
    mended: ['OPAQUE_USELESS u/file', 'OPAQUE_USELESS u/new'],
    shows: { '': ['file', 'new'], file: [], new: [] },
  },
  {
    name: 'values of overlay.opaque that mean nothing',
    prepare(make) {
      for (const [name, value] of Object.entries({ yy: 'yy', Y: 'Y', empty: '', x: 'x' }))
        make.file(`l1/${name}/low`).directory(`u/${name}`, { opaque: value })
      make.directory('l3/lowest', { opaque: 'x' })
    },
    findings: ['Y', 'empty', 'x', 'yy']
      .map(name => `OPAQUE_IGNORED u/${name}`)
      .toSpliced(0, 0, 'OPAQUE_IGNORED l3/lowest'),
    mended: ['Y', 'empty', 'x', 'yy']
      .map(name => `OPAQUE_IGNORED u/${name}`)
      .toSpliced(0, 0, 'OPAQUE_IGNORED l3/lowest'),
    shows: { yy: ['low'], Y: ['low'], empty: ['low'], x: ['low'] },
  },
  {
    name: 'redirects that are no name and no path',
    prepare(make) {
      make.directory('l1/p/q')
      const bad = {
        relative: 'p/q',
        double: '/p//q',
        trailing: '/p/',
        empty: '',
        root: '/',
        dot: '.',
        dots: '..',
        up: '/p/..',
      }
      for (const [name, redirect] of Object.entries(bad)) make.directory(`u/${name}`, { redirect })
    },
    findings: ['dot', 'dots', 'double', 'empty', 'relative', 'root', 'trailing', 'up'].map(
      name => `REDIRECT_INVALID u/${name}`,
    ),
    shows: {
      relative: 'EINVAL',
      double: 'EINVAL',
      trailing: 'EINVAL',
      empty: 'EINVAL',
      root: 'EINVAL',
      dot: 'EACCES',
      dots: 'EACCES',
      up: 'EACCES',
    },
  },
  {
    name: 'a redirect over a malformed one',
    prepare(make) {
      make.directory('l2/t').directory('l1/mid', { redirect: '/a//b' }).directory('l1/mid/t')
      make.directory('u/x', { redirect: '/mid/t' })
    },
    findings: ['REDIRECT_INVALID l1/mid', 'REDIRECT_INVALID u/x'],
    shows: { mid: 'EINVAL', x: 'EINVAL' },
  },
  {
    name: 'redirects that lead to nothing, or to a file',
    prepare(make) {
      make.file('l1/file').file('l1/lost/same').directory('u/lost', { redirect: 'd' })
      make.directory('u/tofile', { redirect: '/file' })
    },
    findings: ['REDIRECT_NO_TARGET u/lost', 'REDIRECT_NO_TARGET u/tofile'],
    shows: { lost: [], tofile: [] },
  },
  {
    name: 'absolute redirects, over redirects of lower layers',
    prepare(make) {
      make.file('l3/real/deep/f').directory('l1/renamed', { redirect: '/real' }).directory('l1/renamed/deep')
      make.directory('u/x/y', { redirect: '/renamed/deep' })
    },
    findings: ['REDIRECT_TWICE u/x/y'],
    shows: { 'x/y': ['f'], 'renamed/deep': 'ESTALE' },
  },
  {
    name: 'an absolute redirect whose old name is whited out',
    prepare(make) {
      make.file('l3/real/deep/f').directory('l1/renamed', { redirect: '/real' }).directory('l1/renamed/deep')
      make.directory('u/x/y', { redirect: '/renamed/deep' }).directory('u/renamed').whiteout('u/renamed/deep')
    },
    findings: [],
    shows: { 'x/y': ['f'], renamed: [], 'real/deep': ['f'] },
  },
  {
    name: 'two redirects to one directory',
    prepare: make =>
      make
        .file('l1/old/f')
        .directory('u/a', { redirect: 'old' })
        .directory('u/b', { redirect: '/old' })
        .whiteout('u/old'),
    findings: ['REDIRECT_TWICE u/a', 'REDIRECT_TWICE u/b'],
    shows: { a: ['f'], b: 'ESTALE' },
  },
  {
    name: 'redirects that are not read',
    prepare(make) {
      make.file('l1/t/f').directory('u/d', { redirect: 't', opaque: 'y' }).directory('l1/d')
      make.directory('l3/e', { redirect: '/a//b' })
    },
    findings: ['REDIRECT_IGNORED l3/e', 'REDIRECT_IGNORED u/d'],
    shows: { d: [], e: [] },
  },
  {
    name: 'a useless opaque mark upon a redirect stays',
    prepare: make => make.file('l1/t/f').directory('u/d', { redirect: 't', opaque: 'y' }),
    findings: ['OPAQUE_USELESS u/d', 'REDIRECT_IGNORED u/d'],
    mended: [],
    shows: { d: [] },
  },
  {
    name: 'redirects with userxattr',
    userxattr: true,
    prepare: make => make.file('l1/t/f').directory('u/d', { redirect: 't' }).file('u/other'),
    findings: ['REDIRECT_REFUSED u/d'],
    shows: { d: 'EPERM' },
  },
  {
    name: 'files without data',
    prepare(make) {
      make.directory('l1/directory').file('u/directory', { metacopy: '' }).file('u/lost', { metacopy: '' })
      make
        .file('u/away', { metacopy: '', redirect: '/nowhere' })
        .file('l1/data')
        .file('u/moved', { metacopy: '', redirect: 'data' })
      make.file('u/short', { metacopy: 'ab' }).file('l1/short')
    },
    mountOptions: 'metacopy=on',
    findings: [
      'METACOPY_INVALID u/short',
      'METACOPY_NO_DATA u/away',
      'METACOPY_NO_DATA u/directory',
      'METACOPY_NO_DATA u/lost',
      'METACOPY_OFF u/moved',
    ],
    shows: { directory: 'EIO', lost: 'EIO', away: 'EIO', short: 'EIO', moved: 'l1/data' },
  },
  {
    name: 'files without data while metacopy is off',
    prepare: make => make.file('l1/a').file('u/a', { metacopy: '' }),
    findings: ['METACOPY_OFF u/a'],
    shows: { a: 'EPERM' },
  },
  {
    name: 'a file whose data is two layers below',
    prepare: make => make.file('l3/a').file('l1/a', { metacopy: '' }).file('u/a', { metacopy: '' }),
    mountOptions: 'metacopy=on',
    findings: ['METACOPY_OFF u/a'],
    shows: { a: 'l3/a' },
  },
  {
    name: 'files without data with userxattr',
    userxattr: true,
    prepare: make => make.file('l1/a').file('u/a', { metacopy: '' }),
    findings: ['METACOPY_OFF u/a'],
    shows: { a: 'EPERM' },
  },
  {
    name: 'an origin that is no file handle',
    prepare: make => make.file('l1/a').file('u/a', { origin: 'nonsense' }),
    findings: ['ORIGIN_INVALID u/a'],
    mended: ['ORIGIN_INVALID u/a'],
    shows: { a: 'u/a' },
  },
  {
    name: 'marks of the other prefix',
    prepare(make) {
      make.file('l1/d/low').directory('u/d')
      loadSystem()?.lsetxattr(make.at('u/d'), 'user.overlay.opaque', Buffer.from('y'))
      loadSystem()?.lsetxattr(make.at('l1/d'), 'user.fuseoverlayfs.opaque', Buffer.from('y'))
    },
    findings: ['PREFIX_OTHER l1/d', 'PREFIX_OTHER u/d'],
    shows: { d: ['low'] },
  },
  {
    name: 'marks of the other prefix, with userxattr',
    userxattr: true,
    prepare(make) {
      make.file('l1/d/low').directory('u/d')
      loadSystem()?.lsetxattr(make.at('u/d'), 'trusted.overlay.opaque', Buffer.from('y'))
    },
    findings: ['PREFIX_OTHER u/d'],
    shows: { d: ['low'] },
  },
]
