// A host directory read for comparing: the same as through HostFs, whatever it holds.

import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { openHostFs, openHostView } from '../../../src/host/index.ts'
import { type ContentReader, type TreeView, viewFileSystem, type ViewObject } from '../../../src/layer/index.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'
import { randomSteps, takeSteps } from '../../support/random-tree.ts'
import { listView } from '../../support/tree-listing.ts'

describe('openHostView()', () => {
  let arena = ''

  before(() => {
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-view-'))
  })
  after(() => fs.rmSync(arena, { recursive: true, force: true }))

  it('reads what HostFs reads', function () {
    skipUnless(this, isRoot(), 'needs root for owners and devices')
    fc.assert(
      fc.property(randomSteps, steps => {
        const directory = fs.mkdtempSync(join(arena, 'tree-'))
        const host = openHostFs(directory)
        takeSteps(host, steps)
        const view = openHostView(directory)
        expect(listView(view)).to.deep.equal(listView(viewFileSystem(host)))
        host.close()
        view.close()
      }),
      { numRuns: 60 },
    )
  })

  it('reads trees that are deeper and wider than what it keeps open', () => {
    const directory = fs.mkdtempSync(join(arena, 'deep-'))
    let path = directory
    for (let depth = 0; depth < 150; depth++) {
      path = join(path, `directory-${depth}`)
      fs.mkdirSync(path)
      fs.writeFileSync(join(path, 'f'), `${depth}`)
    }
    for (let i = 0; i < 200; i++) fs.mkdirSync(join(directory, `wide-${i}`))
    const view = openHostView(directory)
    const listing = Object.entries(listView(view))
    expect(listing.length).to.equal(1 + 300 + 200)
    expect(listing.filter(([name]) => name.endsWith('149/f')).map(([, text]) => text.split(' ').at(-1))).to.deep.equal([
      '149',
    ])
    view.close()
  })

  it('follows no symlink that takes the place of a directory', () => {
    const directory = fs.mkdtempSync(join(arena, 'race-'))
    fs.mkdirSync(join(directory, 'd'))
    fs.writeFileSync(join(directory, 'd', 'f'), 'inside')
    const view = openHostView(directory)
    const d = find(view, view.root, 'd')
    fs.renameSync(join(directory, 'd'), join(directory, 'moved'))
    fs.symlinkSync('/etc', join(directory, 'd'))
    expect(() => view.list(d))
      .to.throw()
      .with.property('code')
      .that.is.oneOf(['ELOOP', 'ENOTDIR'])
    view.close()
  })

  it('does not wait for a FIFO that takes the place of a file', () => {
    const directory = fs.mkdtempSync(join(arena, 'fifo-'))
    const host = openHostFs(directory)
    host.writeFile('/f', 'content')
    const view = openHostView(directory)
    const f = find(view, view.root, 'f')
    host.unlink('/f')
    host.mknod('/f', 0o010644)
    const reader: ContentReader = view.open(f)
    expect(() => reader.read(new Uint8Array(8), 0)).to.throw() // ESPIPE
    reader.close()
    view.close()
    host.close()
  })

  it('tells holes from data', () => {
    const directory = fs.mkdtempSync(join(arena, 'hole-'))
    fs.writeFileSync(join(directory, 'f'), '')
    fs.truncateSync(join(directory, 'f'), 1 << 20)
    const fd = fs.openSync(join(directory, 'f'), 'r+')
    fs.writeSync(fd, 'x', 700_000)
    fs.closeSync(fd)
    const view = openHostView(directory)
    const reader = view.open(find(view, view.root, 'f'))
    const next = reader.nextData(0)
    expect(next).to.be.at.most(700_000)
    expect(reader.nextData(1 << 20)).to.equal(1 << 20)
    reader.close()
    view.close()
  })

  it('says what is missing', () => {
    expect(() => openHostView(join(arena, 'nothing')))
      .to.throw()
      .with.property('code', 'ENOENT')
    fs.writeFileSync(join(arena, 'file'), '')
    expect(() => openHostView(join(arena, 'file')))
      .to.throw()
      .with.property('code', 'ENOTDIR')
  })
})

function find(view: TreeView, directory: ViewObject, name: string): ViewObject {
  const found = view.find(directory, name)
  if (found === null) throw new Error(`there is no ${name}`)
  return found
}
