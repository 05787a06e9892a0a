// One number for what was changed, so that ovl.json can tell later which of two directories was changed since.
import { createHash } from 'node:crypto'
import { isCode } from '../../errors/index.ts'
import { type Changeset, encodeLayer, layerEntries } from '../../layer/index.ts'
import type { Digest } from '../../oci/index.ts'

/**
 * The diff ID of the changes as a layer; null for changes that no layer can say. Reads all contents.
 *
 * Errors: those of reading.
 */
export function digestOfChanges(changeset: Changeset): Digest | null {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafeSlow(1 << 20)
  try {
    const encoder = encodeLayer(layerEntries(changeset, { reservedNames: 'keep', warn: () => {} }))
    try {
      for (let length = encoder.read(chunk); length > 0; length = encoder.read(chunk))
        hash.update(chunk.subarray(0, length))
    } finally {
      encoder.close()
    }
  } catch (error) {
    if (isCode(error, 'BAD_ENTRY')) return null
    throw error
  }
  return `sha256:${hash.digest('hex')}`
}
