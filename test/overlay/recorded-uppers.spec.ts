// Upper directories that the kernel and fuse-overlayfs made under real workloads (corpus: uppers/), mounted by the
// emulator from where they were extracted: the merged tree is the one that was recorded, and the one that the kernel of
// this machine shows.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { type HostFs, loadKernelCalls, loadSystem, MNT_DETACH, openHostFs } from '../../src/host/index.ts'
import { OverlayFs } from '../../src/overlay/index.ts'
import { openKernelFs } from '../../src/replay/index.ts'
import { openMergedImage } from '../../src/unpack/index.ts'
import { corpusPath, needsCorpus } from '../support/corpus.ts'
import { type Listing, type ListingColumn, listingDifferences, parseListing } from '../support/listing.ts'
import { memoryImage } from '../support/memory-image.ts'
import { Stage } from '../support/overlay-stage.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { listRows } from '../support/rows-of-tree.ts'

/** Name of the recording, and the options that it needs to be read. */
const recordings: readonly [name: string, options: string][] = [
  ['git', ''],
  ['npm', ''],
  ['opaque', ''],
  ['links', ''],
  ['rename-off', ''],
  ['rename-on', 'redirect_dir=on'],
  ['meta-on', 'metacopy=on'],
  ['links-nfs', 'redirect_dir=on'],
  ['userxattr', 'userxattr'],
  ['fuse-overlayfs', ''],
]

/**
 * Where a recording is not what the archive holds: tar makes two FIFOs of two names of one; the mount in a user
 * namespace showed ids that it does not map as 65534; fuse-overlayfs hides an attribute of its own, and wrote some times
 * after they were listed.
 */
function isOfRecording(
  name: string,
  { path, column, value }: { path: string; column: ListingColumn; value: string },
): boolean {
  if (name === 'links') return column === 'hardlink_group' && path.startsWith('t/fifo')
  if (name === 'userxattr') return (column === 'uid' || column === 'gid') && value === '65534'
  return name === 'fuse-overlayfs' && (column === 'mtime_ns' || (column === 'xattrs' && path === 'hl/b'))
}

/** fuse-overlayfs hides the names with which it marks opaque directories. */
function withoutForeignMarks(listing: Listing): Listing {
  return new Map([...listing].filter(([path]) => !/\/\.wh\.(\.wh\.)?\.opq$/.test(path)))
}

describe('OverlayFs on recorded upper directories', function () {
  let stage: Stage | null = null
  let host: HostFs
  let lower: Listing

  before(needsCorpus)
  before(function () {
    skipUnless(this, isRoot() && loadKernelCalls() !== null && hasTool('zstd'), 'needs root, koffi and zstd')
    stage = new Stage()
    extract(stage, 'lower-small', 'lower')
    host = openHostFs(stage.directory)
    lower = parseListing(fs.readFileSync(corpusPath('uppers', 'lower-small.tsv'), 'utf8'))
  })
  after(() => {
    host?.close()
    stage?.remove()
  })

  for (const [name, options] of recordings) {
    it(`${name}: the merged tree that was recorded, and that of this kernel`, function () {
      if (stage === null) throw new Error('no stage')
      extract(stage, `${name}.upper`, `${name}-u`)
      fs.mkdirSync(stage.at(`${name}-w`))
      const recorded = parseListing(fs.readFileSync(corpusPath('uppers', `${name}.merged.tsv`), 'utf8'))
      const emulated = listEmulated(host, { name, options })
      const except = (path: string, column: ListingColumn): boolean =>
        isOfRecording(name, { path, column, value: recorded.get(path)?.[column] ?? '' })
      expect(listingDifferences(recorded, withoutForeignMarks(emulated), except)).to.deep.equal([])
      const kernel = listByKernel(
        stage,
        `lowerdir=${stage.at('lower')},upperdir=${stage.at(`${name}-u`)},workdir=${stage.at(`${name}-w`)}`,
        options,
      )
      expect(listingDifferences(kernel, emulated)).to.deep.equal([])
    })
  }

  // Those whose only marks are whiteouts, which a layer may hold; other marks are data in a layer, and do not count.
  for (const name of ['git', 'links'])
    it(`${name}: the archives themselves, as layers that are never extracted`, async () => {
      const { merged, close } = await openMergedImage(
        memoryImage([readArchive('lower-small'), readArchive(`${name}.upper`)]),
      )
      const recorded = parseListing(fs.readFileSync(corpusPath('uppers', `${name}.merged.tsv`), 'utf8'))
      const listed = listRows(merged)
      close()
      const except = (path: string, column: ListingColumn): boolean =>
        isOfRecording(name, { path, column, value: recorded.get(path)?.[column] ?? '' }) ||
        (column === 'xattrs' && (listed.get(path)?.xattrs ?? '').includes('trusted.overlay.'))
      expect(listingDifferences(recorded, listed, except)).to.deep.equal([])
    })

  for (const [name, isData] of [
    ['above the layer', false],
    ['above a data-only layer, which only redirects lead to', true],
  ] as const) {
    it(`dataonly: a layer of metadata ${name}, as this kernel shows it`, () => {
      if (stage === null) throw new Error('no stage')
      if (!fs.existsSync(stage.at('meta'))) extract(stage, 'dataonly.meta', 'meta')
      const [meta, data] = [
        { fs: host, path: '/meta' },
        { fs: host, path: '/lower' },
      ]
      const overlay = new OverlayFs({
        lower: isData ? [meta] : [meta, data],
        data: isData ? [data] : [],
        options: 'metacopy=on',
      })
      const emulated = listRows(overlay)
      overlay.unmount()
      const layers = `lowerdir=${stage.at('meta')}${isData ? '::' : ':'}${stage.at('lower')}`
      expect(listingDifferences(listByKernel(stage, layers, 'metacopy=on'), emulated)).to.deep.equal([])
      // Contents come from below.
      const found = [...emulated].filter(([path, row]) => row.type === 'f' && lower.get(path)?.sha256 === row.sha256)
      expect(found.length).to.be.greaterThan(isData ? -1 : 1000)
    })
  }
})

function readArchive(name: string): Uint8Array {
  return execFileSync('zstd', ['-dcq', corpusPath('uppers', `${name}.tar.zst`)], { maxBuffer: 1 << 30 })
}

function extract(stage: Stage, archive: string, directory: string): void {
  stage.make(directory)
  execFileSync('tar', [
    '--zstd',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-xpf',
    corpusPath('uppers', `${archive}.tar.zst`),
    '-C',
    stage.at(directory),
  ])
}

function listEmulated(host: HostFs, { name, options }: { readonly name: string; readonly options: string }): Listing {
  const overlay = new OverlayFs({
    lower: [{ fs: host, path: '/lower' }],
    upper: { fs: host, path: `/${name}-u` },
    work: { fs: host, path: `/${name}-w` },
    options,
  })
  try {
    return listRows(overlay)
  } finally {
    overlay.unmount()
  }
}

function listByKernel(stage: Stage, layers: string, options: string): Listing {
  const system = loadSystem()
  if (system === null) throw new Error('no koffi')
  const text = options === '' ? layers : `${layers},${options}`
  system.mount('overlay', stage.at('m'), { source: 'overlay', flags: 0, options: text })
  const kernel = openKernelFs(stage.at('m'))
  try {
    return listRows(kernel)
  } finally {
    kernel.close()
    system.umount2(stage.at('m'), MNT_DETACH)
  }
}
