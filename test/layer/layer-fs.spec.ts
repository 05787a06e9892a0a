// A layer as a file system: what overlayfs would find in lower/N, read from the archive.

import { expect } from 'chai'
import { type Inode, majorOf, minorOf, type SuperBlock } from '../../src/fs/index.ts'
import { type LayerInode, LayerSuperBlock } from '../../src/layer/index.ts'
import { openLayers } from '../../src/unpack/index.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { memoryImage } from '../support/memory-image.ts'

const lower: TarCaseEntry[] = [
  { type: 'dir', name: 'd/', mode: '0750', uid: 7 },
  { type: 'file', name: 'd/a', content: 'first', xattrs: { 'trusted.overlay.redirect': 'x', 'user.k': 'v' } },
  { type: 'file', name: 'gone', content: 'gone' },
  { type: 'hardlink', name: 'again', linkname: 'd/a' },
]
const upper: TarCaseEntry[] = [
  { type: 'file', name: '.wh.gone', content: '' },
  { type: 'file', name: 'd/.wh..wh..opq', content: '' },
  { type: 'char', name: 'null', devmajor: 1, devminor: 3 },
  { type: 'hardlink', name: 'linked', linkname: 'again' },
]

async function open(layers: readonly (readonly TarCaseEntry[])[]): Promise<readonly SuperBlock<LayerInode>[]> {
  const { stack, content } = await openLayers(memoryImage(layers.map(entries => makeTar(entries))))
  return stack.layers.map(tree => new LayerSuperBlock(tree, { content }))
}

function at<I extends Inode>(layer: SuperBlock<I> | undefined, path: string): I {
  let inode = layer?.root
  for (const name of path.split('/')) inode = inode && (layer?.lookup(inode, name) ?? undefined)
  if (inode === undefined) throw new Error(`no ${path}`)
  return inode
}

describe('LayerSuperBlock', () => {
  it('has whiteouts and opaque directories in overlay form', async () => {
    const [, layer] = await open([lower, upper])
    const gone = layer?.stat(at(layer, 'gone'))
    expect(gone).to.include({ rdev: 0, mode: 0o020000 })
    const directory = at(layer, 'd')
    expect(layer?.stat(directory)).to.include({ uid: 7, mode: 0o040750 }) // implied: from the layer below
    expect(layer?.listXattrs(directory)).to.deep.equal(['trusted.overlay.opaque'])
    expect(layer?.getXattr(directory, 'trusted.overlay.opaque')).to.deep.equal(new Uint8Array([0x79]))
  })

  it('escapes attributes that would be marks', async () => {
    const [layer] = await open([lower])
    expect(layer?.listXattrs(at(layer, 'd/a'))).to.have.members(['trusted.overlay.overlay.redirect', 'user.k'])
  })

  it('has devices, hard links and directory counts', async () => {
    const [base, top] = await open([lower, upper])
    const device = top?.stat(at(top, 'null')).rdev ?? 0
    expect([majorOf(device), minorOf(device)]).to.deep.equal([1, 3])
    expect(base?.isSame(at(base, 'd/a'), at(base, 'again'))).to.equal(true)
    expect(base?.stat(at(base, 'again')).nlink).to.equal(2)
    expect(base?.stat(base.root).nlink).to.equal(3)
  })

  it('reads a file that is linked from a lower layer where it lies', async () => {
    const [, layer] = await open([lower, upper])
    const target = new Uint8Array(8)
    const file = layer?.openFile(at(layer, 'linked'), 0)
    expect(file?.read(target, 1)).to.equal(4)
    expect(Buffer.from(target.subarray(0, 4)).toString()).to.equal('irst')
    // Both names became this layer's own.
    expect(layer?.isSame(at(layer, 'linked'), at(layer, 'again'))).to.equal(true)
  })

  it('finds an object by its handle', async () => {
    const [layer] = await open([lower])
    const inode = at(layer, 'd/a')
    const handle = layer?.encodeHandle(inode)
    expect(handle && layer?.decodeHandle(handle)).to.equal(inode)
    expect(layer?.decodeHandle({ type: 1, bytes: new Uint8Array(8) })).to.equal(null)
  })

  it('lists a directory in the order of the archive', async () => {
    const [layer] = await open([lower])
    const names = layer?.openDirectory(layer.root).entries()
    expect(names?.map(({ name, type }) => `${name} ${type}`)).to.deep.equal([
      '. dir',
      '.. dir',
      'd dir',
      'gone file',
      'again file',
    ])
  })
})
