import { openCompressor, type WrittenBlob, type WrittenCompression } from '../../host/index.ts'
import type { BlockTarget } from '../types.ts'
import { createFile } from './files.ts'

/**
 * Writes a new file with the compressed form of what `fill` puts into a target. Errors: those of `fill` and of node:fs;
 * UNSUPPORTED without an encoder.
 */
export async function compressTo(
  path: string,
  compression: WrittenCompression,
  fill: (target: BlockTarget) => Promise<unknown>,
): Promise<WrittenBlob> {
  const file = createFile(path)
  const compressor = openCompressor(compression, { output: bytes => file.write(bytes) })
  let pending: Promise<void> = Promise.resolve()
  const buffer = Buffer.allocUnsafeSlow(256 << 10)
  try {
    await fill({
      async space() {
        await pending
        return buffer
      },
      commit(length) {
        pending = compressor.write(buffer.subarray(0, length))
        pending.catch(() => undefined) // whoever asks for space next is told, or the wait below
      },
    })
    await pending
    const written = await compressor.end()
    file.finish()
    return written
  } catch (error) {
    file.abandon()
    throw error
  } finally {
    await compressor.close()
  }
}
