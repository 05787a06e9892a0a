import { expect } from 'chai'
import {
  explainPath,
  type ExplainedLayer,
  type OperationOutcome,
  type Stage,
  tryOperations,
} from '../../src/explain/index.ts'
import { MemoryFs, type Tree, writeTree } from '../../src/fs/index.ts'

function layer(label: string, tree: Tree): ExplainedLayer {
  const fs = new MemoryFs()
  fs.mkdir('/top', 0o755)
  writeTree(fs, '/top', tree)
  return { label, fs, path: '/top' }
}

const base = layer('base', { 'etc/a': 'old', 'etc/b': 'kept', 'd/x': 'X', link: { type: 'symlink', target: 'etc' } })
const middle = layer('middle', { 'etc/a': 'newer' })
const upper = layer('upper', {
  'etc/b': { type: 'whiteout' },
  d: { type: 'dir', opaque: true },
  moved: { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/d' } },
})

describe('explainPath()', () => {
  const stack = [upper, middle, base]

  it('names the layer that decides, and what lies beneath', () => {
    const { node, layers, rules } = explainPath(stack, '/etc/a')
    expect(node?.sizeBytes).to.equal(5)
    expect(layers.map(({ label, decides, answer }) => [label, decides, answer])).to.deep.equal([
      ['upper', false, 'missing'],
      ['middle', true, 'file'],
      ['base', false, null],
    ])
    expect(layers[2]).to.deep.include({ hiddenBy: { path: '/etc/a', label: 'middle', answer: 'file' } })
    expect(rules[0]).to.equal(1)
  })

  it('tells a whiteout from a name that never was', () => {
    const hidden = explainPath(stack, '/etc/b')
    expect([hidden.node, hidden.errno, hidden.layers[0]?.answer, hidden.rules[0]]).to.deep.equal([
      null,
      'ENOENT',
      'whiteout',
      54,
    ])
    const never = explainPath(stack, '/etc/nothing')
    expect(never.layers.map(({ answer }) => answer)).to.deep.equal(['missing', 'missing', 'missing'])
  })

  it('finds the directory above that hides a path', () => {
    const { layers, rules } = explainPath(stack, '/d/x')
    expect(layers[2]?.hiddenBy).to.deep.equal({ path: '/d', label: 'upper', answer: 'opaque-directory' })
    expect(layers[2]?.own?.type).to.equal('file')
    expect(rules[0]).to.equal(57)
  })

  it('follows redirects and symlinks, and says so', () => {
    const moved = explainPath(
      [layer('u', { moved: { type: 'dir', xattrs: { 'trusted.overlay.redirect': '/d' } } }), base],
      '/moved',
    )
    expect(moved.layers[1]).to.include({ answer: 'directory', redirect: '/d' })
    expect(moved.layers[1]?.own?.type).to.equal('dir')
    const linked = explainPath(stack, '/link/a')
    expect([linked.path, linked.symlinks]).to.deep.equal(['/etc/a', [{ path: '/link', target: 'etc' }]])
  })

  it('stops at the first directory that does not exist', () => {
    expect(explainPath(stack, '/no/such/path')).to.include({ missingParent: '/no', errno: 'ENOENT' })
  })
})

const stage: Stage = { upper: null, lower: [middle, base], settings: {} }

function rename(settings: Stage['settings']): OperationOutcome | undefined {
  const outcomes = tryOperations({ ...stage, settings }, { path: '/etc', type: 'dir' })
  return outcomes.find(({ operations }) => operations.includes('mv'))
}

describe('tryOperations()', () => {
  it('says what is copied up, and groups what does the same', () => {
    const outcomes = tryOperations(stage, { path: '/etc/a', type: 'file' })
    expect(outcomes.find(({ operations }) => operations.includes('open for reading'))?.effects).to.deep.equal([])
    const writing = outcomes.find(({ operations }) => operations.includes('open for writing'))
    expect(writing?.operations).to.include.members(['chmod', 'chown', 'touch', 'ln'])
    expect(writing?.effects).to.deep.equal(['copy up the directory /etc', 'copy up /etc/a (5 bytes)'])
    const removed = outcomes.find(({ operations }) => operations.includes('rm'))
    expect(removed?.effects).to.deep.equal(['copy up the directory /etc', 'whiteout at /etc/a'])
  })

  it('gives the errno of what fails, by the options of the mount', () => {
    expect(rename({})).to.deep.include({ errno: 'EXDEV', effects: [] })
    expect(rename({ redirect_dir: 'on' })?.errno).to.equal(null)
  })

  it('starts from the upper layer that is there', () => {
    const outcomes = tryOperations({ ...stage, upper }, { path: '/etc/b', type: null })
    expect(outcomes.map(({ effects }) => effects[0])).to.deep.equal([
      'make file /etc/b in place of a whiteout',
      'make dir /etc/b in place of a whiteout',
    ])
  })
})
