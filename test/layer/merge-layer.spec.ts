// Layers written apart and merged afterwards must be the tree that they make when they are applied one after the other:
// random layers with everything that makes one depend on another, and what each rule writes into a layer's directory.

import { expect } from 'chai'
import fc from 'fast-check'
import { OvlError } from '../../src/errors/index.ts'
import type { LayerPatch } from '../../src/layer/index.ts'
import { applyLayers } from '../support/apply-layers.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { readEdgeCases } from '../support/layer-cases.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { describeFlat, describeMerged, mergeLayers } from '../support/merge-layers.ts'
import { randomLayers } from '../support/random-layers.ts'

const dir = (name: string, mode = '0750'): TarCaseEntry => ({ type: 'dir', name, mode })
const file = (name: string): TarCaseEntry => ({ type: 'file', name })
const link = (name: string, linkname: string): TarCaseEntry => ({ type: 'symlink', name, linkname })
const hardLink = (name: string, linkname: string): TarCaseEntry => ({ type: 'hardlink', name, linkname })

const foundByRandom: readonly { readonly name: string; readonly layers: readonly (readonly TarCaseEntry[])[] }[] = [
  {
    name: 'names the first of two linked files that an opaque marker hides',
    layers: [
      [file('b/a'), link('b/b', '../a')],
      [hardLink('a', 'b/b'), hardLink('c', 'b/a'), file('.wh..wh..opq')],
    ],
  },
]

describe('mergeLayer()', () => {
  it('makes the tree that layers make one after the other', () => {
    fc.assert(
      fc.property(randomLayers, fc.boolean(), (layers, keepDirlinks) => {
        const tars = layers.map(entries => makeTar(entries))
        expect(merged(tars, keepDirlinks)).to.deep.equal(flat(tars, keepDirlinks))
      }),
      { numRuns: 3000 },
    )
  })

  for (const { name, layers } of foundByRandom)
    it(`${name}, in both ways`, () => {
      const tars = layers.map(entries => makeTar(entries))
      for (const keepDirlinks of [false, true])
        expect(merged(tars, keepDirlinks)).to.deep.equal(flat(tars, keepDirlinks))
    })
})

describe('layer edge cases, layers apart', () => {
  before(needsCorpus)
  for (const { id, question, layers } of corpus === null ? [] : readEdgeCases(corpus)) {
    it(`${id}: ${question}`, () => {
      const tars = layers.map(entries => makeTar(entries))
      for (const keepDirlinks of [false, true])
        expect(merged(tars, keepDirlinks)).to.deep.equal(flat(tars, keepDirlinks))
    })
  }
})

const patches: {
  readonly name: string
  readonly layers: readonly (readonly TarCaseEntry[])[]
  readonly want: readonly string[]
}[] = [
  {
    name: 'writes no whiteout where nothing is hidden (rule 9)',
    layers: [[dir('a')], [file('.wh.b'), file('a/.wh.x'), file('n/.wh..wh..opq')]],
    want: ['attributes  0755'],
  },
  {
    name: 'makes the directories on the way to a whiteout, with the attributes from below (rule 15)',
    layers: [[dir('a'), dir('a/b', '0700'), file('a/b/x')], [file('a/b/.wh.x')]],
    want: ['attributes  0755', 'directory a 0750', 'directory a/b 0700', 'whiteout a/b/x'],
  },
  {
    name: 'makes a directory opaque that is whited out and made again (rule 8)',
    layers: [
      [dir('a'), file('a/x')],
      [file('.wh.a'), dir('a')],
    ],
    want: ['attributes  0755', 'opaque a'],
  },
  {
    name: 'makes a directory opaque that is whited out and implied, without the attributes from below',
    layers: [
      [dir('a'), file('a/x')],
      [file('a/y'), file('.wh.a')],
    ],
    want: ['attributes  0755', 'opaque a'],
  },
  {
    name: 'makes a directory opaque that took the place of a file of its own layer (rule 5)',
    layers: [
      [dir('a'), file('a/x')],
      [file('a'), dir('a')],
    ],
    want: ['attributes  0755', 'opaque a'],
  },
  {
    name: 'makes a directory for an opaque marker only where something is hidden',
    layers: [
      [dir('a'), file('a/x'), dir('b')],
      [file('a/.wh..wh..opq'), file('b/.wh..wh..opq')],
    ],
    want: ['attributes  0755', 'directory a 0750', 'opaque a'],
  },
  {
    name: 'replaces a file by an empty directory for an opaque marker (rule 11)',
    layers: [[file('f')], [file('f/.wh..wh..opq')]],
    want: ['attributes  0755', 'directory f 0755'],
  },
  {
    name: 'writes no whiteout below a directory that is opaque or new',
    layers: [
      [dir('a'), file('a/x'), file('f')],
      [dir('a'), file('.wh.a'), file('a/.wh.x'), dir('f'), file('f/.wh.y')],
    ],
    want: ['attributes  0755', 'opaque a'],
  },
  {
    name: 'follows a symlink of its own layer to what it hides (rule 16)',
    layers: [
      [dir('d'), file('d/x')],
      [link('s', 'd'), file('s/.wh.x')],
    ],
    want: ['attributes  0755', 'directory d 0750', 'whiteout d/x'],
  },
  {
    name: 'hides nothing through a symlink below (rule 17)',
    layers: [[dir('d'), file('d/x'), link('s', 'd')], [file('s/.wh.x')]],
    want: ['attributes  0755'],
  },
]

describe('mergeLayer(), what it writes into the last layer', () => {
  for (const { name, layers, want } of patches)
    it(name, () => {
      const result = mergeLayers(layers.map(entries => makeTar(entries)))
      expect(result.patches.at(-1)?.map(showPatch)).to.deep.equal(want)
    })

  it('says where the stack is cut (rule 10)', () => {
    const layers = [[file('.wh..wh..opq')], [file('x')], [file('.wh..wh..opq'), file('y')], [file('z')]]
    expect(mergeLayers(layers.map(entries => makeTar(entries))).cuts).to.deep.equal([3])
  })

  it('warns about a symlink below that gives way to an implied directory (rule 17)', () => {
    const layers = [[link('bin', 'usr/bin')], [file('bin/x')]].map(entries => makeTar(entries))
    const codes = mergeLayers(layers).warnings.map(({ code, layer, path }) => `${code} ${layer} ${path}`)
    expect(codes).to.deep.equal(['PARENT_SYMLINK_HIDDEN 2 bin'])
  })
})

function showPatch(patch: LayerPatch): string {
  const mode = 'attributes' in patch ? ` ${patch.attributes.mode.toString(8).padStart(4, '0')}` : ''
  return `${patch.kind} ${patch.path}${mode}`
}

function merged(tars: readonly Uint8Array[], keepDirlinks: boolean): unknown {
  return attempt(() => describeMerged(mergeLayers(tars, { keepDirlinks })))
}

function flat(tars: readonly Uint8Array[], keepDirlinks: boolean): unknown {
  return attempt(() => describeFlat(applyLayers(tars, { keepDirlinks }).tree))
}

/** The result, or the error with its words. */
function attempt<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    if (error instanceof OvlError) return `${error.code}: ${error.message}`
    throw error
  }
}
