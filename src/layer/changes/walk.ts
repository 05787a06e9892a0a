// The comparison itself. An upperdir over lower layers shows a merged tree; that tree is compared with what the lower
// layers show alone. As long as a directory merges with the one below it, only the names of the upper layer can differ;
// where it does not (opaque, renamed, or in a tree without marks) every name of both sides is looked at.
//
// How names are found is overlayfs' lookup (rules 1, 2, 58, 106 of the kernel's overlayfs; namei.c: ovl_lookup()).
import { comparePaths, joinPath, type LayerPath } from '../../path/index.ts'
import type { Change } from './change.ts'
import { compareObjects, type Difference, type PlacedObject } from './compare-objects.ts'
import { Item } from './item.ts'
import { readFailure } from './read-failure.ts'
import type { ViewObject, TreeView } from './tree-view.ts'
import type { MarkReader, UpperMarks, UpperName } from './upper-marks.ts'

/** What is compared. */
export type WalkInput = {
  readonly upper: TreeView
  readonly marks: MarkReader
  /** What the lower layers show; null: not known. */
  readonly lower: TreeView | null
  /** The upper layer is a tree by itself, and what it does not have is deleted. */
  readonly isWholeTree: boolean
  /** Report also what is in the upper layer and the same below. */
  readonly all: boolean
}

/** Directories that merge: where the lower layers may have names that the upper one does not know. */
export type MergedDirectory = {
  readonly item: Item
  readonly lower: ViewObject
  readonly upperNames: ReadonlySet<string>
}

/** Every path that was looked at, and the directories whose other names were not. */
export type WalkResult = { readonly items: Item[]; readonly merged: readonly MergedDirectory[] }

/** Compares two trees. Errors: those of reading them, NEEDS_PRIVILEGE, READ_FAILED, BAD_ENTRY (redirects), BAD_WHITEOUT. */
export function walkTrees(input: WalkInput): WalkResult {
  const walk = new Walk(input)
  const items: Item[] = []
  for (let item = walk.next(); item !== null; item = walk.next()) items.push(item)
  return { items, merged: walk.merged }
}

/** The same item by item, in order: each call gives the next one, null at the end. Errors: as `walkTrees`. */
export function walkItems(input: WalkInput): () => Item | null {
  const walk = new Walk(input)
  return () => walk.next()
}

/** A directory whose names are compared. */
type Frame = {
  readonly item: Item
  /** The lower directory that shows through. */
  readonly lower: ViewObject | null
  readonly lowerPath: LayerPath
  /** The lower directory at the same path. */
  readonly base: ViewObject | null
  /** Both are one: what the upper layer does not name is unchanged. */
  readonly isMerging: boolean
  /** Names of a base directory that do not show, collected for `Change.hides`. */
  readonly hidden: string[]
}

/** A name to compare. */
type Job = {
  readonly frame: Frame
  readonly name: string
  readonly upper: UpperName | null
  readonly lower: ViewObject | null
  readonly base: ViewObject | null
}

/** What a name of the upper layer leads to in the lower ones. */
type Counterpart = {
  readonly object: ViewObject | null
  readonly path: LayerPath
  /** Set by a redirect to another path. */
  readonly isMoved: boolean
}

class Walk {
  readonly #input: WalkInput
  /** What the last visit found, and how much of it was handed out. */
  #items: Item[] = []
  #handedOut = 0
  #isBegun = false
  readonly merged: MergedDirectory[] = []
  /** Names to compare, the next one last. */
  readonly #pending: Job[] = []

  constructor(input: WalkInput) {
    this.#input = input
  }

  /** Null: that was all. */
  next(): Item | null {
    while (this.#handedOut === this.#items.length) {
      this.#items.length = 0
      this.#handedOut = 0
      if (!this.#isBegun) this.#begin()
      else if (!this.#visitNext()) return null
    }
    return this.#items[this.#handedOut++] as Item
  }

  #begin(): void {
    this.#isBegun = true
    try {
      this.#visitRoot()
    } catch (error) {
      throw readFailure(error, '')
    }
  }

  /** False: nothing is left to visit. */
  #visitNext(): boolean {
    const job = this.#pending.pop()
    if (job === undefined) return false
    try {
      this.#visit(job)
    } catch (error) {
      throw readFailure(error, joinPath(job.frame.item.path, job.name))
    }
    return true
  }

