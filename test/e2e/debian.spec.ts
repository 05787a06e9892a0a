// One image, one tree: a real Debian of seven layers, unpacked flat from each of its three forms and to layers, equals
// the tree that the kernel shows when the layers are mounted as an overlay (buildah from, buildah mount). Takes a minute
// and builds the image first where it is missing, so it runs with `npm run test:slow` or when OVL_BENCH_IMAGES is set.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { images, prepareDebian } from '../bench/images.ts'
import { needsCorpus } from '../support/corpus.ts'
import { type Listing, type ListingColumn, listingDifferences, listTree } from '../support/listing.ts'
import { listMountedImage, needsImageMounts, withStore } from '../support/mounted-image.ts'
import { listBundle } from '../support/overlay-listing.ts'
import { skipUnless } from '../support/probe.ts'

/**
 * Where ovl keeps what the mounted tree has lost: buildah 1.28 writes times before 1970 and after 2262 as 0. The layer
 * has whole seconds for these files.
 */
const exacterTimes: ReadonlyMap<string, string> = new Map([
  ['opt/names/mt-1901', '-2147483648'],
  ['opt/names/mt-1969', '-86400'],
  ['opt/names/mt-1969-ns', '-86400'],
  ['opt/names/mt-2400', '13569465600'],
])

describe('ovl unpack of a Debian image', function () {
  this.timeout(600_000)
  let work = ''
  let truth: Listing = new Map()

  before(needsCorpus)
  before(needsImageMounts)
  before(function () {
    const asked = process.env['OVL_SLOW'] !== undefined || process.env['OVL_BENCH_IMAGES'] !== undefined
    skipUnless(this, asked, 'slow (npm run test:slow)', { optional: true })
    prepareDebian()
    work = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-debian-'))
    truth = withStore(buildah => listMountedImage(buildah, `oci:${images.gzip}:latest`))
  })
  after(() => {
    if (work !== '') fs.rmSync(work, { recursive: true, force: true })
  })

  it('starts from a mounted tree that has everything', () => {
    expect(truth.size).to.be.greaterThan(8000)
    expect(truth.get('opt/odd/capped')?.xattrs).to.match(/^security\.capability=/)
  })

  for (const flags of [[], ['--userxattr']])
    it(`equals it as layers, copied and mounted ${flags.join(' ')}`, () => {
      const bundle = path.join(work, 'layers')
      execFileSync(process.execPath, ['bin/ovl.js', 'unpack', ...flags, images.gzip, bundle], { stdio: 'pipe' })
      for (const tree of Object.values(listBundle(bundle, ['merged'])))
        expect(listingDifferences(truth, tree, isExempt)).to.deep.equal([])
      fs.rmSync(bundle, { recursive: true, force: true })
    })

  for (const [form, image] of Object.entries({ gzip: images.gzip, zstd: images.zstd, docker: images.dockerArchive })) {
    it(`equals the kernel's overlay mount (${form})`, () => {
      const bundle = path.join(work, form)
      execFileSync(process.execPath, ['bin/ovl.js', 'unpack', '--flat', image, bundle], { stdio: 'pipe' })
      const tree = listTree(path.join(bundle, 'rootfs'))
      expect(listingDifferences(truth, tree, isExempt)).to.deep.equal([])
      for (const [file, seconds] of exacterTimes) expect(tree.get(file)?.mtime_s, file).to.equal(seconds)
      fs.rmSync(bundle, { recursive: true, force: true })
    })
  }
})

/** The root has no entry in the layers: its mode and time are those of buildah's store. */
function isExempt(file: string, column: ListingColumn): boolean {
  if (file === '.') return column === 'mode' || column === 'mtime_s' || column === 'mtime_ns'
  return column === 'mtime_s' && exacterTimes.has(file)
}
