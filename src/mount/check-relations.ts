// How the directories of one overlay lie to each other, by the mounts of this machine: the rules are overlay's own.
import { checkRelations as checkPlaces, type OverlayNote } from '../overlay/index.ts'
import { isBelow } from './directory.ts'
import { layerData, layerFacts, type OpenLayers } from './layers.ts'

/** Where the overlay is to be mounted. */
export type CheckContext = { readonly target: string | null }

/**
 * Errors: OVL_WORKDIR_OTHER_FS, OVL_WORKDIR_OTHER_MOUNT, OVL_WORKDIR_IS_UPPERDIR, OVL_WORKDIR_NESTED, OVL_LAYER_TWICE,
 * OVL_LAYERS_NESTED.
 */
export function checkRelations(layers: OpenLayers, { target }: CheckContext): OverlayNote[] {
  return checkPlaces(layers, {
    target,
    isBelow: (inner, outer) => isBelow(inner.place, outer.place),
    apartness(upper, work) {
      if (upper.mount === null || work.mount === null || upper.mount.id === work.mount.id) return null
      return upper.mount.device === work.mount.device ? 'mount' : 'file system'
    },
    describe: directories => ({ facts: layerFacts(directories), data: { directories: layerData(directories) } }),
  })
}
