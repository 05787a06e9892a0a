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

/** What a container added: 20,000 entries of a Debian, as an upperdir, and as a bundle of umoci's that holds them. */
export const changes = {
  upper: path.join(imagesDirectory, 'changes', 'upper'),
  layout: path.join(imagesDirectory, 'changes', 'layout'),
  bundle: path.join(imagesDirectory, 'changes', 'bundle'),
} as const

/** Makes the upperdir, and the bundle where there is umoci, when they are not there. */
export function prepareChanges(): void {
  if (fs.existsSync(changes.upper)) return
  prepareDebian()
  const parent = path.dirname(changes.upper)
  const script = `
    rm -rf '${parent}' && mkdir -p '${parent}/new'
    ${process.execPath} bin/ovl.js unpack --flat '${images.gzip}' '${parent}/debian'
    for name in a b c; do cp -a '${parent}/debian/rootfs' '${parent}/new/'$name; done
    rm -rf '${parent}/debian'
    # The last ones beyond 20,000, files before their directories.
    find '${parent}/new' -mindepth 1 -depth | sort -r | head -n -20000 | while read -r path; do
      if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir "$path" 2>/dev/null || true; else rm -f "$path"; fi
    done
    if command -v umoci >/dev/null; then
      umoci init --layout '${changes.layout}' && umoci new --image '${changes.layout}:base'
      umoci unpack --image '${changes.layout}:base' '${changes.bundle}'
      cp -a '${parent}/new' '${changes.bundle}/rootfs/added'
    fi
    mv '${parent}/new' '${changes.upper}'`
  const { status } = spawnSync('bash', ['-ec', script], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) throw new Error(`Cannot make the upperdir of the bench: status ${status}`)
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
