// A changeset as the entries of a layer, in the order they stand in the archive: what has to be there, which names are
// hidden, and which names are links. A layer knows no renaming: what was renamed is hidden at its old path and whole at
// its new one. (image-spec layer.md; rules 6 to 11, 19, 20 of the layer rules.)
import { OvlError, quote, type Warn } from '../../errors/index.ts'
import { type LayerPath, whiteoutPrefix } from '../../path/index.ts'
import { isOnlyParent } from './change.ts'
import type { Changeset } from './changeset.ts'
import type { PlacedObject } from './compare-objects.ts'
import type { Item } from './item.ts'

/** What a layer says about one path. */
export type WrittenEntry =
  | { readonly kind: 'object'; readonly path: LayerPath; readonly object: PlacedObject }
  /** A further name of an object that came before. */
  | { readonly kind: 'hardLink'; readonly path: LayerPath; readonly target: LayerPath; readonly object: PlacedObject }
  | { readonly kind: 'whiteout'; readonly path: LayerPath }
  /** Comes right behind its directory. */
  | { readonly kind: 'opaque'; readonly path: LayerPath; readonly object: PlacedObject }

/** How a changeset is written as a layer. */
export type LayerEntryOptions = {
  /** `marker`: an opaque directory is marked; `explicit`: each name that it hides gets a whiteout. */
  readonly opaque?: 'marker' | 'explicit'
  /** Leave out directories of which only the time changed, and that are there for what is in them; where that is known. */
  readonly withoutParents?: boolean
  /** Names that begin with ".wh." mean something in a layer; `keep` is for what is no layer. */
  readonly reservedNames?: 'refuse' | 'keep'
  readonly warn: Warn
}

/**
 * The entries of the layer, sorted as a walk meets them.
 *
 * Errors: NEEDS_LOWER when something can only be written with the lower layers at hand (what was renamed, data of
 * metacopies, whiteouts for opaque directories); RESERVED_NAME for a name that begins with ".wh."; BAD_ENTRY for a
 * metacopy without data and for a character device 0:0, which a layer takes for a whiteout.
 */
export function layerEntries(changeset: Changeset, options: LayerEntryOptions): readonly WrittenEntry[] {
  return new LayerEntries(options).all(changeset)
}

/** Says item by item what a layer gets for it. */
export class LayerEntries {
  readonly #options: LayerEntryOptions
  readonly #isExplicit: boolean
  #entries: WrittenEntry[] = []
  /** The first name that was written of each group of hard links. */
  readonly #heads: Map<readonly Item[], LayerPath> = new Map()

  constructor(options: LayerEntryOptions) {
    this.#options = options
    this.#isExplicit = options.opaque === 'explicit'
  }

  all({ items }: Changeset): readonly WrittenEntry[] {
    const needed = new Set<Item>()
    for (const item of items) {
      if (!this.#isNeeded(item)) continue
      needed.add(item)
      for (let at = item.parent; at !== null && at.path !== '' && !needed.has(at); at = at.parent) needed.add(at)
    }
    for (const item of items) if (needed.has(item)) this.#write(item)
    return this.#entries
  }

  /** Of one item alone, which is needed itself: items come in order, directories first. */
  of(item: Item): readonly WrittenEntry[] {
    this.#entries = []
    if (this.#isNeeded(item)) this.#write(item)
    return this.#entries
  }

  /** For its own sake; a directory may also be needed for what is in it. */
  #isNeeded(item: Item): boolean {
    if (item.after === null) return this.#hidesSomething(item)
    if (item.path === '') return item.change !== null
    if (item.isOpaque) return true
    if (!item.isUnchanged || (item.isCovered && !this.#isExplicit)) return !this.#isLeftOut(item)
    return item.change?.identical === true
  }

  #hidesSomething({ base, isCovered }: Item): boolean {
    return base !== null && (!isCovered || this.#isExplicit)
  }

  /** Whoever applies the layer then takes the attributes of the directory below: there has to be one, and the same. */
  #isLeftOut({ change, after, below, isCovered }: Item): boolean {
    if (this.#options.withoutParents !== true || after?.object.type !== 'dir' || change === null) return false
    return below?.type === 'dir' && (!isCovered || this.#isExplicit) && isOnlyParent(change)
  }

  #write(item: Item): void {
    const { path, after } = item
    const isReserved = path.startsWith(whiteoutPrefix, path.lastIndexOf('/') + 1)
    if (isReserved && this.#options.reservedNames !== 'keep') throw reservedName(path)
    if (after === null) return void this.#entries.push({ kind: 'whiteout', path })
    if (this.#isLeftOut(item) && !item.isOpaque) return
    if (after.object.type === 'socket') return this.#skipSocket(item)
    this.#check(item, after)
    const head = item.links === null ? undefined : this.#heads.get(item.links)
    if (head !== undefined) {
      this.#entries.push({ kind: 'hardLink', path, target: head, object: after })
      return
    }
    if (item.links !== null) this.#heads.set(item.links, path)
    this.#entries.push({ kind: 'object', path, object: after })
    if (item.isOpaque && !item.isCovered && !this.#isExplicit)
      this.#entries.push({ kind: 'opaque', path, object: after })
  }

  #check({ path, change, base, isOpaque }: Item, { object, data }: PlacedObject): void {
    const isBare = base === undefined
    if (isBare && change?.kind === 'renamed') throw needsLower(path, `it was renamed from ${quote(change.from ?? '')}`)
    if (isBare && data === 'missing') throw needsLower(path, 'its data is in a lower layer')
    if (isBare && isOpaque && this.#isExplicit) throw needsLower(path, 'nobody knows which names it hides')
    if (data === 'missing') throw badEntry(path, 'no lower layer has its data')
    if (object.type === 'char' && object.rdev === 0)
      throw badEntry(path, 'a character device 0:0 means a whiteout in a layer')
  }

  #skipSocket({ path, below, isCovered }: Item): void {
    this.#options.warn({ code: 'SOCKET_LEFT_OUT', message: `${quote(path)} is a socket and left out`, path })
    if (below !== null && !(isCovered && !this.#isExplicit)) this.#entries.push({ kind: 'whiteout', path })
  }
}

function reservedName(path: LayerPath): OvlError {
  return new OvlError(
    'RESERVED_NAME',
    `Cannot write ${quote(path)} to a layer: names that begin with ".wh." are markers there`,
    { data: { path } },
  )
}

function needsLower(path: LayerPath, fact: string): OvlError {
  return new OvlError('NEEDS_LOWER', `Cannot write ${quote(path)} to a layer: ${fact}`, {
    hint: 'name the lower layers, top-most first: --lower DIR[:DIR…]',
    data: { path },
  })
}

function badEntry(path: LayerPath, fact: string): OvlError {
  return new OvlError('BAD_ENTRY', `Cannot write ${quote(path)} to a layer: ${fact}`, { data: { path } })
}
