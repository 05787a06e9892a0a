// Lookup and listing of overlays that are not mounted, against the kernel: random layers with random marks, every path
// of which must give the same kind of file or the same errno.

import { expect } from 'chai'
import fc from 'fast-check'
import fs from 'node:fs'
import { constants } from 'node:os'
import { loadSystem, MNT_DETACH, openLayerDirectory, type System } from '../../src/host/index.ts'
import { findMembers, type Parent, rootsFrom } from '../../src/overlay/check/find-members.ts'
import type { StoredOverlay } from '../../src/overlay/check/layer-reader.ts'
import { findVisibleDirectories } from '../../src/overlay/check/visible-directories.ts'
import { LayerMaker } from '../support/layer-maker.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'

type Entry = {
  readonly layer: 'u' | 'l1' | 'l2' | 'l3'
  readonly path: string
  readonly kind: 'directory' | 'file' | 'empty' | 'whiteout'
  readonly marks: { readonly [name: string]: string }
}

const names = fc.constantFrom('a', 'b', 'c')
const paths = fc.array(names, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const redirects = fc.oneof(
  { weight: 4, arbitrary: names },
  { weight: 4, arbitrary: paths.map(path => `/${path}`) },
  { weight: 1, arbitrary: fc.constantFrom('a/b', '', '/', '//a', '/a/', '.', '..', '/a/..') },
)
const directoryMarks = fc.oneof(
  { weight: 5, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.constantFrom('y', 'x', 'z').map(opaque => ({ opaque })) },
  { weight: 3, arbitrary: redirects.map(redirect => ({ redirect })) },
)
const fileMarks = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constant({ metacopy: '' }) },
  { weight: 1, arbitrary: redirects.map(redirect => ({ metacopy: '', redirect })) },
)
const layers = fc.constantFrom('u' as const, 'l1' as const, 'l2' as const, 'l3' as const)
const entries: fc.Arbitrary<Entry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      layer: layers,
      path: paths,
      kind: fc.constant('directory' as const),
      marks: directoryMarks,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ layer: layers, path: paths, kind: fc.constant('file' as const), marks: fileMarks }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      layer: layers,
      path: paths,
      kind: fc.constant('whiteout' as const),
      marks: fc.constant({}),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      layer: layers,
      path: paths,
      kind: fc.constant('empty' as const),
      marks: fc.constant({ whiteout: '' }),
    }),
  },
)

/** Follows the paths of the stage by the model and by the kernel. */
const settings = [
  { name: 'as usual', options: '', metacopy: false, userxattr: false },
  { name: 'with metacopy', options: ',metacopy=on', metacopy: true, userxattr: false },
  { name: 'with userxattr', options: ',userxattr', metacopy: false, userxattr: true },
] as const

type Setting = (typeof settings)[number]

describe('lookup in an overlay that is not mounted', () => {
  before(needsOverlayMounts)

  for (const each of settings) {
    it(`finds what the kernel finds, ${each.name}`, () => {
      fc.assert(
        fc.property(fc.array(entries, { minLength: 1, maxLength: 14 }), list => compare(list, each)),
        { numRuns: process.env['OVL_SLOW'] === '1' ? 1000 : 80 },
      )
    })
  }
})

function compare(list: readonly Entry[], { options, metacopy, userxattr }: Setting): void {
  const system = loadSystem() as System
  const stage = new Stage()
  try {
    const maker = new LayerMaker(stage, userxattr)
    for (const entry of list) make(maker, entry)
    const layersOf = ['u', 'l1', 'l2', 'l3'].map(layer =>
      openLayerDirectory(stage.at(layer), { system, userxattr, onUnreadable: () => expect.fail(layer) }),
    )
    const overlay = { layers: layersOf, dataLayers: [], hasUpper: true, followsRedirects: !userxattr, metacopy }
    const predicted = predict(overlay)
    const mountOptions = `${stage.fill('lowerdir=$l1:$l2:$l3,upperdir=$u,workdir=$w')}${options}`
    for (const [path, { sight, mayBeStale }] of predicted) {
      // A mount for each path: what is in the cache of one can make another fail (ESTALE).
      system.mount('overlay', stage.at('m'), { source: 'overlay', flags: 0, options: mountOptions })
      try {
        const seen = see(stage.at('m', path))
        if (seen !== 'ESTALE' || !mayBeStale) expect(seen, path).to.deep.equal(sight)
      } finally {
        system.umount2(stage.at('m'), MNT_DETACH)
      }
    }
  } finally {
    stage.remove()
  }
}

/** What is in the way of an entry wins. */
function make(maker: LayerMaker, { layer, path, kind, marks }: Entry): void {
  const at = `${layer}/${path}`
  try {
    const before = fs.lstatSync(maker.at(at), { throwIfNoEntry: false })
    if (before !== undefined && !(before.isDirectory() && kind === 'directory')) return
    if (kind === 'directory') maker.directory(at, marks)
    else if (kind === 'file') maker.file(at, marks)
    else if (kind === 'empty') maker.empty(at, marks)
    else maker.whiteout(at)
  } catch (error) {
    if (!['ENOTDIR', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

type Sight = string | readonly string[]

/** `mayBeStale`: a directory on the way shows at two places, and the kernel knows it by one. */
type Prediction = { readonly sight: Sight; readonly mayBeStale: boolean }

/** All paths up to three names, with what the model says of them. A merged directory is not listed. */
function predict(overlay: StoredOverlay): ReadonlyMap<string, Prediction> {
  const visible = findVisibleDirectories(overlay)
  const predictions = new Map<string, Prediction>()
  const walk = (parents: readonly Parent[], at: string, wasStale: boolean): void => {
    for (const name of ['a', 'b', 'c']) {
      const path = at === '' ? name : `${at}/${name}`
      const { members, failure } = findMembers(overlay, parents, name)
      const [top] = members
      const lower = members.find(({ layer }) => layer > 0)
      const mayBeStale = wasStale || (lower !== undefined && visible.shownAt(lower.layer, lower.path).length > 1)
      if (failure !== null || top === undefined || top.node.type !== 'directory') {
        const sight = failure?.errno ?? (top === undefined ? 'ENOENT' : 'a file')
        predictions.set(path, { sight, mayBeStale })
        continue
      }
      const raw = (overlay.layers[top.layer]?.list(top.path) ?? []).map(entry => entry.name).toSorted()
      const isRaw = visible.listing(top.layer, top.path) === 'raw'
      predictions.set(path, { sight: isRaw ? raw : 'a merged directory', mayBeStale })
      if (path.length < 5) walk(members, path, mayBeStale)
    }
  }
  walk(rootsFrom(overlay, 0), '', false)
  return predictions
}

/** Of a directory with one link the kernel merges several (overlayfs.md: st_nlink of merged directories is 1). */
function see(path: string): Sight {
  try {
    const stat = fs.statSync(path)
    if (!stat.isDirectory()) return 'a file'
    return stat.nlink === 1 ? 'a merged directory' : fs.readdirSync(path).toSorted()
  } catch (error) {
    const { code = 'no code', errno } = error as NodeJS.ErrnoException
    return errno === -constants.errno.ESTALE ? 'ESTALE' : code
  }
}
