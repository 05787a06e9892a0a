// Changes as the bytes of a layer, compressed or not, hashed on the way.
import { type Compressor, openCompressor, type WrittenBlob, type WrittenCompression } from '../../host/index.ts'
import type { Warn } from '../../errors/index.ts'
import {
  type Changeset,
  encodeLayer,
  type EncodeOptions,
  layerEntries,
  type LayerEntryOptions,
} from '../../layer/index.ts'
import { turnsOf } from '../changes/turns.ts'

/** How a layer is written. */
export type WriteLayerOptions = Omit<LayerEntryOptions, 'warn'> &
  EncodeOptions & {
    readonly compression: WrittenCompression
    /** Nobody wants to know the diff ID: it may be left out. */
    readonly withoutDigest?: boolean
    readonly warn: Warn
    readonly signal: AbortSignal
    /** Called now and then with the bytes of the archive so far. */
    readonly onBytes?: (uncompressedBytes: number) => void
  }

/** A layer that was written. */
export type WrittenLayer = WrittenBlob & { readonly entries: number }

const chunkBytes = 1 << 20

/**
 * Writes a changeset as a layer. Errors: those of `layerEntries` and `encodeLayer`, of `output`, UNSUPPORTED (zstd),
 * and the reason of the signal.
 */
export async function writeLayer(
  changeset: Changeset,
  options: WriteLayerOptions,
  output: (bytes: Uint8Array) => void | Promise<void>,
): Promise<WrittenLayer> {
  const entries = layerEntries(changeset, options)
  const encoder = encodeLayer(entries, options)
  const compressor = openCompressor(options.compression, { output })
  try {
    const blob = await pump(encoder, compressor, options)
    return { ...blob, entries: entries.length }
  } finally {
    encoder.close()
    await compressor.close()
  }
}

async function pump(
  encoder: ReturnType<typeof encodeLayer>,
  compressor: Compressor,
  { signal, onBytes }: WriteLayerOptions,
): Promise<WrittenBlob> {
  const chunk = Buffer.allocUnsafeSlow(chunkBytes)
  const turn = turnsOf(signal)
  let sent = 0
  for (;;) {
    const due = turn()
    if (due !== null) await due
    const length = encoder.read(chunk)
    if (length === 0) return compressor.end()
    await compressor.write(chunk.subarray(0, length))
    sent += length
    onBytes?.(sent)
  }
}
