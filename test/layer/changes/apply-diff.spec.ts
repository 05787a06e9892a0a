// apply(diff(a, b), a) = b: for random trees, in memory and through the bytes of a layer.

import { expect } from 'chai'
import fc from 'fast-check'
import { type FileSystem, MemoryFs } from '../../../src/fs/index.ts'
import { applyChanges, diffTrees } from '../../../src/layer/index.ts'
import { randomSteps, takeSteps, type TreeStep } from '../../support/random-tree.ts'
import { listFileSystem } from '../../support/tree-listing.ts'

const numRuns = Number(process.env['OVL_SLOW_RUNS'] ?? 400)

describe('diffTrees()', () => {
  it('gives what makes a into b, for trees that have nothing to do with each other', () => {
    fc.assert(
      fc.property(randomSteps, randomSteps, (first, second) => checkApply(treeOf([first]), treeOf([second]), first)),
      { numRuns },
    )
  })

  it('gives what makes a into b, for b that was made from a', () => {
    fc.assert(
      fc.property(randomSteps, randomSteps, (first, second) =>
        checkApply(treeOf([first]), treeOf([first, second]), first),
      ),
      { numRuns },
    )
  })

  it('finds nothing between a tree and its like', () => {
    fc.assert(
      fc.property(randomSteps, steps => {
        const { changes } = diffTrees(treeOf([steps]), treeOf([steps]))
        expect(changes).to.deep.equal([])
      }),
      { numRuns: numRuns / 4 },
    )
  })
})

/** A tree in memory, whose clock counts so that the same steps give the same tree. */
function treeOf(lists: readonly (readonly TreeStep[])[]): FileSystem {
  let now = 1_000_000_000n
  const tree = new MemoryFs({ now: () => (now += 1n) })
  for (const steps of lists) takeSteps(tree, steps)
  return tree
}

function checkApply(a: FileSystem, b: FileSystem, stepsOfA: readonly TreeStep[]): void {
  const copy = treeOf([stepsOfA])
  applyChanges(copy, diffTrees(a, b), { warn: () => undefined })
  expect(listFileSystem(copy, { withoutRootTime: true })).to.deep.equal(listFileSystem(b, { withoutRootTime: true }))
}
