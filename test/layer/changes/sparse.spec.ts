// Layers whose files have holes: found on every kind of file system, left out when asked, there again when the layer is
// read by ovl, GNU tar or bsdtar.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { type FileSystem, MemoryFs, O_WRONLY } from '../../../src/fs/index.ts'
import { openHostFs, openHostView } from '../../../src/host/index.ts'
import {
  type ContentReader,
  diffUpper,
  encodeLayerBytes,
  layerEntries,
  type TreeView,
  viewFileSystem,
} from '../../../src/layer/index.ts'
import { findSegments } from '../../../src/layer/changes/find-holes.ts'
import { OverlayFs } from '../../../src/overlay/index.ts'
import { applyToDirectory } from '../../support/disk-tree.ts'
import { hasTool, isRoot, skipUnless } from '../../support/probe.ts'
import { randomSteps, takeSteps } from '../../support/random-tree.ts'
import { listView } from '../../support/tree-listing.ts'

const page = 4096

/** Pages of data, all else holes, of a file that may end within a page. */
const holes = fc.record({
  pages: fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 12 }),
  sizeBytes: fc.integer({ min: 0, max: 60 * page }),
})
type Holes = { readonly pages: readonly number[]; readonly sizeBytes: number }

function writeHoles(target: FileSystem, path: string, { pages, sizeBytes }: Holes): void {
  target.writeFile(path, '')
  const file = target.open(path, O_WRONLY)
  for (const at of pages) if (at * page < sizeBytes) file.write(Buffer.from(`page ${at}`), at * page)
  file.truncate(sizeBytes)
  file.close()
}

/** What `findSegments` has to say of such a file. */
function segmentsOf({ pages, sizeBytes }: Holes): ReturnType<typeof findSegments> {
  const segments: { offset: number; length: number }[] = []
  for (const at of pages.toSorted((a, b) => a - b)) {
    const offset = at * page
    if (offset >= sizeBytes) continue
    const last = segments.at(-1)
    if (last !== undefined && last.offset + last.length === offset) last.length += page
    else segments.push({ offset, length: page })
  }
  const last = segments.at(-1)
  if (last !== undefined) last.length = Math.min(last.length, sizeBytes - last.offset)
  const isWhole = last?.offset === 0 && last.length === sizeBytes
  return sizeBytes < page || isWhole ? null : segments
}

function found(view: TreeView, name: string): ReturnType<typeof findSegments> {
  const object = view.find(view.root, name)
  if (object === null) throw new Error(`no ${name}`)
  const reader = view.open(object)
  try {
    return findSegments(reader, object.sizeBytes)
  } finally {
    reader.close()
  }
}

describe('findSegments()', () => {
  it('finds the holes of files in memory and under an overlay', () => {
    fc.assert(
      fc.property(holes, shape => {
        const lower = new MemoryFs()
        writeHoles(lower, '/f', shape)
        expect(found(viewFileSystem(lower), 'f')).to.deep.equal(segmentsOf(shape))
        const places = [lower, new MemoryFs()].map(layer => ({ fs: layer, path: '/' }))
        const overlay = new OverlayFs({ lower: places })
        expect(found(viewFileSystem(overlay), 'f')).to.deep.equal(segmentsOf(shape))
        overlay.unmount()
      }),
      { numRuns: 100 },
    )
  })

  it('rounds to blocks of tar, and takes small holes for data', () => {
    const shape: readonly (readonly [number, number])[] = [
      [5000, 5001],
      [6000, 6600],
      [20_000, 20_700],
    ]
    expect(findSegments(readerOf(shape, 21_000), 21_000)).to.deep.equal([
      { offset: 4608, length: 2048 },
      { offset: 19_968, length: 1024 },
    ])
    expect(findSegments(readerOf([[3000, 9000]], 9000), 9000), 'holes in front that are small').to.equal(null)
    expect(findSegments(readerOf([[0, 100]], 4000), 4000), 'a small file').to.equal(null)
  })

  it('keeps the largest holes when there are more than a map may have', () => {
    const every = 16_384 // bytes from one page of data to the next, the odd ones are two
    const sizeBytes = 40_000 * every
    const dataBytes = (at: number) => (Math.floor(at / every) % 2 === 0 ? page : 2 * page)
    const many: ContentReader = {
      read: () => 0,
      nextData: at => (at % every < dataBytes(at) ? at : at - (at % every) + every),
      nextHole: at => (at % every < dataBytes(at) ? at - (at % every) + dataBytes(at) : at),
      close: () => undefined,
    }
    const segments = findSegments(many, sizeBytes) ?? []
    expect(segments, 'a segment at the beginning, and one behind each hole').to.have.length(32_769)
    expect(segments.filter(({ offset }) => offset % (2 * every) === every)).to.have.length(20_000)
  })
})

