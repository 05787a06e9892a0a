// Which directories of the layers can be seen in the overlay, and how they are listed there.

import { findMembers, type Parent, rootsFrom } from './find-members.ts'
import { below, type Member, type StoredOverlay } from './layer-reader.ts'

/**
 * How a directory of a layer is listed: `filtered` without its whiteouts, as part of something merged; `raw` as it is
 * on the disk (fs/overlayfs/readdir.c: ovl_iterate_real()).
 */
export type Listing = 'filtered' | 'raw'

/** The directories that an overlay shows. */
export type VisibleDirectories = {
  /** The listing of a directory of a layer; undefined when the overlay does not show it. */
  readonly listing: (layer: number, path: string) => Listing | undefined
  /**
   * Paths of the overlay whose top-most lower directory this is. The kernel knows a directory by it, so there can only
   * be one (fs/overlayfs/inode.c: ovl_get_inode(), ovl_verify_inode()).
   */
  readonly shownAt: (layer: number, path: string) => readonly string[]
  /** False when there were too many to walk them all. */
  readonly isWhole: boolean
}

/**
 * Directories looked into at most. Redirects can show a directory at several places, layer upon layer twice as many;
 * real overlays stay far below.
 */
const largestCount = 1_000_000

/** Walks the whole overlay. */
export function findVisibleDirectories(overlay: StoredOverlay): VisibleDirectories {
  const listings = overlay.layers.map(() => new Map<string, Listing>())
  const shown = overlay.layers.map(() => new Map<string, string[]>())
  const roots = rootsFrom(overlay, 0)
  for (const { layer } of roots) listings[layer]?.set('', 'filtered')
  const seen = new Set<string>()
  let count = 0
  const open: { at: string; parents: readonly Parent[] }[] = [{ at: '', parents: roots }]
  for (let next = open.pop(); next !== undefined && count < largestCount; next = open.pop()) {
    count++
    for (const name of directoryNames(overlay, next.parents)) {
      const { members } = findMembers(overlay, next.parents, name)
      if (members[0]?.node.type !== 'directory') continue
      const at = below(next.at, name)
      const listing = listingOf(members)
      for (const { layer, path } of members) {
        // By a redirect it may show at two places; what one of them lists is seen.
        if (listings[layer]?.get(path) !== 'raw') listings[layer]?.set(path, listing)
      }
      const lower = members.find(({ layer }) => layer > 0 || !overlay.hasUpper)
      if (lower !== undefined) append(shown[lower.layer], lower.path, at)
      // What a redirect leads to may have been walked already, from another place.
      const stack = members.every(({ path }) => path === at) ? null : stackKey(members)
      if (stack !== null && seen.has(stack)) continue
      if (stack !== null) seen.add(stack)
      open.push({ at, parents: members.map(({ layer, path }) => ({ layer, path })) })
    }
  }
  return {
    listing: (layer, path) => listings[layer]?.get(path),
    shownAt: (layer, path) => shown[layer]?.get(path) ?? [],
    isWhole: open.length === 0,
  }
}

function stackKey(members: readonly Member[]): string {
  return members.map(({ layer, path }) => `${layer}:${path}`).join('\0')
}

function append(map: Map<string, string[]> | undefined, key: string, value: string): void {
  const values = map?.get(key)
  if (values === undefined) map?.set(key, [value])
  else values.push(value)
}

/** Names that are a directory in at least one of the parents. */
function directoryNames({ layers }: StoredOverlay, parents: readonly Parent[]): ReadonlySet<string> {
  return new Set(
    parents.flatMap(({ layer, path }) =>
      (layers[layer]?.list(path) ?? []).flatMap(({ name, isDirectory }) => (isDirectory ? [name] : [])),
    ),
  )
}

/** A directory that carries an origin, even an empty one, is expected to hold whiteouts (inode.c: ovl_get_inode()). */
function listingOf(members: readonly Member[]): Listing {
  return members.length > 1 || members[0]?.node.marks.has('origin') === true ? 'filtered' : 'raw'
}
