// Who runs: ovl on every form of the image, and what people use today on the same bytes.

import { spawnSync } from 'node:child_process'
import { changes, images, layerBlobs } from './images.ts'

/** One row of the bench: how to run it with a destination that does not exist yet. */
export type Contender = {
  readonly name: ContenderName
  readonly title: string
  /** Runs less often than the others, because it takes long. */
  readonly slow?: boolean
  /** Takes less than a second, and no image: run more often so that small differences show. */
  readonly quick?: boolean
  /** A program that must be in PATH. */
  readonly needs?: string
  command(destination: string): readonly string[]
  /** What has to be undone before the destination can be removed; takes no part in the measurement. */
  tidy?(destination: string): void
}

/** Stable names: keys of bench-results.json and what `--only` takes. */
export type ContenderName =
  | 'flat-gzip'
  | 'flat-zstd'
  | 'flat-docker-archive'
  | 'flat-big'
  | 'layers'
  | 'native'
  | 'podman'
  | 'umoci'
  | 'igzip-tar'
  | 'diff-tar'
  | 'diff-layer'
  | 'tar-create'
  | 'umoci-repack'
  | 'version'
  | 'node'

const ovl = [process.execPath, 'bin/ovl.js']
const unpack = (image: string) => (destination: string) => [...ovl, 'unpack', '--flat', image, destination]

/** Into a store of its own, which holds a directory for each layer as a bundle does. */
const podmanPull =
  (image: string) =>
  (destination: string): readonly string[] => {
    const store = ['--root', `${destination}/root`, '--runroot', `${destination}/run`, '--storage-driver', 'overlay']
    return ['podman', ...store, 'pull', '--quiet', `oci:${image}:latest`]
  }

/** All contenders, in the order of the table. */
export const contenders: readonly Contender[] = [
  { name: 'flat-gzip', title: 'ovl unpack --flat debian.oci (gzip)', command: unpack(images.gzip) },
  { name: 'flat-zstd', title: 'ovl unpack --flat debian-zstd.oci', command: unpack(images.zstd) },
  { name: 'flat-docker-archive', title: 'ovl unpack --flat debian.docker.tar', command: unpack(images.dockerArchive) },
  {
    name: 'umoci',
    title: 'umoci unpack debian.oci',
    needs: 'umoci',
    command: destination => ['umoci', 'unpack', '--image', `${images.gzip}:latest`, destination],
  },
  { name: 'igzip-tar', title: 'igzip -dc | tar x, layer by layer', needs: 'igzip', command: igzipTar },
  { name: 'flat-big', title: 'ovl unpack --flat big.oci (1 GiB layer)', slow: true, command: unpack(images.big) },
  {
    name: 'layers',
    title: 'ovl unpack debian.oci (layers and merged)',
    command: destination => [...ovl, 'unpack', images.gzip, destination],
  },
  {
    name: 'native',
    title: 'ovl unpack --native debian.oci',
    command: destination => [...ovl, 'unpack', '--native', images.gzip, destination],
    tidy: destination => void spawnSync('umount', ['-l', `${destination}/merged`]),
  },
  { name: 'podman', title: 'podman pull into a fresh store', needs: 'podman', command: podmanPull(images.gzip) },
  {
    name: 'diff-tar',
    title: 'ovl diff -q --format tar (20,000 entries)',
    quick: true,
    command: destination => [...ovl, 'diff', '-q', '--format', 'tar', '-o', destination, changes.upper],
  },
  {
    name: 'diff-layer',
    title: 'ovl diff --format tar, with the diff ID',
    command: destination => [...ovl, 'diff', '--format', 'tar', '-o', destination, changes.upper],
  },
  {
    name: 'tar-create',
    title: 'tar c of the same directory',
    needs: 'tar',
    quick: true,
    command: destination => ['tar', 'cf', destination, '-C', changes.upper, '.'],
  },
  {
    name: 'umoci-repack',
    title: 'umoci repack of the same change',
    needs: 'umoci',
    slow: true,
    command: () => ['umoci', 'repack', '--image', `${changes.layout}:changed`, changes.bundle],
  },
  { name: 'version', title: 'ovl --version', quick: true, command: () => [...ovl, '--version'] },
  { name: 'node', title: 'node -e 0', quick: true, command: () => [process.execPath, '-e', '0'] },
]

/**
 * Verifies nothing, leaves whiteout files lying about and fails on the few entries that need them (hence status 2):
 * the floor for two processes, not a tool for images.
 */
function igzipTar(destination: string): readonly string[] {
  const steps = layerBlobs(images.gzip).map(blob => `igzip -dc '${blob}' | tar x -C '${destination}' || [ $? = 2 ]`)
  return ['bash', '-c', ['set -eo pipefail', `mkdir -p '${destination}'`, ...steps].join('\n')]
}
