// The images that the bench unpacks. They are built once and kept outside the repository (OVL_BENCH_IMAGES).

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { corpus } from '../support/corpus.ts'
import { writeBigImage } from './big-image.ts'

/** Directory that holds, or will hold, the images. */
export const imagesDirectory = path.resolve(
  process.env['OVL_BENCH_IMAGES'] ?? path.join(os.tmpdir(), 'ovl-bench-images'),
)

/** The images by name: a real Debian of seven layers in three forms, and a layer of 1 GiB. */
export const images = {
  gzip: path.join(imagesDirectory, 'debian.oci'),
  zstd: path.join(imagesDirectory, 'debian-zstd.oci'),
  dockerArchive: path.join(imagesDirectory, 'debian.docker.tar'),
  big: path.join(imagesDirectory, 'big.oci'),
} as const

/** Builds the Debian image when it is not there; takes about two minutes, root and the tools that the script names. */
export function prepareDebian(): void {
  if (fs.existsSync(images.dockerArchive)) return
  if (corpus === null)
    throw new Error('Cannot build the Debian image: the script is in the corpus, see docs/benchmarks.md')
  const script = path.join(corpus, 'tools', 'build-debian-image.sh')
  const { status } = spawnSync('bash', [script, imagesDirectory], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`Cannot build the Debian image: ${script} ended with ${status}`)
}

/** Writes the image with the layer of 1 GiB when it is not there. */
export async function prepareBig(): Promise<void> {
  if (fs.existsSync(path.join(images.big, 'index.json'))) return
  fs.rmSync(images.big, { recursive: true, force: true })
  await writeBigImage(images.big)
}

/** Paths of the layer blobs of an OCI layout with one manifest, base first. */
export function layerBlobs(layout: string): readonly string[] {
  const blob = (digest: string) => path.join(layout, 'blobs', ...digest.split(':'))
  const index = read(path.join(layout, 'index.json')) as { manifests: { digest: string }[] }
  const manifest = read(blob(index.manifests[0]?.digest ?? '')) as { layers: { digest: string }[] }
  return manifest.layers.map(({ digest }) => blob(digest))
}

function read(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, 'utf8'))
}