describe('layers with holes left out', () => {
  let arena = ''
  let count = 0

  before(function () {
    skipUnless(this, isRoot(), 'needs root for owners and devices')
    arena = fs.mkdtempSync(join(os.tmpdir(), 'ovl-sparse-layer-'))
  })
  after(() => fs.rmSync(arena, { recursive: true, force: true }))

  const newDirectory = (): string => {
    const directory = join(arena, `${count++}`)
    fs.mkdirSync(directory)
    return directory
  }

  it('give the same tree with the same holes: unpacked by ovl, GNU tar and bsdtar', function () {
    skipUnless(this, hasTool('tar') && hasTool('bsdtar'), 'no tar or bsdtar')
    fc.assert(
      fc.property(randomSteps, fc.array(holes, { minLength: 1, maxLength: 3 }), (steps, shapes) => {
        const source = newDirectory()
        const host = openHostFs(source)
        takeSteps(host, steps)
        for (const [index, shape] of shapes.entries()) writeHoles(host, `/holes ${index}`, shape)
        host.close()
        const view = openHostView(source)
        const want = listed(view)
        const holesOf = new Map(shapes.map((_, index) => [`holes ${index}`, found(view, `holes ${index}`)] as const))
        expect([...holesOf.values()]).to.deep.equal(shapes.map(segmentsOf))
        const layer = encodeLayerBytes(layerEntries(diffUpper(view, { style: 'none' }), { warn: fail }), {
          sparse: true,
        })
        view.close()

        const ours = newDirectory()
        applyToDirectory(ours, [layer])
        check(ours, holesOf, want)
        const gnu = ['--xattrs', '--xattrs-include=*', '--delay-directory-restore', '--warning=no-timestamp']
        for (const [tool, ...args] of [
          ['tar', 'xpf', '-', '--numeric-owner', ...gnu],
          ['bsdtar', 'xpf', '-', '--numeric-owner', '--xattrs'],
        ] as const) {
          // libarchive adds the fraction of a time before 1970 where it is to be subtracted.
          if (tool === 'bsdtar' && steps.some(step => step.do === 'time' && step.sec < 0 && step.nsec > 0)) continue
          const cwd = newDirectory()
          const { stderr } = spawnSync(tool, args, { cwd, input: layer, env: { ...process.env, LC_ALL: 'C' } })
          // bsdtar finds fault with names that are no UTF-8, and takes them all the same.
          if (!stderr.includes("can't be converted")) expect(stderr.toString()).to.equal('')
          check(cwd, holesOf, want)
        }
      }),
      { numRuns: Number(process.env['OVL_SLOW_RUNS'] ?? 25) },
    )
  })
})

function readerOf(data: readonly (readonly [number, number])[], sizeBytes: number): ContentReader {
  return {
    read: () => 0,
    nextData: at => data.flatMap(([from, to]) => (to > at ? [Math.max(from, at)] : []))[0] ?? sizeBytes,
    nextHole: at => data.find(([from, to]) => from <= at && at < to)?.[1] ?? at,
    close: () => undefined,
  }
}

function check(directory: string, holesOf: ReadonlyMap<string, ReturnType<typeof findSegments>>, want: object): void {
  const view = openHostView(directory)
  expect(listed(view)).to.deep.equal(want)
  for (const [name, segments] of holesOf) expect(found(view, name), name).to.deep.equal(segments)
  view.close()
}

/** Without the root, of which the layer of an upperdir says nothing. */
function listed(view: TreeView): Record<string, string> {
  const { '': _, ...rest } = listView(view)
  return rest
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
