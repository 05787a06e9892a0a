// What was changed in a bundle, or in an upperdir upon an image: the one place that knows where each form of bundle keeps
// it.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle } from '../../bundle/index.ts'
import { isCode, OvlError, quote } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import type { Image } from '../../image/index.ts'
import { type Changeset, diffTrees, diffUpper, type TreeView } from '../../layer/index.ts'
import { openMergedImage, type OpenLayersOptions } from '../../unpack/index.ts'
import { type Closers, isMounted, lowersOf, openDirectory, usesUserXattrs } from '../diff/inputs.ts'
import { openStack } from '../diff/lower-stack.ts'
import { openImageView } from './image-view.ts'
import { recordedView } from './recorded-view.ts'

/** Changes, which are read from the directories they were found in until the closers are called. */
export type FoundChanges = {
  readonly changeset: Changeset
  /** Where they were found. */
  readonly from: 'merged' | 'upper' | 'rootfs'
}

/** How layers of an image are read where they are needed, and what is to be closed when the changes were read. */
export type ChangesOptions = Pick<OpenLayersOptions, 'limits' | 'warn' | 'signal'> & {
  /** Overlay marks of an upperdir are `user.overlay.*`; found out when absent. */
  readonly userxattr?: boolean
  readonly closers: Closers
}

/** Where to look for what was changed in a bundle. */
export type BundleChangesOptions = ChangesOptions & {
  /** Only in the upperdir, whatever stands in `merged`. */
  readonly only?: 'upper'
}

/**
 * What was changed in a bundle. The image is read only for a flat one, which has no layers on disk.
 *
 * Errors: those of `diffTrees`, `diffUpper`, `openDirectory` and `openImageView`; USAGE when both `merged` and `upper`
 * hold changes and they are not the same.
 */
export async function bundleChanges(
  bundle: Bundle,
  image: Image,
  options: BundleChangesOptions,
): Promise<FoundChanges> {
  const { directory, state } = bundle
  const stack = lowersOf(bundle)
  if (stack === null) return flatChanges(bundle, image, options)
  const { closers } = options
  const lower = recordedView(openStack(stack, closers), state)
  const upperPath = join(directory, 'upper')
  const fromUpper = (): FoundChanges => {
    const upper = recordedView(openDirectory(upperPath, closers), state)
    const userxattr = options.userxattr ?? (stack.userxattr || usesUserXattrs(upper))
    return { changeset: diffUpper(upper, { lower, userxattr }), from: 'upper' }
  }
  if (options.only === 'upper' || state.mode !== 'emulated' || isMounted(bundle)) return fromUpper()
  const merged = recordedView(openDirectory(join(directory, 'merged'), closers), state)
  const inMerged = diffTrees(lower, merged)
  if (isEmptyDirectory(upperPath)) return { changeset: inMerged, from: 'merged' }
  return chooseChanges(bundle, inMerged, fromUpper())
}

/** What an upperdir changes upon an image. Errors: as `bundleChanges`. */
export async function upperChanges(directory: string, image: Image, options: ChangesOptions): Promise<FoundChanges> {
  const { closers } = options
  const upper = openDirectory(directory, closers)
  const lower = await openMergedImage(image, options)
  closers.push(lower.close)
  const userxattr = options.userxattr ?? usesUserXattrs(upper)
  return { changeset: diffUpper(upper, { lower: lower.merged, userxattr }), from: 'upper' }
}

async function flatChanges(
  { directory, state }: Bundle,
  image: Image,
  { closers, ...options }: ChangesOptions,
): Promise<FoundChanges> {
  const rootfs: TreeView = openDirectory(join(directory, 'rootfs'), closers)
  const before = await openImageView(image, { ...options, lost: { state, onDisk: rootfs } })
  closers.push(before.close)
  return { changeset: diffTrees(before.view, recordedView(rootfs, state)), from: 'rootfs' }
}

/**
 * Both a copy in `merged` and an upperdir that is not empty: a mount has written the one while the other was as it had
 * been unpacked, or the one was saved to the other. Anything else is for the user to decide.
 */
function chooseChanges({ directory }: Bundle, inMerged: Changeset, inUpper: FoundChanges): FoundChanges {
  if (inMerged.changes.length === 0) return inUpper
  if (shapeOf(inMerged) === shapeOf(inUpper.changeset)) return { changeset: inMerged, from: 'merged' }
  throw new OvlError(
    'USAGE',
    `Cannot tell what changed in ${quote(directory)}: merged and upper hold different changes`,
    {
      hint: 'empty the one that is not wanted: upper (what a mount wrote) or merged (what was written without one)',
      data: { path: directory },
    },
  )
}

/** By paths and kinds: times of copies may differ. */
function shapeOf({ changes }: Changeset): string {
  return changes
    .map(({ kind, path, content, mode }) => JSON.stringify([kind, path, content?.after, mode?.after]))
    .join('\n')
}

function isEmptyDirectory(path: string): boolean {
  try {
    return readdirSync(hostPath(path)).length === 0
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true
    throw error
  }
}
