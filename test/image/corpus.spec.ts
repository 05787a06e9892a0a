import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { ErrorCode } from '../../src/errors/index.ts'
import { openImage, verifyImage } from '../../src/image/index.ts'
import { corpusPath, needsCorpus } from '../support/corpus.ts'
import { errorOf, openError, withImage } from './support.ts'

type Row = { readonly file: string; readonly accepted_by: readonly string[] }

/** Archives of several images: the names to open them by. */
const several: Readonly<Record<string, readonly string[]>> = {
  'GoogleContainerTools--kaniko--test_bundle.tar': ['test_image_1', 'test_image_2', '@0', '@1'],
  'containers--podman--oci-two-images.tar.xz': [
    'example.com/empty:latest',
    'example.com/empty/but:different',
    'latest',
    'different',
  ],
  'google--go-containerregistry--test_link.tar': ['bazel/v1/tarball:test_image_1', 'test_image_3'],
}

/** Archives that do not hold what they say: the error, and why it is right. */
const refused: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'anchore--stereoscope--file.tar': ['SIZE_MISMATCH', 'its manifest is an empty file; no tool takes it'],
  'aquasecurity--trivy--tar_image.tar': [
    'BLOB_MISSING',
    'an index of two platforms without their manifests; no tool takes it',
  ],
  'google--go-containerregistry--null_manifest.tar': [
    'NOT_AN_IMAGE',
    'manifest.json is null; podman loads nothing and says it did',
  ],
  'google--go-containerregistry--sparse_foreign.tar': [
    'BLOB_MISSING',
    'a foreign layer that is kept elsewhere; no tool takes it',
  ],
  'snyk--snyk-docker-plugin--docker-archives_docker-save_java.a4b2d82.tar': [
    'DIFF_ID_MISMATCH',
    'layers cut down by hand',
  ],
  'snyk--snyk-docker-plugin--docker-archives_docker-save_java.tar': ['DIFF_ID_MISMATCH', 'layers cut down by hand'],
  'snyk--snyk-docker-plugin--docker-archives_docker-save_nginx-with-buildinfo.tar': [
    'LAYER_COUNT_MISMATCH',
    'layers taken out by hand',
  ],
  'snyk--snyk-docker-plugin--docker-archives_docker-save_nginx.tar': [
    'LAYER_COUNT_MISMATCH',
    'layers taken out by hand',
  ],
  'snyk--snyk-docker-plugin--docker-archives_docker-save_testjar.tar': [
    'LAYER_COUNT_MISMATCH',
    'layers taken out by hand',
  ],
  'snyk--snyk-docker-plugin--docker-archives_lib-pull_nginx.tar': ['LAYER_COUNT_MISMATCH', 'layers taken out by hand'],
  'snyk--snyk-docker-plugin--docker-archives_skopeo-copy_nginx-compressed-layers.tar': [
    'LAYER_COUNT_MISMATCH',
    'layers taken out by hand; only ctr, which does not compare, takes it',
  ],
  'snyk--snyk-docker-plugin--oci-archives_alpine-3.12.0.tar': ['SIZE_MISMATCH', 'a layer cut down by hand'],
  'snyk--snyk-docker-plugin--oci-archives_oci-with-manifest.tar': ['LAYER_COUNT_MISMATCH', 'layers taken out by hand'],
  'vbatts--docker-utils--f.tgz': ['DIFF_ID_MISMATCH', 'layers emptied by hand'],
}

describe('public images', () => {
  before(needsCorpus)

  it('open and stream verified, or are refused for a reason', async () => {
    const rows = JSON.parse(readFileSync(corpusPath('images', 'INDEX.json'), 'utf8')) as readonly Row[]
    expect(rows).to.have.length(89)
    for (const { file } of rows) {
      if (several[file] !== undefined || refused[file] !== undefined) continue
      const faults = await withImage(corpusPath('images', file), async ({ image }) =>
        (await verifyImage(image)).layers.flatMap(layer => layer.faults),
      )
      expect(
        faults.map(({ message }) => message),
        file,
      ).to.deep.equal([])
    }
  })

  for (const [file, [code, reason]] of Object.entries(refused)) {
    it(`${file}: ${code} (${reason})`, async () => {
      const error = await errorOf(
        withImage(corpusPath('images', file), async ({ image }) => {
          const [fault] = (await verifyImage(image)).layers.flatMap(layer => layer.faults)
          if (fault !== undefined) throw fault
        }),
      )
      expect(error.code).to.equal(code)
    })
  }

  for (const [file, refs] of Object.entries(several)) {
    it(`${file} holds several images`, async () => {
      expect((await openError(corpusPath('images', file))).code).to.equal('IMAGE_AMBIGUOUS')
      for (const ref of refs) {
        const image = await openImage(corpusPath('images', file), { ref })
        expect((await verifyImage(image)).ok, ref).to.equal(true)
        image.close()
      }
    })
  }

  it('are read in place, except compressed ones', async () => {
    for (const [file, spooled] of [
      ['GoogleContainerTools--jib--busybox-docker.tar', false],
      ['aquasecurity--fanal--alpine.tar.gz', true],
    ] as const) {
      await withImage(corpusPath('images', file), ({ warnings }) =>
        expect(warnings.some(({ code }) => code === 'SPOOLED')).to.equal(spooled),
      )
    }
  })
})
