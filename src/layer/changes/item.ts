// One path of a comparison, with what a report and a layer need to know of it.
import type { LayerPath } from '../../path/index.ts'
import type { Change } from './change.ts'
import type { PlacedObject } from './compare-objects.ts'
import type { ViewObject } from './tree-view.ts'

/** A path that was compared. Items come in the order of a walk: directories first, names sorted. */
export class Item {
  readonly path: LayerPath
  /** Its directory; null for the root. */
  readonly parent: Item | null
  /** What is there now; null: nothing. */
  readonly after: PlacedObject | null
  /** What the lower layers have at this path: null for nothing, undefined where that is not known. */
  readonly base: ViewObject | null | undefined
  /** Where the lower layers have what it was, when a directory above was renamed. */
  readonly lowerPath: LayerPath
  /** What is reported; null: nothing. */
  change: Change | null = null
  /** A layer needs no entry for it: the lower layers show the same at this path. */
  isUnchanged = false
  /** A directory above hides all of the lower layers. */
  isCovered = false
  /** Of a directory: names that the lower layers have in it do not show unless they are told again. */
  isOpaque = false
  /** The names of one file, sorted; null for a file with one name. */
  links: readonly Item[] | null = null
  /** The marks of the upper layer say that names share it which are not in that layer (index=on). */
  isIndexed = false

  constructor(path: LayerPath, parent: Item | null, what: ItemObjects) {
    this.path = path
    this.parent = parent
    this.after = what.after
    this.base = what.base
    this.lowerPath = what.lowerPath
  }

  /** What the lower layers are known to have at this path. */
  get below(): ViewObject | null {
    return this.base ?? null
  }
}

/** What stands at a path. */
export type ItemObjects = Pick<Item, 'after' | 'base' | 'lowerPath'>
