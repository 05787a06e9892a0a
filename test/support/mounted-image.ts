// What the kernel shows of an image: buildah unpacks each layer to a directory of its own and mounts them as an
// overlay. Independent of ovl from the first byte to the last.

import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type Listing, listTree } from './listing.ts'
import { hasTool, isRoot, skipUnless } from './probe.ts'

/** Skips where buildah cannot mount: `before(needsImageMounts)`. */
export function needsImageMounts(this: Mocha.Context): void {
  skipUnless(this, hasTool('buildah'), 'buildah is not installed')
  skipUnless(this, isRoot() && canMount(), 'overlays cannot be mounted here', { optional: true })
}

/** Runs buildah in the store at hand and returns what it printed. */
export type Buildah = (...words: readonly string[]) => string

/** Gives `use` a container store of its own, which is unmounted and removed afterwards. */
export function withStore<Result>(use: (buildah: Buildah) => Result): Result {
  const store = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-store-'))
  const settings = path.join(store, 'storage.conf')
  const [runRoot, graphRoot] = [path.join(store, 'run'), path.join(store, 'graph')]
  fs.writeFileSync(settings, `[storage]\ndriver = "overlay"\nrunroot = "${runRoot}"\ngraphroot = "${graphRoot}"\n`)
  const env = { ...process.env, CONTAINERS_STORAGE_CONF: settings, TMPDIR: store }
  try {
    return use((...words) =>
      execFileSync('buildah', words, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim(),
    )
  } finally {
    unmountBelow(store)
    fs.rmSync(store, { recursive: true, force: true })
  }
}

/** Lists the mounted tree of an image, named as buildah names it. */
export function listMountedImage(buildah: Buildah, reference: string): Listing {
  const container = buildah('from', '--quiet', '--pull-never', reference)
  const listing = listTree(buildah('mount', container))
  buildah('umount', container)
  return listing
}

function canMount(): boolean {
  const script = 'mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m'
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-mount-'))
  try {
    return spawnSync('unshare', ['--mount', 'sh', '-ec', script], { cwd: directory }).status === 0
  } finally {
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

/** buildah may leave its overlay folder bind-mounted on itself. */
function unmountBelow(directory: string): void {
  const mountPoints = fs
    .readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
    .filter(mountPoint => mountPoint.startsWith(`${directory}/`))
  for (const mountPoint of mountPoints.toReversed()) execFileSync('umount', ['--lazy', mountPoint])
}
