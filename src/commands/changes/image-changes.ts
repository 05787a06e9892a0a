// What was changed upon an image that has no layers on disk: in an upperdir, or in the tree of a flat bundle.
import { join } from 'node:path'
import type { Bundle } from '../../bundle/index.ts'
import type { HostView } from '../../host/index.ts'
import type { Image } from '../../image/index.ts'
import { type Changeset, diffTrees, diffUpper, type TreeView } from '../../layer/index.ts'
import { openMergedImage } from '../../unpack/index.ts'
import { type Closers, openDirectory } from '../diff/inputs.ts'
import { type ImageOptions, justRun } from '../image-options.ts'
import { openUpper } from '../diff/upper-directory.ts'
import { openImageView } from './image-view.ts'
import { recordedView } from './recorded-view.ts'

/** Changes, which are read from the directories they were found in until the closers are called. */
export type FoundChanges = {
  readonly changeset: Changeset
  /** Where they were found. */
  readonly from: 'merged' | 'upper' | 'rootfs'
  /** The upper directory, where they come from there. */
  readonly upper: { readonly host: HostView; readonly view: TreeView } | null
}

/** How layers of an image are read where they are needed, and what is to be closed when the changes were read. */
export type ChangesOptions = Pick<ImageOptions, 'limits' | 'warn' | 'signal' | 'letGo'> & {
  /** Overlay marks of an upperdir are `user.overlay.*`; found out when absent. */
  readonly userxattr?: boolean
  readonly withoutParents?: boolean
  readonly closers: Closers
}

/** What an upperdir changes upon an image. Errors: those of `diffUpper`, `openDirectory` and `openMergedImage`. */
export async function upperChanges(directory: string, image: Image, options: ChangesOptions): Promise<FoundChanges> {
  const { closers, withoutParents = false, letGo = justRun } = options
  const { host, view, ...marks } = openUpper(directory, options, closers)
  const lower = await openMergedImage(image, options)
  closers.push(lower.close)
  const changeset = letGo(() => diffUpper(view, { lower: lower.merged, ...marks, withoutParents }))
  return { changeset, from: 'upper', upper: { host, view } }
}

/** What was changed in a flat bundle. Errors: those of `diffTrees`, `openDirectory` and `openImageView`. */
export async function flatChanges(
  { directory, state }: Bundle,
  image: Image,
  { closers, withoutParents = false, letGo = justRun, ...options }: ChangesOptions,
): Promise<FoundChanges> {
  const rootfs: TreeView = openDirectory(join(directory, 'rootfs'), closers)
  const before = await openImageView(image, { ...options, lost: { state, onDisk: rootfs } })
  closers.push(before.close)
  const changeset = letGo(() => diffTrees(before.view, recordedView(rootfs, state), { withoutParents }))
  return { changeset, from: 'rootfs', upper: null }
}
