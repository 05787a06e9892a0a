// Every public image of the corpus, unpacked flat and to layers (their copy and what the kernel makes of them), against
// the tree that independent tools unpack from it.

import { expect } from 'chai'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OvlError } from '../../src/errors/index.ts'
import { removeTree } from '../../src/host/index.ts'
import { openImage } from '../../src/image/index.ts'
import { unpackFlat, unpackLayers } from '../../src/unpack/index.ts'
import { corpus, corpusPath, needsCorpus } from '../support/corpus.ts'
import { type Listing, type ListingColumn, listingDifferences, listTree, parseListing } from '../support/listing.ts'
import { listBundle, needsOverlayMounts } from '../support/overlay-listing.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

type IndexRow = { readonly file: string; readonly truth: string | null }

/** Archives with several images: which one the truth file is of. */
const refs: Record<string, string> = {
  'GoogleContainerTools--kaniko--test_bundle.tar': 'test_image_1',
  'google--go-containerregistry--test_link.tar': 'bazel/v1/tarball:test_image_1',
  'containers--podman--oci-two-images.tar.xz': '@1',
}

/** No tool of the field takes these; what ovl does, and why. */
const untold: Record<string, { readonly outcome: string; readonly why: string }> = {
  'GoogleContainerTools--container-diff--no_manifest.tar': {
    outcome: 'unpacked',
    why: 'docker save before 1.10: repositories without manifest.json',
  },
  'containers--podman--oci-two-images.tar.xz': {
    outcome: 'unpacked',
    why: 'valid; two images without names, chosen by number',
  },
  'anchore--stereoscope--file.tar': {
    outcome: 'SIZE_MISMATCH',
    why: 'the config is not as long as its descriptor says',
  },
  'aquasecurity--trivy--tar_image.tar': { outcome: 'BLOB_MISSING', why: 'the archive holds only part of the blobs' },
  'google--go-containerregistry--null_manifest.tar': { outcome: 'NOT_AN_IMAGE', why: 'manifest.json is null' },
  'google--go-containerregistry--sparse_foreign.tar': { outcome: 'BLOB_MISSING', why: 'foreign layers were left out' },
  'snyk--snyk-docker-plugin--docker-archives_docker-save_java.a4b2d82.tar': {
    outcome: 'DIFF_ID_MISMATCH',
    why: 'layers were cut down by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_docker-save_java.tar': {
    outcome: 'DIFF_ID_MISMATCH',
    why: 'layers were cut down by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_docker-save_nginx-with-buildinfo.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_docker-save_nginx.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_docker-save_testjar.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_lib-pull_nginx.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'snyk--snyk-docker-plugin--docker-archives_skopeo-copy_nginx-compressed-layers.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'snyk--snyk-docker-plugin--oci-archives_alpine-3.12.0.tar': {
    outcome: 'SIZE_MISMATCH',
    why: 'the layer was cut down by hand',
  },
  'snyk--snyk-docker-plugin--oci-archives_oci-with-manifest.tar': {
    outcome: 'LAYER_COUNT_MISMATCH',
    why: 'layers were removed by hand',
  },
  'vbatts--docker-utils--f.tgz': { outcome: 'DIFF_ID_MISMATCH', why: 'the config is not the one of these layers' },
}

type Form = { readonly name: string; readonly flat: boolean; readonly userxattr: boolean }

const forms: readonly Form[] = [
  { name: 'unpackFlat()', flat: true, userxattr: false },
  { name: 'unpackLayers()', flat: false, userxattr: false },
  { name: 'unpackLayers() with user attributes', flat: false, userxattr: true },
]

for (const { name, flat, userxattr } of forms)
  describe(`${name} of the public images`, () => {
    if (!flat) before(needsOverlayMounts)
    let arena = ''
    before(needsCorpus)
    before(function () {
      skipUnless(this, isRoot(), 'owners and devices need root', { optional: true })
      arena = fs.mkdtempSync(join(tmpdir(), 'ovl-images-'))
    })
    after(async () => {
      if (arena !== '') await removeTree(arena)
    })
    afterEach(async () => {
      await removeTree(join(arena, 'bundle'))
    })

    const index =
      corpus === null ? [] : (JSON.parse(fs.readFileSync(join(corpus, 'images/INDEX.json'), 'utf8')) as IndexRow[])
    for (const { file, truth } of index) {
      if (truth !== null) it(`${file} gives the tree of the truth file`, () => compareWithTruth(file, truth))
      else if (!userxattr) it(`${file}: ${untold[file]?.outcome} (${untold[file]?.why})`, () => checkUntold(file))
    }

    async function unpack(file: string): Promise<void> {
      const ref = refs[file]
      const image = await openImage(corpusPath('images', file), ref === undefined ? {} : { ref })
      try {
        const bundle = join(arena, 'bundle')
        if (flat) await unpackFlat(image, bundle)
        else await unpackLayers(image, bundle, { userxattr })
      } finally {
        image.close()
      }
    }

    async function compareWithTruth(file: string, truth: string): Promise<void> {
      await unpack(file)
      const wanted = parseListing(fs.readFileSync(corpusPath('images/truth', truth), 'utf8'))
      const bundle = join(arena, 'bundle')
      const trees = flat ? [listTree(join(bundle, 'rootfs'))] : Object.values(listBundle(bundle, ['merged']))
      for (const got of trees)
        expect(listingDifferences(wanted, got, (path, column) => isIncomparable({ path, column, got }))).to.deep.equal(
          [],
        )
    }

    async function checkUntold(file: string): Promise<void> {
      const wanted = untold[file]?.outcome
      const outcome = await unpack(file).then(
        () => 'unpacked',
        (error: unknown) => (error instanceof OvlError ? error.code : String(error)),
      )
      expect(outcome).to.equal(wanted)
      expect(fs.readdirSync(arena)).to.deep.equal(wanted === 'unpacked' ? ['bundle'] : [])
    }
  })

type Cell = { readonly path: string; readonly column: ListingColumn; readonly got: Listing }

/**
 * What the archive does not say, each tool fills in its own way: mode and time of a root without an entry, and times of
 * directories without one, where ovl takes the epoch and the others the time of unpacking.
 */
function isIncomparable({ path, column, got }: Cell): boolean {
  if (path === '.') return column === 'mode' || column === 'mtime_s' || column === 'mtime_ns'
  const row = got.get(path)
  return (
    (column === 'mtime_s' || column === 'mtime_ns') && row?.type === 'd' && row.mtime_s === '0' && row.mtime_ns === '0'
  )
}
