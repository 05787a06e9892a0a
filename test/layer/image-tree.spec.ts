import { expect } from 'chai'
import { applyLayers } from '../support/apply-layers.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'

const file = (name: string, content = ''): TarCaseEntry => ({ type: 'file', name, content })
const dir = (name: string, mode = '0755'): TarCaseEntry => ({ type: 'dir', name, mode })
const link = (name: string, linkname: string): TarCaseEntry => ({ type: 'symlink', name, linkname })

const layers = [
  [
    dir('./'),
    dir('etc'),
    file('etc/a', 'aaaa'),
    file('etc/b', 'bb'),
    { type: 'hardlink', name: 'etc/b2', linkname: 'etc/b' },
    dir('old'),
    file('old/x', 'xxx'),
    file('old/y', 'y'),
    dir('same'),
  ],
  [dir('etc', '0700'), file('etc/.wh.a'), file('etc/.wh.b'), file('.wh.old'), dir('same'), file('new', 'n')],
  [file('etc/.wh.b2'), file('new', 'nn'), dir('old'), file('old/z')],
].map(entries => makeTar(entries))

describe('ImageTree', () => {
  const { tree, changes } = applyLayers(layers)

  it('says what each layer adds, replaces and removes', () => {
    expect(
      changes.map(layer => layer.map(({ path, change, by }) => `${change} ${path}${by === undefined ? '' : ` ${by}`}`)),
    ).to.deep.equal([
      [
        'added etc',
        'added etc/a',
        'added etc/b',
        'added etc/b2',
        'added old',
        'added old/x',
        'added old/y',
        'added same',
      ],
      ['replaced etc', 'removed etc/a whiteout', 'removed etc/b whiteout', 'added new', 'removed old whiteout'],
      ['removed etc/b2 whiteout', 'replaced new', 'added old', 'added old/z'],
    ])
  })

  it('counts what later layers hide; a file counts when its last name is gone', () => {
    expect(tree.summaries().map(({ hiddenFiles, hiddenBytes }) => [hiddenFiles, hiddenBytes])).to.deep.equal([
      [4, 10],
      [1, 1],
      [0, 0],
    ])
  })

  it('lists what ships but does not show', () => {
    expect(tree.hidden.map(({ path, hiddenBy }) => `${path} ${hiddenBy}`).toSorted()).to.deep.equal([
      'etc/a 2',
      'etc/b 2',
      'etc/b2 3',
      'new 3',
      'old 2',
      'old/x 2',
      'old/y 2',
    ])
  })

  it('looks paths up as chroot would', () => {
    const { tree: links } = applyLayers([
      makeTar([
        dir('a'),
        file('a/f', 'f'),
        link('abs', '/a'),
        link('up', '../../a'),
        link('loop', 'loop'),
        link('a/self', '.'),
      ]),
    ])
    const kind = (path: string, follow = true): string | undefined => links.lookup(path, { follow })?.kind
    expect(kind('')).to.equal('directory')
    expect(kind('abs/f')).to.equal('file')
    expect(kind('up/f')).to.equal('file')
    expect(kind('a/self/self/f')).to.equal('file')
    expect(kind('abs', false)).to.equal('symlink')
    expect(kind('abs')).to.equal('directory')
    expect(kind('abs/', false)).to.equal('symlink')
    expect(kind('a/../../a/f')).to.equal('file')
    expect(kind('loop')).to.equal(undefined)
    expect(kind('loop/x')).to.equal(undefined)
    expect(kind('a/f/x')).to.equal(undefined)
    expect(kind('none')).to.equal(undefined)
  })
})
