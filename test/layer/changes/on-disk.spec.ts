// apply(diff(a, b), a) = b on a disk: changes applied in place, and as the bytes of a layer by the code that unpacks.

import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { openHostFs, openHostView } from '../../../src/host/index.ts'
import { applyChanges, diffTrees, encodeLayerBytes, layerEntries, type TreeView } from '../../../src/layer/index.ts'
import { applyToDirectory } from '../../support/disk-tree.ts'
import { isRoot, skipUnless } from '../../support/probe.ts'
import { randomSteps, takeSteps, type TreeStep } from '../../support/random-tree.ts'
import { listView } from '../../support/tree-listing.ts'

const numRuns = Number(process.env['OVL_SLOW_RUNS'] ?? 40)

describe('diffTrees() of host directories', () => {
  let arena = ''
  let count = 0

  before(function () {
    skipUnless(this, isRoot(), 'needs root for owners and devices')
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-diff-'))
  })
  after(() => fs.rmSync(arena, { recursive: true, force: true }))

  const makeDirectory = (...lists: readonly (readonly TreeStep[])[]): string => {
    const directory = join(arena, `${count++}`)
    fs.mkdirSync(directory)
    const host = openHostFs(directory)
    for (const steps of lists) takeSteps(host, steps)
    host.close()
    return directory
  }

  const check = (a: string, b: string): void => {
    const [viewOfA, viewOfB] = [openHostView(a), openHostView(b)]
    const changeset = diffTrees(viewOfA, viewOfB)
    const want = listView(viewOfB, { withoutRootTime: true })

    const [copy, empty] = [makeDirectory(), openHostView(makeDirectory())]
    const host = openHostFs(copy)
    applyChanges(host, diffTrees(empty, viewOfA), { warn: fail })
    applyChanges(host, changeset, { warn: fail })
    host.close()
    expect(listDirectory(copy), 'applied in place').to.deep.equal(want)

    const layers = [diffTrees(empty, viewOfA), changeset]
    const unpacked = makeDirectory()
    applyToDirectory(
      unpacked,
      layers.map(layer => encodeLayerBytes(layerEntries(layer, { warn: fail }))),
    )
    expect(listDirectory(unpacked), 'through layers').to.deep.equal(want)
    for (const view of [viewOfA, viewOfB, empty]) view.close()
  }

  it('makes a into b, for trees that have nothing to do with each other', () => {
    fc.assert(
      fc.property(randomSteps, randomSteps, (first, second) => check(makeDirectory(first), makeDirectory(second))),
      { numRuns },
    )
  })

  it('makes a into b, for b that was made from a', () => {
    fc.assert(
      fc.property(randomSteps, randomSteps, (first, second) =>
        check(makeDirectory(first), makeDirectory(first, second)),
      ),
      { numRuns },
    )
  })
})

function listDirectory(directory: string): Record<string, string> {
  const view: TreeView & { close(): void } = openHostView(directory)
  const listing = listView(view, { withoutRootTime: true })
  view.close()
  return listing
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
