// Bundles written by hand, in the layout that `ovl unpack` makes.

import fs from 'node:fs'
import path from 'node:path'
import { type BundleState, formatState, nothingLost } from '../../src/bundle/index.ts'

export type BundleOptions = {
  /** Base first: file name → content. */
  readonly layers: readonly { readonly [name: string]: string }[]
  readonly xattrs?: 'trusted' | 'user'
  readonly lowers?: readonly number[]
  readonly opaques?: number
  readonly flat?: boolean
  /** Whom everything belongs to. */
  readonly owner?: number
}

export function makeBundle(directory: string, options: BundleOptions): void {
  const { layers, xattrs = 'trusted', flat = false, owner } = options
  for (const [i, files] of layers.entries()) {
    for (const [name, content] of Object.entries(files)) {
      const file = path.join(directory, 'lower', String(i + 1), name)
      fs.mkdirSync(path.dirname(file), { recursive: true })
      fs.writeFileSync(file, content)
    }
  }
  for (const name of ['upper', 'work', 'merged']) fs.mkdirSync(path.join(directory, name), { recursive: true })
  const lowers = options.lowers ?? layers.map((_, i) => i + 1)
  fs.writeFileSync(
    path.join(directory, 'ovl.json'),
    formatState({
      ovl: '0.0.0',
      mode: flat ? 'flat' : 'emulated',
      image: {
        transport: 'oci',
        location: './image',
        names: [],
        platform: 'linux/amd64',
        manifest: null,
        config: digest,
      },
      layers: layers.map((_, i) => layerState(i + 1, options.opaques ?? 0)),
      overlay: flat ? null : { xattrs, whiteouts: 'device', lowers },
      userNamespace: null,
      notKept: nothingLost,
      saved: null,
    }),
  )
  if (owner !== undefined) giveTo(directory, owner)
}

const digest = `sha256:${'0'.repeat(64)}`

function layerState(number: number, opaques: number): BundleState['layers'][number] {
  const sizes = { sizeBytes: null, uncompressedBytes: 0, entries: 0, whiteouts: 0, opaques }
  return { number, diffID: null, digest: null, mediaType: null, ...sizes }
}

function giveTo(directory: string, owner: number): void {
  fs.lchownSync(directory, owner, owner)
  for (const name of fs.readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    fs.lchownSync(path.join(directory, name), owner, owner)
  }
}