  #visitRoot(): void {
    const { upper, lower, marks, isWholeTree } = this.#input
    const { xattrs } = marks.read(upper.root, '')
    const listing = marks.list(upper.root)
    const after = { view: upper, object: upper.root, xattrs, data: null }
    const item = this.#add(new Item('', null, { after, base: lower?.root, lowerPath: '' }))
    const isMerging = !isWholeTree && !listing.isOpaque // the attribute means nothing on the root (rule 57)
    item.isOpaque = !isWholeTree && listing.isOpaque
    const difference = lower === null ? null : compareObjects(this.#placeLower(lower.root), after)
    item.isUnchanged = true
    if (difference !== null) this.#reportRoot(item, difference)
    const shown = isMerging ? (lower?.root ?? null) : null
    const frame: Frame = { item, lower: shown, lowerPath: '', base: lower?.root ?? null, isMerging, hidden: [] }
    if (item.isOpaque) item.change = { path: '', kind: 'changed', type: 'dir', opaque: true, hides: frame.hidden }
    this.#enter(frame, listing.names)
  }

  /** The root's time changes with every name in it, and few layers have an entry for it: alone it is no change. */
  #reportRoot(item: Item, { time, ...difference }: Difference): void {
    if (Object.keys(difference).length === 0) return
    item.isUnchanged = false
    item.change = { path: '', kind: 'changed', type: 'dir', ...difference, ...(time === undefined ? {} : { time }) }
  }

  #add(item: Item): Item {
    this.#items.push(item)
    return item
  }

  /** Puts the names of a directory on the list. */
  #enter(frame: Frame, upperNames: readonly UpperName[]): void {
    const { lower: view } = this.#input
    const jobs: Job[] = []
    if (frame.isMerging || view === null) {
      const { lower } = frame
      for (const upper of upperNames) {
        const below = lower === null || view === null ? null : view.find(lower, upper.name)
        jobs.push({ frame, name: upper.name, upper, lower: below, base: below })
      }
      if (lower !== null) {
        const names = new Set(upperNames.map(({ name }) => name))
        this.merged.push({ item: frame.item, lower, upperNames: names })
      }
    } else jobs.push(...this.#allNames(frame, upperNames, view))
    for (let at = jobs.length - 1; at >= 0; at--) this.#pending.push(jobs[at] as Job)
  }

  #allNames(frame: Frame, upperNames: readonly UpperName[], view: TreeView): Job[] {
    const jobs = new Map<string, { frame: Frame; name: string; upper: UpperName | null } & LowerPair>()
    for (const upper of upperNames) jobs.set(upper.name, { frame, name: upper.name, upper, lower: null, base: null })
    for (const side of ['lower', 'base'] as const) {
      const directory = frame[side]
      if (directory === null) continue
      for (const { name, object } of view.list(directory)) {
        const known = jobs.get(name)
        if (known !== undefined) known[side] = object
        else jobs.set(name, { frame, name, upper: null, lower: null, base: null, [side]: object })
      }
    }
    return [...jobs.values()].toSorted((a, b) => comparePaths(a.name, b.name))
  }

  #visit(job: Job): void {
    const { frame, name, upper, lower, base } = job
    const path = joinPath(frame.item.path, name)
    if (upper === null) {
      if (lower !== null) this.#showLower(job, path, lower)
      else if (base !== null) this.#hideBase(job, path, base)
      return
    }
    if (upper.object === null) return this.#whiteout(job, path, 'name')
    const marks = this.#input.marks.read(upper.object, path)
    if (marks.whiteout !== null) return this.#whiteout(job, path, marks.whiteout)
    const listing = upper.object.type === 'dir' ? this.#input.marks.list(upper.object) : null
    const isOpaque = marks.isOpaque || listing?.isOpaque === true || upper.hasMarker === true
    const counterpart = this.#counterpart(job, path, { marks, isOpaque })
    const after = this.#placeUpper(upper.object, marks, counterpart)
    const item = this.#add(new Item(path, frame.item, { after, base: this.#baseOf(base), lowerPath: counterpart.path }))
    item.isCovered = isCoveredIn(frame)
    item.isIndexed = marks.isIndexed
    if (listing === null) return this.#report(item, marks, counterpart)
    this.#directory({ item, marks, counterpart, frame, isOpaque, names: listing.names })
  }

  #baseOf(base: ViewObject | null): ViewObject | null | undefined {
    return this.#input.lower === null ? undefined : base
  }

  /** What the lower layers have for an object of the upper one. */
  #counterpart(
    { frame, name, lower }: Job,
    shownAt: LayerPath,
    { marks: { redirect }, isOpaque }: { readonly marks: UpperMarks; readonly isOpaque: boolean },
  ): Counterpart {
    const path = frame.lowerPath === frame.item.path ? shownAt : joinPath(frame.lowerPath, name)
    if (isOpaque) return { object: null, path, isMoved: false }
    if (redirect === null) return { object: lower, path, isMoved: false }
    const from = redirect.startsWith('/') ? redirect.slice(1) : joinPath(frame.lowerPath, redirect)
    if (from === path) return { object: lower, path, isMoved: false } // moved away and back (rule 133)
    const { lower: view } = this.#input
    if (view === null) return { object: null, path: from, isMoved: true }
    if (redirect.startsWith('/')) return { object: findPath(view, from), path: from, isMoved: true }
    return { object: frame.lower === null ? null : view.find(frame.lower, redirect), path: from, isMoved: true }
  }

  #placeUpper(object: ViewObject, marks: UpperMarks, { object: below }: Counterpart): PlacedObject {
    const { upper, lower } = this.#input
    const { xattrs } = marks
    if (!marks.isMetacopy) return { view: upper, object, xattrs, data: null }
    const data = below?.type === 'file' && lower !== null ? { view: lower, object: below } : 'missing'
    return { view: upper, object, xattrs, data }
  }

  #placeLower(object: ViewObject): PlacedObject {
    const { lower } = this.#input
    if (lower === null) throw new Error('there are no lower layers')
    return { view: lower, object, xattrs: lower.xattrs(object), data: null }
  }

  #whiteout({ frame, name, lower, base }: Job, path: LayerPath, form: NonNullable<UpperMarks['whiteout']>): void {
    const lowerPath = joinPath(frame.lowerPath, name)
    const item = this.#add(new Item(path, frame.item, { after: null, base: this.#baseOf(base), lowerPath }))
    item.isCovered = isCoveredIn(frame)
    if (base !== null && !frame.isMerging) frame.hidden.push(name)
    const hidesNothing = this.#input.lower !== null && lower === null
    if (hidesNothing && base !== null) return // what is opaque has hidden it already
    item.change = { path, kind: 'deleted', type: lower?.type ?? null, whiteout: form }
    if (hidesNothing) item.change = { ...item.change, hidesNothing: true }
  }

  /** The base directory has a name that does not show any more. */
  #hideBase({ frame, name }: Job, path: LayerPath, base: ViewObject): void {
    const lowerPath = joinPath(frame.lowerPath, name)
    const item = this.#add(new Item(path, frame.item, { after: null, base, lowerPath }))
    item.isCovered = isCoveredIn(frame)
    if (this.#input.isWholeTree) item.change = { path, kind: 'deleted', type: base.type }
    else frame.hidden.push(name)
  }

  /** An object of the lower layers that shows at another path than theirs. */
  #showLower({ frame, name, base }: Job, path: LayerPath, object: ViewObject): void {
    const lowerPath = joinPath(frame.lowerPath, name)
    const after = this.#placeLower(object)
    const item = this.#add(new Item(path, frame.item, { after, base, lowerPath }))
    item.isCovered = isCoveredIn(frame)
    if (object.type !== 'dir') return
    item.isOpaque = base?.type === 'dir'
    const baseDirectory = base?.type === 'dir' ? base : null
    this.#enter({ item, lower: object, lowerPath, base: baseDirectory, isMerging: false, hidden: [] }, [])
  }

  #directory(found: {
    item: Item
    marks: UpperMarks
    counterpart: Counterpart
    frame: Frame
    isOpaque: boolean
    names: readonly UpperName[]
  }): void {
    const { item, marks, counterpart, frame, isOpaque, names } = found
    const lower = counterpart.object?.type === 'dir' ? counterpart.object : null
    const base = item.base?.type === 'dir' ? item.base : null
    const isMerging = frame.isMerging && !isOpaque && !counterpart.isMoved
    // Without the lower layers the mark has to be believed; with them it counts where it hides something.
    item.isOpaque = this.#input.lower === null ? isOpaque : !isMerging && base !== null && !this.#input.isWholeTree
    const hidden: string[] = []
    this.#report(item, marks, { ...counterpart, object: lower ?? (counterpart.isMoved ? null : counterpart.object) })
    if (item.isOpaque && item.change !== null && this.#input.lower !== null)
      item.change = { ...item.change, hides: hidden }
    this.#enter({ item, lower, lowerPath: counterpart.path, base, isMerging, hidden }, names)
  }

  /** What differs between an object of the upper layer and what it was. */
  #report(item: Item, marks: UpperMarks, { object: origin, path: lowerPath, isMoved }: Counterpart): void {
    const { after, path, base } = item
    if (after === null) return
    const { type } = after.object
    if (base === undefined) return this.#reportAlone(item, marks, isMoved)
    const metacopy = marks.isMetacopy ? ({ metacopy: true } as const) : {}
    const opaque = item.isOpaque && !item.isCovered ? ({ opaque: true } as const) : {}
    const size = type === 'file' ? { sizeBytes: sizeOf(after) } : {}
    const before = origin ?? base
    if (before === null) {
      item.change = { path, kind: 'added', type, ...size, ...metacopy }
      return
    }
    const change = (what: Partial<Change>): Change => {
      return { path, kind: 'changed', type, ...size, ...what, ...metacopy, ...opaque }
    }
    if (before.type !== type) {
      item.change = change({ typeBefore: before.type })
      return
    }
    const difference = compareObjects(this.#placeLower(before), after)
    if (isMoved && origin !== null) item.change = change({ ...difference, kind: 'renamed', from: lowerPath })
    else if (difference !== null || item.isOpaque) item.change = change(difference ?? {})
    else if (this.#input.all && path !== '') item.change = change({ identical: true })
    // At another path than below it is a change however equal it is.
    item.isUnchanged = difference === null && before === base && !item.isOpaque
  }

  /** Without the lower layers: what the marks say. Nearly all objects have none. */
  #reportAlone(item: Item, marks: UpperMarks, isMoved: boolean): void {
    const { path, after, lowerPath } = item
    if (after === null) return
    const { type } = after.object
    const kind = isMoved ? 'renamed' : marks.hasOrigin ? 'changed' : 'added'
    const change: Change = type === 'file' ? { path, kind, type, sizeBytes: sizeOf(after) } : { path, kind, type }
    const isOpaque = item.isOpaque && !item.isCovered
    if (!isMoved && !isOpaque && !marks.isMetacopy) item.change = change
    else {
      item.change = {
        ...change,
        ...(isMoved ? { from: lowerPath } : {}),
        ...(marks.isMetacopy ? { metacopy: true } : {}),
        ...(isOpaque ? { opaque: true } : {}),
      }
    }
  }
}

type LowerPair = { lower: ViewObject | null; base: ViewObject | null }

function sizeOf({ object, data }: PlacedObject): number {
  return data === null || data === 'missing' ? object.sizeBytes : data.object.sizeBytes
}

/** Below a directory that is opaque, nothing of the lower layers shows. */
function isCoveredIn({ item }: Frame): boolean {
  return item.isOpaque || item.isCovered
}

/** The object at a path, no symlink followed (rule 2). */
function findPath(view: TreeView, path: LayerPath): ViewObject | null {
  let object: ViewObject | null = view.root
  for (const name of path.split('/')) object = object?.type === 'dir' ? view.find(object, name) : null
  return object
}
