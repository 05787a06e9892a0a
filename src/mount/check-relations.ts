// How the directories of one overlay may lie to each other (fs/overlayfs/super.c: ovl_get_workdir(),
// ovl_workdir_ok(), ovl_setup_trap(), ovl_check_overlapping_layers()).
import { type OverlayNote, refusal, shown } from '../overlay/index.ts'
import { isBelow } from './directory.ts'
import { allLayers, layerData, layerFacts, type OpenLayer, type OpenLayers } from './layers.ts'

/** Where the overlay is to be mounted. */
export type CheckContext = { readonly target: string | null }

/**
 * Errors: OVL_WORKDIR_OTHER_FS, OVL_WORKDIR_OTHER_MOUNT, OVL_WORKDIR_IS_UPPERDIR, OVL_WORKDIR_NESTED, OVL_LAYER_TWICE,
 * OVL_LAYERS_NESTED. A workdir without upperdir is not looked at.
 */
export function checkRelations(layers: OpenLayers, context: CheckContext): OverlayNote[] {
  const { upper, work } = layers
  if (upper !== null && work !== null) checkWorkdir(upper, work, context)
  checkTwice(layers, context)
  checkNested(layers, context)
  return upper === null ? [] : hiddenNotes(layers, upper)
}

function checkWorkdir(upper: OpenLayer, work: OpenLayer, { target }: CheckContext): void {
  const pair = [upper, work]
  const shared = { errno: 'EINVAL', target, facts: layerFacts(pair), data: { directories: layerData(pair) } } as const
  if (upper.mount !== null && work.mount !== null && upper.mount.id !== work.mount.id) {
    const isSameFs = upper.mount.device === work.mount.device
    const [code, fact, hint] = isSameFs ? otherMount : otherFs
    const kernel = 'workdir and upperdir must reside under the same mount'
    throw refusal(code, fact, { ...shared, kernel, hint: `${hint}; use e.g. workdir=${shown(`${upper.path}.work`)}` })
  }
  const kernel = 'workdir and upperdir must be separate subtrees'
  const hint = `use a directory beside it, e.g. workdir=${shown(`${upper.path}.work`)}`
  if (upper.identity === work.identity) {
    const fact = 'workdir is the same directory as upperdir'
    throw refusal('OVL_WORKDIR_IS_UPPERDIR', fact, { ...shared, kernel, hint })
  }
  const isInUpper = isBelow(work.place, upper.place)
  if (!isInUpper && !isBelow(upper.place, work.place)) return
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

function checkTwice(layers: OpenLayers, { target }: CheckContext): void {
  const seen = new Map<string, OpenLayer>()
  for (const layer of inKernelOrder(layers)) {
    const other = seen.get(layer.identity)
    seen.set(layer.identity, layer)
    if (other === undefined) continue
    const pair = [other, layer]
    const what =
      other.role === layer.role ? `is given twice as ${layer.role}` : `is both ${other.role} and ${layer.role}`
    throw refusal('OVL_LAYER_TWICE', `${shown(layer.path)} ${what}`, {
      errno: 'ELOOP',
      kernel: `conflicting ${kernelName(layer)} path`,
      facts: layerFacts(pair),
      target,
      data: { directories: layerData(pair) },
    })
  }
}

/** A lower layer must not lie in another layer; upperdir and workdir may lie in a lower one. */
function checkNested(layers: OpenLayers, { target }: CheckContext): void {
  const all = inKernelOrder(layers)
  for (const layer of [...layers.lower, ...layers.data]) {
    const outer = all.find(other => other !== layer && isBelow(layer.place, other.place))
    if (outer === undefined) continue
    const pair = [outer, layer]
    throw refusal(
      'OVL_LAYERS_NESTED',
      `${layer.role} ${shown(layer.path)} lies inside ${outer.role} ${shown(outer.path)}`,
      {
        errno: 'ELOOP',
        kernel: 'overlapping lowerdir path',
        facts: layerFacts(pair),
        target,
        data: { directories: layerData(pair) },
      },
    )
  }
}

function hiddenNotes({ lower, work }: OpenLayers, upper: OpenLayer): OverlayNote[] {
  return [upper, ...(work === null ? [] : [work])].flatMap(({ role, path, place }) => {
    const outer = lower.find(layer => isBelow(place, layer.place))
    if (outer === undefined) return []
    const message = `${role} ${shown(path)} lies inside lowerdir ${shown(outer.path)}: in the overlay its name is listed and gives ELOOP`
    return [{ about: role, message }]
  })
}

/** Upper and work come first, and each directory is held against those before it. */
function inKernelOrder(layers: OpenLayers): readonly OpenLayer[] {
  const { upper, work, lower, data } = layers
  if (upper === null || work === null) return [...lower, ...data]
  return [upper, work, ...allLayers({ ...layers, upper: null, work: null })]
}

function kernelName({ role }: OpenLayer): string {
  return role === 'datadir' ? 'lowerdir' : role
}
