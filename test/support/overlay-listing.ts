// What the kernel shows of the layers of a bundle: they are mounted as ovl.json says, with a copy of upper, in a mount
// namespace of their own that ends with the listing.

import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readBundle } from '../../src/bundle/index.ts'
import { corpusPath } from './corpus.ts'
import { type Listing, parseListing } from './listing.ts'
import { isRoot, skipUnless } from './probe.ts'

/** Skips where the kernel does not mount overlays for this user: `before(needsOverlayMounts)`. */
export function needsOverlayMounts(this: Mocha.Context): void {
  const directory = fs.mkdtempSync(join(tmpdir(), 'ovl-mount-'))
  const script = 'mkdir l u w m && mount -t overlay overlay -o lowerdir=l,upperdir=u,workdir=w m'
  const canMount = spawnSync('unshare', ['--mount', 'sh', '-ec', script], { cwd: directory }).status === 0
  fs.rmSync(directory, { recursive: true, force: true })
  skipUnless(this, isRoot() && canMount, 'overlays cannot be mounted here', { optional: true })
}

/** Listings of the given directories of a bundle, and of its layers as the kernel merges them. */
export function listBundle(bundle: string, directories: readonly string[]): { readonly [name: string]: Listing } {
  const { overlay } = readBundle(bundle).state
  if (overlay === null) throw new Error(`${bundle} has no layers`)
  const layers = overlay.lowers.toReversed().map(number => `lower/${number}`)
  const lowers = layers.length === 0 ? ['lower'] : layers // of an image without layers, lower/ is empty itself
  const options = `lowerdir=${lowers.join(':')},upperdir=kernel/upper,workdir=kernel/work`
  const all = [...directories, 'kernel/merged']
  const { stdout, stderr, status } = spawnSync(
    'unshare',
    [
      '--mount',
      'sh',
      '-ec',
      script,
      'sh',
      overlay.xattrs === 'user' ? `${options},userxattr` : options,
      lister,
      ...all,
    ],
    {
      cwd: bundle,
      encoding: 'utf8',
      maxBuffer: 1 << 30,
      env: { ...process.env, LISTING: corpusPath('tools/listing.py') },
    },
  )
  fs.rmSync(join(bundle, 'kernel'), { recursive: true, force: true })
  if (status !== 0) throw new Error(`Cannot mount ${options}: ${stderr}`)
  const texts = stdout.split('\f\n')
  return Object.fromEntries(all.map((name, index) => [name, parseListing(texts[index] ?? '')]))
}

const script = `
mkdir kernel kernel/work kernel/merged
cp -a upper kernel/upper
mount -t overlay overlay -o "$1" kernel/merged
shift
python3 -S -c "$@"
umount --lazy kernel/merged
`

/** listing.py lists one directory a run, and starting python takes longer than that. */
const lister = `
import os, sys
source = open(os.environ['LISTING']).read()
for directory in sys.argv[1:]:
    sys.argv = ['listing.py', directory]
    exec(compile(source, 'listing.py', 'exec'), {})
    print('\\f')
`
