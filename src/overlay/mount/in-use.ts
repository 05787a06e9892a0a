// Upper and work directories belong to one mounted overlay at a time (fs/overlayfs/util.c: ovl_inuse_trylock(),
// super.c: ovl_report_in_use(), ovl_check_layer(); rule 34). The kernel marks the inode; here a table of the process
// does, so that overlays on the same host directory meet whichever `HostFs` they reach it through.
import type { OverlayNote } from '../settings.ts'
import type { OverlayMount } from '../model.ts'
import type { Place } from './places.ts'
import { describeByPath, inUse, inUseNote } from './refusals.ts'

/** Directories in use by mounted overlays, by identity. */
const used = new Map<string, 'upperdir' | 'workdir'>()
const locks = new WeakMap<OverlayMount, readonly string[]>()

/** What a mount takes while it is being made; released again when it fails. */
export class UseLocks {
  readonly #taken: string[] = []
  readonly #notes: OverlayNote[]

  constructor(notes: OverlayNote[]) {
    this.#notes = notes
  }

  /** For upper and work directories. Errors: OVL_IN_USE when `isExclusive` (index=on). */
  take(place: Place, role: 'upperdir' | 'workdir', isExclusive: boolean): void {
    if (used.has(place.identity)) return this.#report(place, place.identity, isExclusive)
    used.set(place.identity, role)
    this.#taken.push(place.identity)
  }

  /** For lower layers, and what lies above any layer: neither may be in use by another overlay. */
  check(place: Place, { andAbove, isExclusive }: { readonly andAbove: boolean; readonly isExclusive: boolean }): void {
    const identities = andAbove ? place.above : [place.identity]
    for (const identity of identities)
      if (used.has(identity) && !this.#taken.includes(identity)) this.#report(place, identity, isExclusive)
  }

  /** The mount was made: `releaseUse` gives everything back. */
  keepFor(mount: OverlayMount): void {
    locks.set(mount, this.#taken)
  }

  release(): void {
    for (const identity of this.#taken.splice(0)) used.delete(identity)
  }

  #report(place: Place, identity: string, isExclusive: boolean): void {
    const where = `${used.get(identity)} of another mounted overlay`
    if (!isExclusive) return void this.#notes.push(inUseNote(place, where))
    const hint = 'unmount the other overlay, or index=off if nothing is changed through both'
    throw inUse(place, { where, hint }, { target: null, ...describeByPath([place]) })
  }
}

/** Gives the directories of an unmounted overlay free; false when that has been done before. */
export function releaseUse(mount: OverlayMount): boolean {
  for (const identity of locks.get(mount) ?? []) used.delete(identity)
  return locks.delete(mount)
}
