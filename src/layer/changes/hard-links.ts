// Names of one file. A layer can only say "this name is that file of mine" or leave a name alone, so a group of names
// is either left as the lower layers have it, or written whole: its first name as a file, the others as links to it
// (rules 14, 19, 20 of the layer rules).
import type { Change } from './change.ts'
import type { Item } from './item.ts'
import { findLowerNames } from './lower-names.ts'
import { compareTreePaths } from './order.ts'
import type { ViewObject, TreeView } from './tree-view.ts'
import type { MergedDirectory } from './walk.ts'

/** What is known of the trees that items come from. */
export type LinkContext = {
  readonly lower: TreeView | null
  readonly merged: readonly MergedDirectory[]
  /** All names of both trees have items. */
  readonly isWholeTree: boolean
  /** Which names are one file is no difference by itself. */
  readonly ignoresLinks?: boolean
}

/**
 * Finds the groups of names, those in the lower layers included, and says which have to be written. Adds items for
 * names that only take part because others of their file changed; the order is that of the walk again.
 */
export function groupHardLinks(items: Item[], context: LinkContext): void {
  const groups = new Map<string, Item[]>()
  const views = new Map<TreeView, number>()
  for (const item of items) {
    const key = groupKey(item, views)
    if (key !== null) addTo(groups, key, item)
  }
  const wanted = wantedNames(items, context.lower, views)
  if (wanted.size > 0 && context.lower !== null) {
    const found = findLowerNames(context.lower, context.merged, wanted)
    for (const item of found) {
      const key = wanted.get(item.below?.identity ?? '')?.key
      if (key !== undefined && item.below?.type !== 'dir') addTo(groups, key, item)
    }
    items.push(...found)
    items.sort((a, b) => compareTreePaths(a.path, b.path))
  }
  const claims = new Map<string, readonly Item[]>()
  for (const group of groups.values()) if (group.length > 1) decide(sorted(group), claims, context)
  if (context.ignoresLinks === true) return
  for (const item of items) if (item.links === null) decideSingle(item, claims, context)
}

/** Equal for the names of one file; null for what has one name. */
export function groupKey({ after }: Item, views: Map<TreeView, number>): string | null {
  if (after === null || after.object.type === 'dir' || after.object.nlink < 2) return null
  return `${numberOf(after.view, views)} ${after.object.identity}`
}

/** Lower files that show under names which were not looked at, by `ViewObject.identity`. */
function wantedNames(
  items: readonly Item[],
  lower: TreeView | null,
  views: Map<TreeView, number>,
): ReadonlyMap<string, WantedFile> {
  const wanted = new Map<string, WantedFile>()
  for (const item of items) {
    const key = groupKey(item, views)
    if (key === null) continue
    if (item.after?.view === lower && lower !== null) wanted.set(item.after.object.identity, { key, shownAs: null })
    else if (item.isIndexed && item.below !== null && item.below.nlink > 1)
      wanted.set(item.below.identity, { key, shownAs: item })
  }
  return wanted
}

/** A lower file: the group that its names belong to, and what they show instead of it (index=on). */
type WantedFile = { readonly key: string; readonly shownAs: Item | null }

function numberOf(view: TreeView, views: Map<TreeView, number>): number {
  const known = views.get(view)
  if (known !== undefined) return known
  views.set(view, views.size)
  return views.size - 1
}

function addTo(groups: Map<string, Item[]>, key: string, item: Item): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [item])
  else group.push(item)
}

/** A group stays as it is below when all its names were one file there, and no other part of that file stays too. */
function decide(group: readonly Item[], claims: Map<string, readonly Item[]>, context: LinkContext): void {
  for (const item of group) item.links = group
  if (context.ignoresLinks === true && group.every(item => item.isUnchanged)) return
  const first = group[0]?.below ?? null
  const wasOne = group.every(
    ({ below }) => below !== null && below.type !== 'dir' && below.identity === first?.identity,
  )
  const isClaimed = wasOne && first !== null && !claim(group, first, { claims, context })
  const isRelinked = !wasOne || isClaimed
  if (!isRelinked && group.every(item => item.isUnchanged)) return
  const head = group[0]?.path ?? ''
  for (const item of group) {
    item.isUnchanged = false
    const change = undoRename(item.change, group) ?? relinked(item, isRelinked)
    item.change = change === null || item.path === head ? change : { ...change, linkTo: head }
  }
}

/** A name that was linked to others before, or to nothing; null when there is nothing to report. */
function relinked({ path, below, after }: Item, isRelinked: boolean): Change | null {
  if (!isRelinked || below === null || below.nlink < 2 || below.type !== after?.object.type) return null
  return { path, kind: 'changed', type: below.type, links: true }
}

/** A metacopy that was linked, not renamed, has a redirect too (rule 107). */
function undoRename(change: Change | null, group: readonly Item[]): Change | null {
  if (change?.kind !== 'renamed' || !group.some(({ path }) => path === change.from)) return change
  const { from: _, ...rest } = change
  return { ...rest, kind: 'added' }
}

/** A file with one name, which was one of several names below. */
function decideSingle(item: Item, claims: Map<string, readonly Item[]>, context: LinkContext): void {
  const { below, after } = item
  if (!item.isUnchanged || after === null || below === null || below.type === 'dir' || below.nlink < 2) return
  if (claim([item], below, { claims, context })) return
  item.isUnchanged = false
  const { identical: _, ...change } = item.change ?? { path: item.path, kind: 'changed', type: after.object.type }
  item.change = { ...change, links: true }
}

/** True when these names, and no others, stay the file that they were. */
function claim(
  group: readonly Item[],
  base: ViewObject,
  { claims, context }: { readonly claims: Map<string, readonly Item[]>; readonly context: LinkContext },
): boolean {
  // In a layer, names that are not seen here are in the lower ones, and stay what they are.
  if (!context.isWholeTree) return group.length === base.nlink
  const claimed = claims.get(base.identity)
  if (claimed === undefined) claims.set(base.identity, group)
  return claimed === undefined || claimed === group
}

function sorted(group: readonly Item[]): readonly Item[] {
  return group.toSorted((a, b) => compareTreePaths(a.path, b.path))
}
