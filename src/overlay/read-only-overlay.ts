// An overlay of any number of layers that changes none of them; a mount wants two (rule 23).
import { MemoryFs } from '../fs/index.ts'
import type { LayerSource } from './mount/places.ts'
import { OverlayFs, type OverlayFsOptions } from './overlay-fs.ts'

/** The layers, top-most first, as one read-only tree; without a layer it is empty. Errors: those of `OverlayFs`. */
export function readOnlyOverlay(
  layers: readonly LayerSource[],
  options: Pick<OverlayFsOptions, 'options' | 'trace'> = {},
): OverlayFs {
  const lower = layers.map(({ fs, path }) => ({ fs, path }))
  // An empty layer at the bottom adds nothing.
  while (lower.length < 2) lower.push({ fs: new MemoryFs(), path: '/' })
  return new OverlayFs({ ...options, lower })
}
