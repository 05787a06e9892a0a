// The public face of the comparison: what changed, between an upperdir and what lies below it or between two trees.
import type { FileSystem } from '../../fs/index.ts'
import { type Change, isOnlyParent } from './change.ts'
import { isAufs, isFuseOverlayfs } from './find-style.ts'
import { groupHardLinks } from './hard-links.ts'
import type { Item } from './item.ts'
import { type TreeView, viewFileSystem } from './tree-view.ts'
import { type MarkReader, type MarkStyle, markReader } from './upper-marks.ts'
import { type WalkResult, walkTrees } from './walk.ts'

/** What changed; also what `encodeLayer`, `applyChanges` and `writeUpper` write. */
export type Changeset = {
  /** In the order of a walk: sorted, what is in a directory right behind it. */
  readonly changes: readonly Change[]
  /** Every path that was looked at: what a layer is written from. */
  readonly items: readonly Item[]
  /** Whose marks were read. */
  readonly style: MarkStyle
  /** The lower layers took part, so that content could be compared. */
  readonly isCompared: boolean
}

/** How an upperdir is read. */
export type DiffUpperOptions = {
  /** What the lower layers show together, as an overlay of them would; without it nothing can be compared. */
  readonly lower?: TreeSource
  /** overlayfs' own attributes are `user.overlay.*`. */
  readonly userxattr?: boolean
  /** Whose marks there are; found out when absent. */
  readonly style?: MarkStyle
  /** Report also what was copied up and is the same as below. */
  readonly all?: boolean
  /** Leave out directories that stand there only for what is in them. */
  readonly withoutParents?: boolean
}

/** A tree: a FileSystem from its root on, or a view of something else. */
export type TreeSource = FileSystem | TreeView

/**
 * What an upperdir changes. Without the lower layers, what was added and what was changed is told by `overlay.origin`.
 *
 * Errors: BAD_ENTRY (a redirect that overlayfs refuses), BAD_WHITEOUT, those of reading the trees.
 */
export function diffUpper(upper: TreeSource, options: DiffUpperOptions = {}): Changeset {
  const view = asView(upper)
  const lower = options.lower === undefined ? null : asView(options.lower)
  const walk = (style: MarkStyle): { readonly walked: WalkResult; readonly marks: MarkReader } => {
    const marks = markReader(view, style, options.userxattr ?? false)
    return { marks, walked: walkTrees({ upper: view, marks, lower, isWholeTree: false, all: options.all ?? false }) }
  }
  let { walked, marks } = walk(options.style ?? (isAufs(view) ? 'aufs' : 'overlay'))
  if (options.style === undefined && marks.style === 'overlay') {
    const { fuseXattrs, markerNames } = marks.seen
    if (fuseXattrs || (markerNames && isFuseOverlayfs(view))) ({ walked, marks } = walk('fuse-overlayfs'))
  }
  const { items, merged } = walked
  groupHardLinks(items, { lower, merged, isWholeTree: false })
  foldRenames(items)
  const withoutParents = options.withoutParents ?? false
  return finish(items, { style: marks.style, isCompared: lower !== null, withoutParents })
}

/** How two trees are compared. */
export type DiffTreesOptions = Pick<DiffUpperOptions, 'withoutParents'> & {
  /** Which names are one file is no difference by itself: a flat tree has hard links that layers cannot have. */
  readonly ignoresLinks?: boolean
}

/** What makes tree `a` into tree `b`. Neither has marks: what `b` does not have is deleted. Errors: as `diffUpper`. */
export function diffTrees(a: TreeSource, b: TreeSource, options: DiffTreesOptions = {}): Changeset {
  const [lower, upper] = [asView(a), asView(b)]
  const { withoutParents = false, ignoresLinks = false } = options
  const marks = markReader(upper, 'none', false)
  const { items, merged } = walkTrees({ upper, marks, lower, isWholeTree: true, all: false })
  groupHardLinks(items, { lower, merged, isWholeTree: true, ignoresLinks })
  return finish(items, { style: 'none', isCompared: true, withoutParents })
}

/** A source as it is read. */
export function asView(source: TreeSource): TreeView {
  return 'superBlock' in source ? viewFileSystem(source) : source
}

/** The whiteout at the old path of what was renamed says nothing more than the renaming. */
function foldRenames(items: readonly Item[]): void {
  const sources = new Set<string>()
  for (const { change } of items) if (change?.kind === 'renamed' && change.from !== undefined) sources.add(change.from)
  if (sources.size === 0) return
  for (const item of items) if (item.change?.kind === 'deleted' && sources.has(item.lowerPath)) item.change = null
}

type Finish = Pick<Changeset, 'style' | 'isCompared'> & { readonly withoutParents: boolean }

function finish(items: readonly Item[], { withoutParents, ...rest }: Finish): Changeset {
  const parents = new Set<Item>()
  for (const item of items) {
    if (item.change === null) continue
    for (let at = item.parent; at !== null && !parents.has(at); at = at.parent) parents.add(at)
  }
  const changes: Change[] = []
  for (const item of items) {
    if (parents.has(item) && item.path !== '') item.change = asParent(item)
    if (item.change !== null && !(withoutParents && isOnlyParent(item.change))) changes.push(item.change)
  }
  return { changes, items, ...rest }
}

function asParent({ path, change }: Item): Change {
  if (change === null) return { path, kind: 'changed', type: 'dir', isParent: true }
  const { identical: _, ...rest } = change
  return { ...rest, isParent: true }
}
