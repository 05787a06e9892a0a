// An upperdir by itself as a layer, entry by entry while it is read: without lower layers nothing that comes later
// changes what was said before.
import type { Change } from './change.ts'
import { asView, type TreeSource } from './changeset.ts'
import { isAufs, isFuseOverlayfs } from './find-style.ts'
import { groupKey } from './hard-links.ts'
import type { Item } from './item.ts'
import { LayerEntries, type LayerEntryOptions, type WrittenEntry } from './layer-entries.ts'
import type { TreeView } from './tree-view.ts'
import { type MarkReader, type MarkStyle, markReader } from './upper-marks.ts'
import { walkItems } from './walk.ts'

/** How an upperdir is read and written. */
export type StreamUpperOptions = Omit<LayerEntryOptions, 'withoutParents'> & {
  readonly userxattr: boolean
  readonly style?: MarkStyle
}

/** Marks turned out to be of another style after entries were made: begin again, with `diffUpper`. */
export class OtherStyle extends Error {
  override readonly name = 'OtherStyle'
}

/**
 * What `layerEntries(diffUpper(upper))` gives, one after the other; `found` gets each change on the way, without parents
 * told apart.
 *
 * Errors: those of `diffUpper` and `layerEntries`; OtherStyle.
 */
export function* streamUpper(
  upper: TreeSource,
  options: StreamUpperOptions,
  found: (change: Change) => void,
): Generator<WrittenEntry> {
  const view = asView(upper)
  const style = options.style ?? (isAufs(view) ? 'aufs' : 'overlay')
  const marks = markReader(view, style, options.userxattr)
  const entries = new LayerEntries(options)
  const links = new LinkGroups()
  const next = walkItems({ upper: view, marks, lower: null, isWholeTree: false, all: false })
  for (let item = next(); item !== null; item = next()) {
    if (options.style === undefined) checkStyle(view, marks)
    links.join(item)
    if (item.change !== null) found(item.change)
    for (const entry of entries.of(item)) yield entry // yield* costs several times as much
  }
}

function checkStyle(view: TreeView, { style, seen }: MarkReader): void {
  if (style !== 'overlay' || (!seen.fuseXattrs && !seen.markerNames)) return
  if (seen.fuseXattrs || isFuseOverlayfs(view)) throw new OtherStyle()
  seen.markerNames = false // they are ordinary names
}

/** The first name that comes is the file, as in a sorted list of all. */
class LinkGroups {
  readonly #groups: Map<string, Item[]> = new Map()
  readonly #views: Map<TreeView, number> = new Map()

  join(item: Item): void {
    const key = groupKey(item, this.#views)
    if (key === null) return
    const group = this.#groups.get(key)
    if (group === undefined) {
      const started = [item]
      item.links = started
      this.#groups.set(key, started)
      return
    }
    item.links = group
    const [head] = group
    if (item.change !== null && head !== undefined) item.change = { ...item.change, linkTo: head.path }
  }
}
