// An overlay on file systems in memory: the sequence that shows most concepts at once. That the kernel does the same
// is shown by the differential tests; here every step is asserted by name.
import { expect } from 'chai'
import { type FileSystem, MemorySuperBlock, Vfs } from '../../../src/fs/index.ts'
import { OverlayFs, type OverlayEvent } from '../../../src/overlay/index.ts'

describe('OverlayFs', () => {
  it('merges, copies up, leaves whiteouts and removes them with their directory', () => {
    const { layers, overlay } = make()
    expect(names(overlay, '/')).to.have.members(['d', 'f'])
    expect(names(overlay, '/d')).to.have.members(['a', 'b'])
    overlay.writeFile('/d/a', 'changed')
    expect(text(overlay, '/d/a')).to.equal('changed')
    expect(text(layers, '/l1/d/a')).to.equal('one')
    expect(text(layers, '/u/d/a')).to.equal('changed')
    overlay.unlink('/f')
    expect(layers.lstat('/u/f').rdev).to.equal(0)
    expect(names(overlay, '/')).to.deep.equal(['d'])
    overlay.unlink('/d/a')
    overlay.unlink('/d/b')
    overlay.rmdir('/d')
    expect(names(overlay, '/')).to.deep.equal([])
    expect(names(layers, '/u')).to.have.members(['d', 'f'])
  })

  it('refuses to move a directory that is below, without redirects (rule 131)', () => {
    const { overlay } = make()
    expect(() => overlay.rename('/d', '/e')).to.throw('EXDEV: rename')
  })

  it('finds a renamed directory by its redirect after the next mount (rules 58, 133)', () => {
    const { layers, overlay } = make({ redirect_dir: 'on' })
    overlay.rename('/d', '/e')
    overlay.mkdir('/d', 0o755)
    overlay.unmount()
    const again = mount(layers, { redirect_dir: 'on' })
    expect(names(again, '/e')).to.have.members(['a', 'b'])
    expect(names(again, '/d')).to.deep.equal([])
  })

  it('tells what it decides and by which rule', () => {
    const events: OverlayEvent[] = []
    const { overlay } = make({}, event => void events.push(event))
    overlay.chmod('/d/a', 0o600)
    overlay.unlink('/f')
    const told = events.filter(({ kind }) => kind === 'copy-up' || kind === 'whiteout')
    expect(told).to.deep.equal([
      { kind: 'copy-up', path: '/d', type: 'dir', layer: 1, reason: metadata, dataBytes: 0, metacopy: false, rule: 97 },
      {
        kind: 'copy-up',
        path: '/d/a',
        type: 'file',
        layer: 1,
        reason: metadata,
        dataBytes: 3,
        metacopy: false,
        rule: 98,
      },
      { kind: 'whiteout', path: '/f', rule: 124 },
    ])
  })
})

const metadata = 'its metadata changes'

type Options = ConstructorParameters<typeof OverlayFs>[0]['options']

function make(
  options: Options = {},
  trace: ((event: OverlayEvent) => void) | null = null,
): { readonly layers: FileSystem; readonly overlay: OverlayFs } {
  const layers = new Vfs(new MemorySuperBlock())
  for (const path of ['/l1', '/l2', '/u', '/w', '/l1/d', '/l2/d']) layers.mkdir(path, 0o755)
  layers.writeFile('/l1/d/a', 'one')
  layers.writeFile('/l2/d/b', 'two')
  layers.writeFile('/l2/f', 'three')
  return { layers, overlay: mount(layers, options, trace) }
}

function mount(fs: FileSystem, options: Options, trace: ((event: OverlayEvent) => void) | null = null): OverlayFs {
  const at = (path: string): { readonly fs: FileSystem; readonly path: string } => ({ fs, path })
  return new OverlayFs({
    lower: [at('/l1'), at('/l2')],
    upper: at('/u'),
    work: at('/w'),
    options: options ?? {},
    trace,
  })
}

function names(fs: FileSystem, path: string): readonly string[] {
  return fs.readdir(path).map(({ name }) => name)
}

function text(fs: FileSystem, path: string): string {
  return new TextDecoder().decode(fs.readFile(path))
}
