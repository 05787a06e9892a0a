// `ovl unpack --dry-run`: what would be written and whether it fits, by applying the layers in memory.

import { statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { OvlError } from '../errors/index.ts'
import type { ImageTree, LayerCounts, TreeInode } from '../layer/index.ts'
import { checkDestination, readImageTree } from '../unpack/index.ts'
import {
  describeUnpacked,
  readUserNamespace,
  type UnpackCommandOptions,
  type UnpackedImage,
  type UnpackMode,
} from './unpack.ts'
import { withImage } from './with-image.ts'

/** What an unpack would write. */
export type UnpackPlan = {
  readonly image: UnpackedImage
  readonly bundle: string
  readonly mode: UnpackMode
  /** Base first. */
  readonly layers: readonly PlannedLayer[]
  readonly hasConfig: boolean
  /** The destination exists and would be replaced. */
  readonly replaces: boolean
  /** The merged tree. */
  readonly files: number
  readonly directories: number
  readonly symlinks: number
  readonly specialFiles: number
  /** Bytes of file content, each file once however many names it has. */
  readonly contentBytes: number
  /** Bytes on a file system with blocks of 4096, holes left out. */
  readonly neededBytes: number
  readonly freeBytes: number
}

/** A layer, and the directories of lower layers that it has entries in but none for. */
export type PlannedLayer = LayerCounts & { readonly number: number; readonly implied: readonly string[] }

/**
 * Reads and verifies the whole image, looks at the destination, and writes nothing.
 *
 * Errors: those of `unpackImage`, NO_SPACE among them.
 */
export function planUnpack(argument: string, destination: string, options: UnpackCommandOptions): Promise<UnpackPlan> {
  readUserNamespace(options)
  const { hasContent: replaces } = checkDestination(destination, options.force)
  return withImage(argument, options, async image => {
    const layers: PlannedLayer[] = []
    const tree = await readImageTree(image, {
      ...options,
      onLayer: ({ number }, { counts, implied }) => void layers.push({ number, ...counts, implied }),
    })
    const counts = countTree(tree.root)
    const freeBytes = freeBytesBeside(destination)
    const plan: UnpackPlan = {
      image: describeUnpacked(image),
      bundle: destination,
      mode: options.mode,
      layers,
      hasConfig: !options.noConfig,
      replaces,
      ...counts,
      neededBytes: sumNeeded(options.mode, { merged: counts.neededBytes, tree, layers }),
      freeBytes,
    }
    if (plan.neededBytes > freeBytes) throw tooLarge(plan)
    return plan
  })
}

type TreeCounts = Pick<
  UnpackPlan,
  'files' | 'directories' | 'symlinks' | 'specialFiles' | 'contentBytes' | 'neededBytes'
>

const blockBytes = 4096

function countTree(root: TreeInode): TreeCounts {
  const counts = { files: 0, directories: 0, symlinks: 0, specialFiles: 0, contentBytes: 0, neededBytes: 0 }
  const seen = new Set<TreeInode>()
  const pending: TreeInode[] = [root]
  for (let inode = pending.pop(); inode !== undefined; inode = pending.pop()) {
    if (inode.links > 1 && inode.kind !== 'directory') {
      if (seen.has(inode)) continue
      seen.add(inode)
    }
    if (inode.kind === 'directory') {
      counts.directories++
      counts.neededBytes += blockBytes
      for (const child of inode.children.values()) pending.push(child)
    } else if (inode.kind === 'file') {
      counts.files++
      counts.contentBytes += inode.size
      counts.neededBytes += Math.ceil(inode.storedSize / blockBytes) * blockBytes
    } else counts[inode.kind === 'symlink' ? 'symlinks' : 'specialFiles']++
  }
  return counts
}

type Sizes = {
  readonly merged: number
  readonly tree: ImageTree
  readonly layers: readonly PlannedLayer[]
}

/** Layers hold what is merged and what is hidden, and directories again for each layer that has them. */
function sumNeeded(mode: UnpackMode, { merged, tree, layers }: Sizes): number {
  if (mode === 'flat') return merged
  const hidden = new Set(tree.hidden.map(({ inode }) => inode))
  let lower = merged
  for (const inode of hidden) if (inode.kind === 'file') lower += Math.ceil(inode.storedSize / blockBytes) * blockBytes
  const directories = layers.reduce((sum, layer) => sum + layer.directories + layer.implied.length, 0)
  lower += directories * blockBytes
  return mode === 'native' ? lower : lower + merged
}

function freeBytesBeside(destination: string): number {
  const { bavail, bsize } = statfsSync(dirname(resolve(destination)))
  return bavail * bsize
}

function tooLarge({ bundle, neededBytes, freeBytes }: UnpackPlan): OvlError {
  return new OvlError('NO_SPACE', `Cannot write ${bundle}: not enough space`, {
    facts: [`needed ${neededBytes} bytes, ${freeBytes} are free`],
    data: { neededBytes, freeBytes },
  })
}
