// One image, one tree: the flat rootfs, the copy in merged/ and what the kernel makes of lower/ are the same, to the
// last column, with trusted and with user attributes.

import { expect } from 'chai'
import fc from 'fast-check'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isCode, OvlError } from '../../src/errors/index.ts'
import { removeTree } from '../../src/host/index.ts'
import type { Image } from '../../src/image/index.ts'
import { unpackFlat, unpackLayers, type UnpackLayersOptions } from '../../src/unpack/index.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { readEdgeCases } from '../support/layer-cases.ts'
import { listingDifferences } from '../support/listing.ts'
import { makeTar } from '../support/make-tar.ts'
import { memoryImage } from '../support/memory-image.ts'
import { listBundle, needsOverlayMounts } from '../support/overlay-listing.ts'
import { randomLayers } from '../support/random-layers.ts'

describe('unpackLayers() and the kernel', () => {
  let arena = ''
  before(needsCorpus)
  before(needsOverlayMounts)
  beforeEach(() => {
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-layers-'))
  })
  afterEach(async () => {
    await removeTree(arena)
  })

  /** Lines that differ between the flat tree and the others; the error when all refuse the image. */
  async function compare(
    image: Image,
    { forms = [false, true], ...options }: UnpackLayersOptions & { readonly forms?: readonly boolean[] } = {},
  ): Promise<readonly string[] | string> {
    const [flat, bundle] = [join(arena, 'flat'), join(arena, 'bundle')]
    for (const path of [flat, bundle]) await removeTree(path)
    const flatRoot = join(flat, 'rootfs')
    const refusal = await attempt(() => unpackFlat(image, flat, options))
    const differences: string[] = []
    for (const userxattr of forms) {
      const other = await attempt(() =>
        unpackLayers(image, bundle, { threads: 1, userxattr, force: 'bundle', ...options }),
      )
      expect(other, 'the error').to.equal(refusal)
      if (refusal !== null) continue
      const { [flatRoot]: wanted, ...got } = listBundle(bundle, ['merged', flatRoot])
      if (wanted === undefined) throw new Error('the flat tree was not listed')
      for (const [name, listing] of Object.entries(got))
        differences.push(...listingDifferences(wanted, listing).map(line => `${name}, userxattr ${userxattr}: ${line}`))
    }
    if (refusal === null) return differences
    expect(fs.readdirSync(arena), 'what is left after an error').to.deep.equal([])
    return refusal
  }

  for (const { id, question, layers, expect: want } of corpus === null ? [] : readEdgeCases(corpus))
    it(`${id}: ${question}`, async () => {
      // One layer has no marks; only its own attributes can depend on the form.
      const dependsOnForm = layers.length > 1 || JSON.stringify(layers).includes('.overlay.')
      const image = memoryImage(layers.map(entries => makeTar(entries)))
      const result = await compare(image, { forms: dependsOnForm ? [false, true] : [false] })
      if (want.error) expect(result).to.be.a('string')
      else expect(result).to.deep.equal([])
    })

  it('agree on random images', async () => {
    await fc.assert(
      fc.asyncProperty(randomLayers, fc.boolean(), fc.boolean(), async (layers, userxattr, keepDirlinks) => {
        const image = memoryImage(layers.map(entries => makeTar(entries)))
        const result = await compare(image, { forms: [userxattr], keepDirlinks })
        if (typeof result !== 'string') expect(result).to.deep.equal([])
      }),
      { numRuns: process.env['OVL_SLOW'] === undefined ? 25 : 150 },
    )
  })
})

async function attempt(call: () => Promise<unknown>): Promise<string | null> {
  try {
    await call()
    return null
  } catch (error) {
    if (error instanceof OvlError && !isCode(error, 'WRITE_FAILED')) return `${error.code}: ${error.message}`
    throw error
  }
}
