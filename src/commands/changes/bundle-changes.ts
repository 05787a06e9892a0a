// What was changed in a bundle: the one place that knows where each form of bundle keeps it.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Bundle, BundleState } from '../../bundle/index.ts'
import { isCode, OvlError, quote } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import type { Image } from '../../image/index.ts'
import { diffTrees, diffUpper, type MarkStyle, type TreeView } from '../../layer/index.ts'
import {
  closeAll,
  type Closers,
  isMounted,
  type LowerStack,
  lowersOf,
  openDirectory,
  usesUserXattrs,
} from '../diff/inputs.ts'
import { openStack } from '../diff/lower-stack.ts'
import { justRun } from '../image-options.ts'
import { digestOfChanges } from './digest-of-changes.ts'
import type { ChangesOptions, FoundChanges } from './image-changes.ts'
import { recordedView } from './recorded-view.ts'

/** Where to look for what was changed in a bundle. */
export type BundleChangesOptions = ChangesOptions & {
  /** Only there, whatever stands in the other. */
  readonly only?: 'upper' | 'merged'
  /** Report also what was copied up and is the same as below. */
  readonly all?: boolean
  readonly style?: MarkStyle
}

/**
 * What was changed in a bundle. The image is opened only for a flat one, which has no layers on disk.
 *
 * Errors: those of `diffTrees`, `diffUpper`, `openDirectory`, `flatChanges` and `open`; USAGE when both `merged` and
 * `upper` hold changes, and nothing tells which are meant.
 */
export async function bundleChanges(
  bundle: Bundle,
  open: () => Promise<Image>,
  options: BundleChangesOptions,
): Promise<FoundChanges> {
  const stack = lowersOf(bundle)
  if (stack === null) {
    const { flatChanges } = await import('./image-changes.ts')
    return flatChanges(bundle, await open(), options)
  }
  const { letGo = justRun } = options
  return letGo(() => layeredChanges(bundle, stack, options))
}

function layeredChanges(bundle: Bundle, stack: LowerStack, options: BundleChangesOptions): FoundChanges {
  const layered = new LayeredBundle(bundle, stack, options)
  const { all = false, only } = options
  const isUpper = only === 'upper' || bundle.state.mode !== 'emulated' || isMounted(bundle)
  if (!isUpper && (only === 'merged' || hasEmptyUpper(bundle))) return layered.inMerged()
  if (isUpper) return layered.inUpper({ all })
  const chosen = choose(bundle, layered)
  return chosen.from === 'upper' && all ? layered.inUpper({ all }) : chosen
}

/** Where an emulated bundle that is not mounted has its changes. Errors: as `bundleChanges`. */
export function placeOfChanges(bundle: Bundle, options: Omit<ChangesOptions, 'closers'>): FoundChanges['from'] {
  const stack = lowersOf(bundle)
  if (stack === null || hasEmptyUpper(bundle)) return 'merged'
  const closers: Closers = []
  const { letGo = justRun } = options
  try {
    return letGo(() => choose(bundle, new LayeredBundle(bundle, stack, { ...options, closers })).from)
  } finally {
    closeAll(closers)
  }
}

/** Both places of an emulated bundle, in each of which there may be changes. */
class LayeredBundle {
  readonly #bundle: Bundle
  readonly #userxattr: boolean
  readonly #options: BundleChangesOptions
  readonly #lower: TreeView

  constructor(bundle: Bundle, stack: LowerStack, options: BundleChangesOptions) {
    this.#bundle = bundle
    this.#userxattr = options.userxattr ?? stack.userxattr
    this.#options = options
    this.#lower = recordedView(openStack(stack, options.closers), bundle.state)
  }

  /** `all`: also what is there and the same as below. */
  inUpper({ all = false }: { readonly all?: boolean } = {}): FoundChanges {
    const { closers, withoutParents = false, style } = this.#options
    const upper = openDirectory(join(this.#bundle.directory, 'upper'), closers)
    const view = recordedView(upper, this.#bundle.state)
    const userxattr = this.#userxattr || usesUserXattrs(view)
    const how = { lower: this.#lower, userxattr, all, withoutParents, ...(style === undefined ? {} : { style }) }
    return { changeset: diffUpper(view, how), from: 'upper', upper: { host: upper, view } }
  }

  inMerged(): FoundChanges {
    const { closers, withoutParents = false } = this.#options
    const merged = openDirectory(join(this.#bundle.directory, 'merged'), closers)
    const changeset = diffTrees(this.#lower, recordedView(merged, this.#bundle.state), { withoutParents })
    return { changeset, from: 'merged', upper: null }
  }
}

/**
 * An upperdir that is not empty beside the copy in `merged`: a mount has written it while the copy was as it had been
 * unpacked, or the copy was saved to it. Of what was saved, the one that is still the same is the older one.
 */
function choose(bundle: Bundle, layered: LayeredBundle): FoundChanges {
  const [merged, upper] = [layered.inMerged(), layered.inUpper()]
  const [inMerged, inUpper] = [digestOfChanges(merged.changeset), digestOfChanges(upper.changeset)]
  if (inMerged !== null && inMerged === inUpper) return merged
  const { saved } = bundle.state
  if (saved !== null && saved.upper === inUpper) return merged
  if (saved !== null && saved.merged === inMerged) return upper
  if (merged.changeset.changes.length === 0) return upper
  if (upper.changeset.changes.length === 0) return merged
  throw twoChanges(bundle)
}

/** What to write down when `merged` was saved to `upper`. Errors: those of reading. */
export function savedChanges(bundle: Bundle, options: ChangesOptions): BundleState['saved'] {
  const stack = lowersOf(bundle)
  if (stack === null) return null
  const { letGo = justRun } = options
  const layered = new LayeredBundle(bundle, stack, options)
  const [merged, upper] = letGo(() =>
    [layered.inMerged(), layered.inUpper()].map(({ changeset }) => digestOfChanges(changeset)),
  )
  return !merged || !upper ? null : { merged, upper }
}

function twoChanges({ directory }: Bundle): OvlError {
  return new OvlError(
    'USAGE',
    `Cannot tell what changed in ${quote(directory)}: merged and upper hold different changes`,
    {
      hint: `name ${quote(join(directory, 'upper'))} for what a mount wrote, or put those of merged in its place: ovl diff --save --force`,
      data: { path: directory },
    },
  )
}

function hasEmptyUpper({ directory }: Bundle): boolean {
  try {
    return readdirSync(hostPath(join(directory, 'upper'))).length === 0
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true
    throw error
  }
}
