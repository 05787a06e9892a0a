// Checks all that an image promises about its bytes, without stopping at the first fault. Index, manifest and config
// were verified when the image was opened.

import { OvlError } from '../errors/index.ts'
import { checkSize, type LayerStream, measureLayer } from './stream-layer.ts'
import type { BlockTarget, Image, Layer, StreamOptions } from './types.ts'

/** The verdict on one layer. */
export type LayerCheck = {
  readonly layer: Layer
  readonly ok: boolean
  /** What was found; null when the blob could not be read to its end. */
  readonly stream: LayerStream | null
  /** True and false as verified; null when the image does not say what it should be, or it could not be computed. */
  readonly digestOk: boolean | null
  readonly diffIDOk: boolean | null
  /** All faults, the most telling first. */
  readonly faults: readonly OvlError[]
}

/** The verdict on an image: ok when every layer is. */
export type ImageCheck = { readonly ok: boolean; readonly layers: readonly LayerCheck[] }

/**
 * Reads every layer and compares size, digest and diff ID. `onLayer` sees each verdict as it is made; `target` may
 * be given to look at the uncompressed bytes on the way. Errors: INTERRUPTED, LIMIT_EXCEEDED is a fault of its layer.
 */
export async function verifyImage(
  image: Image,
  options: StreamOptions & {
    readonly onLayer?: (check: LayerCheck) => void
    readonly target?: (layer: Layer) => BlockTarget
  } = {},
): Promise<ImageCheck> {
  const scratch = new Uint8Array(256 << 10)
  const discard: BlockTarget = { space: () => scratch, commit() {} }
  const layers: LayerCheck[] = []
  for (const layer of image.layers) {
    const check = await verifyLayer(layer, options.target?.(layer) ?? discard, { verb: 'verify', ...options })
    layers.push(check)
    options.onLayer?.(check)
  }
  return { ok: layers.every(({ ok }) => ok), layers }
}

async function verifyLayer(layer: Layer, target: BlockTarget, options: StreamOptions): Promise<LayerCheck> {
  const sizeFault = checkSize(layer, options)
  const before = sizeFault === null ? [] : [sizeFault]
  try {
    const { stream, faults } = await measureLayer(layer, target, options)
    const all = [...before, ...faults]
    const { descriptor, diffID } = layer
    return {
      layer,
      ok: all.length === 0,
      stream,
      digestOk: descriptor === null ? null : descriptor.digest === stream.digest,
      diffIDOk: diffID === null || stream.diffID === null ? null : diffID === stream.diffID,
      faults: all,
    }
  } catch (error) {
    if (!(error instanceof OvlError) || error.code === 'INTERRUPTED') throw error
    return { layer, ok: false, stream: null, digestOk: null, diffIDOk: null, faults: [...before, error] }
  }
}
