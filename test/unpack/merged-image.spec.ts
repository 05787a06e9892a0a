// One image, one tree: an overlay of the layers as they lie in the archive shows what unpacking writes.

import { expect } from 'chai'
import fc from 'fast-check'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OvlError } from '../../src/errors/index.ts'
import { diffTrees, readTree, type TreeListing } from '../../src/fs/index.ts'
import { openHostFs, removeTree } from '../../src/host/index.ts'
import { type Image, openImage } from '../../src/image/index.ts'
import { openMergedImage, unpackFlat } from '../../src/unpack/index.ts'
import { corpus, corpusPath, needsCorpus } from '../support/corpus.ts'
import { removeArenas, unpackToDisk } from '../support/disk-tree.ts'
import { readEdgeCases } from '../support/layer-cases.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { memoryImage } from '../support/memory-image.ts'
import { isRoot, skipUnless } from '../support/probe.ts'
import { randomLayers } from '../support/random-layers.ts'

describe('openMergedImage()', () => {
  let arena = ''
  before(function () {
    skipUnless(this, isRoot(), 'owners and devices need root', { optional: true })
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-merged-'))
  })
  after(async () => {
    if (arena !== '') await removeTree(arena)
    await removeArenas()
  })

  describe('layer edge cases', () => {
    before(needsCorpus)
    for (const { id, question, layers, expect: want } of corpus === null ? [] : readEdgeCases(corpus))
      it(`${id}: ${question}`, async () => {
        const result = await compare(layers)
        if (want.error) expect(result).to.be.a('string')
        else expect(result).to.deep.equal([])
      })
  })

  it('agrees on random images', async () => {
    await fc.assert(
      fc.asyncProperty(randomLayers, fc.boolean(), async (layers, keepDirlinks) => {
        const result = await compare(layers, { keepDirlinks })
        if (typeof result !== 'string') expect(result).to.deep.equal([])
      }),
      { numRuns: process.env['OVL_SLOW'] === undefined ? 50 : 500 },
    )
  })

  describe('public images', () => {
    before(needsCorpus)
    // A docker-archive, a layout, an archive, compressed layers, whiteouts; all of them in a slow run.
    const wanted = process.env['OVL_SLOW'] === undefined ? /umoci|kaniko--whiteout|distribution|busybox/ : /./
    const files = corpus === null ? [] : fs.readdirSync(corpusPath('images')).filter(name => wanted.test(name))
    for (const file of files.filter(name => /\.(?:tar|tgz|tar\.\w+)$/.test(name)))
      it(file, async () => {
        const image = await openImage(corpusPath('images', file), {}).catch(() => null)
        if (image === null) return
        try {
          const bundle = join(arena, 'bundle')
          await removeTree(bundle)
          const unpacked = await attempt(() => unpackFlat(image, bundle))
          if (typeof unpacked === 'string') expect(await attempt(() => openMergedImage(image))).to.equal(unpacked)
          else expect(await differences(image, join(bundle, 'rootfs'))).to.deep.equal([])
        } finally {
          image.close()
        }
      })
  })
})

async function attempt<T>(call: () => Promise<T>): Promise<T | string> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof OvlError) return error.code
    throw error
  }
}

/** Where a later layer replaces one name of a hard link, an overlay still counts the names of the lower layer. */
function withoutLinkCounts(listing: TreeListing): TreeListing {
  return Object.fromEntries(
    Object.entries(listing).map(([path, node]) => {
      const { nlink: _, ...rest } = node
      return [path, rest]
    }),
  )
}

/** Lines that differ between the overlay of the layers and a directory they were unpacked to. */
async function differences(
  image: Image,
  root: string,
  options: { readonly keepDirlinks?: boolean } = {},
): Promise<readonly string[]> {
  const { merged, close } = await openMergedImage(image, options)
  const host = openHostFs(root)
  try {
    return diffTrees(withoutLinkCounts(readTree(host, '/')), withoutLinkCounts(readTree(merged, '/')))
  } finally {
    host.close()
    close()
  }
}

/** The same of layers that may be refused: then by both, with one code. */
async function compare(
  layers: readonly (readonly TarCaseEntry[])[],
  options: { readonly keepDirlinks?: boolean } = {},
): Promise<readonly string[] | string> {
  const tars = layers.map(entries => makeTar(entries))
  const unpacked = await attempt(async () => unpackToDisk(tars, options))
  const image = memoryImage(tars)
  if (typeof unpacked !== 'string') return differences(image, unpacked.root, options)
  expect(await attempt(() => openMergedImage(image, options))).to.equal(unpacked)
  return unpacked
}
