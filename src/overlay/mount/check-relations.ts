// How the directories of one overlay may lie to each other (fs/overlayfs/super.c: ovl_get_workdir(),
// ovl_workdir_ok(), ovl_setup_trap(), ovl_check_overlapping_layers(); rules 25, 26, 31-33).
import type { LayerRole } from '../options.ts'
import { refusal, shown } from '../refusal.ts'
import type { OverlayNote } from '../settings.ts'
import type { Describe } from './refusals.ts'

/** A directory that was found. */
export type PlacedDirectory = {
  readonly role: LayerRole
  readonly path: string
  /** The same for the same directory. */
  readonly identity: string
}

/** All directories of an overlay; `lower` top-most first. */
export type DirectorySet<D> = {
  readonly lower: readonly D[]
  readonly data: readonly D[]
  readonly upper: D | null
  readonly work: D | null
}

/** What is known of the directories beyond their names. */
export type RelationContext<D extends PlacedDirectory> = {
  /** Where the overlay is to be mounted. */
  readonly target: string | null
  /** True when `inner` lies in `outer`, or is it. */
  readonly isBelow: (inner: D, outer: D) => boolean
  /** Whether rename(2) can move between the two; if not, why not. */
  readonly apartness: (upper: D, work: D) => 'file system' | 'mount' | null
  readonly describe: Describe<D>
}

/**
 * Errors: OVL_WORKDIR_OTHER_FS, OVL_WORKDIR_OTHER_MOUNT, OVL_WORKDIR_IS_UPPERDIR, OVL_WORKDIR_NESTED, OVL_LAYER_TWICE,
 * OVL_LAYERS_NESTED. A workdir without upperdir is not looked at.
 */
export function checkRelations<D extends PlacedDirectory>(
  set: DirectorySet<D>,
  context: RelationContext<D>,
): OverlayNote[] {
  const { upper, work } = set
  if (upper !== null && work !== null) checkWorkdir(upper, work, context)
  checkTwice(set, context)
  checkNested(set, context)
  return upper === null ? [] : hiddenNotes(set, upper, context)
}

function checkWorkdir<D extends PlacedDirectory>(upper: D, work: D, context: RelationContext<D>): void {
  const shared = { errno: 'EINVAL', target: context.target, ...context.describe([upper, work]) } as const
  const apart = context.apartness(upper, work)
  if (apart !== null) {
    const [code, fact, hint] = apart === 'mount' ? otherMount : otherFs
    const kernel = 'workdir and upperdir must reside under the same mount'
    throw refusal(code, fact, { ...shared, kernel, hint: `${hint}; use e.g. workdir=${shown(`${upper.path}.work`)}` })
  }
  const kernel = 'workdir and upperdir must be separate subtrees'
  const hint = `use a directory beside it, e.g. workdir=${shown(`${upper.path}.work`)}`
  if (upper.identity === work.identity) {
    const fact = 'workdir is the same directory as upperdir'
    throw refusal('OVL_WORKDIR_IS_UPPERDIR', fact, { ...shared, kernel, hint })
  }
  const isInUpper = context.isBelow(work, upper)
  if (!isInUpper && !context.isBelow(upper, work)) return
  const fact = isInUpper ? 'workdir lies inside upperdir' : 'upperdir lies inside workdir'
  throw refusal('OVL_WORKDIR_NESTED', fact, { ...shared, kernel, ...(isInUpper ? { hint } : {}) })
}

const otherFs = [
  'OVL_WORKDIR_OTHER_FS',
  'workdir is on another filesystem than upperdir',
  'overlayfs moves finished files from workdir into upperdir with rename(2)',
] as const
const otherMount = [
  'OVL_WORKDIR_OTHER_MOUNT',
  'workdir is reached through another mount than upperdir',
  'rename(2) works only within one mount, also when both are the same filesystem',
] as const

function checkTwice<D extends PlacedDirectory>(set: DirectorySet<D>, { target, describe }: RelationContext<D>): void {
  const seen = new Map<string, D>()
  for (const directory of inKernelOrder(set)) {
    const other = seen.get(directory.identity)
    seen.set(directory.identity, directory)
    if (other === undefined) continue
    const what =
      other.role === directory.role
        ? `is given twice as ${directory.role}`
        : `is both ${other.role} and ${directory.role}`
    throw refusal('OVL_LAYER_TWICE', `${shown(directory.path)} ${what}`, {
      errno: 'ELOOP',
      kernel: `conflicting ${kernelName(directory)} path`,
      target,
      ...describe([other, directory]),
    })
  }
}

/** A lower layer must not lie in another layer; upperdir and workdir may lie in a lower one. */
function checkNested<D extends PlacedDirectory>(set: DirectorySet<D>, context: RelationContext<D>): void {
  const all = inKernelOrder(set)
  for (const directory of [...set.lower, ...set.data]) {
    const outer = all.find(other => other !== directory && context.isBelow(directory, other))
    if (outer === undefined) continue
    const fact = `${directory.role} ${shown(directory.path)} lies inside ${outer.role} ${shown(outer.path)}`
    throw refusal('OVL_LAYERS_NESTED', fact, {
      errno: 'ELOOP',
      kernel: 'overlapping lowerdir path',
      target: context.target,
      ...context.describe([outer, directory]),
    })
  }
}

function hiddenNotes<D extends PlacedDirectory>(
  { lower, work }: DirectorySet<D>,
  upper: D,
  { isBelow }: RelationContext<D>,
): OverlayNote[] {
  return [upper, ...(work === null ? [] : [work])].flatMap(directory => {
    const outer = lower.find(layer => isBelow(directory, layer))
    if (outer === undefined) return []
    const { role, path } = directory
    const message = `${role} ${shown(path)} lies inside lowerdir ${shown(outer.path)}: in the overlay its name is listed and gives ELOOP`
    return [{ about: role, message }]
  })
}

/** Upper and work come first, and each directory is held against those before it. */
function inKernelOrder<D>({ upper, work, lower, data }: DirectorySet<D>): readonly D[] {
  return upper === null || work === null ? [...lower, ...data] : [upper, work, ...lower, ...data]
}

function kernelName({ role }: PlacedDirectory): string {
  return role === 'datadir' ? 'lowerdir' : role
}
