// An uncompressed layer written by several threads: this one finds files and makes headers, another puts the files in
// between and writes, or, where the archive is hashed, leaves writing and hashing to two more. Half the time of one thread
// alone, which is as much as there is to win (docs/benchmarks.md).
import { type HostView, startPackThreads } from '../../host/index.ts'
import { type EncodeOptions, planLayer, type WrittenEntry } from '../../layer/index.ts'
import type { Digest } from '../../oci/index.ts'
import { turnsOf } from '../changes/turns.ts'
import type { WrittenLayer } from './write-layer.ts'

/** A layer that was written; digests are null where nobody wanted them. */
export type PackedLayer = Omit<WrittenLayer, 'diffID' | 'digest'> & {
  readonly diffID: Digest | null
  readonly digest: Digest | null
}

/** Where contents are read from, and where the archive goes. */
export type PackOptions = EncodeOptions & {
  /** All contents are of this tree, each at the path of its entry. */
  readonly view: HostView
  readonly outFd: number
  /** The diff ID is wanted. */
  readonly isHashed: boolean
  readonly signal: AbortSignal
}

/**
 * Writes entries as they come. Errors: those of `entries` and of the threads (READ_FAILED, NEEDS_PRIVILEGE, NO_SPACE,
 * WRITE_FAILED), the reason of the signal.
 */
export async function packLayer(entries: Iterable<WrittenEntry>, options: PackOptions): Promise<PackedLayer> {
  const { view, outFd, isHashed, signal } = options
  const threads = startPackThreads({ rootFd: view.rootFd, outFd, isHashed })
  const stop = (): void => void threads.stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    let count = 0
    const turn = turnsOf(signal)
    for (const batch of planLayer(entries, options)) {
      const due = turn()
      if (due !== null) await due // sending waits for the threads, and hears nothing meanwhile
      count += batch.entries
      if (!threads.send(batch)) break
    }
    const { digest, bytes } = await threads.finish()
    const hash = digest === null ? null : (`sha256:${digest}` as const)
    return { diffID: hash, digest: hash, uncompressedBytes: bytes, sizeBytes: bytes, entries: count }
  } catch (error) {
    signal.throwIfAborted() // threads that were stopped have nothing else to say
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
    await threads.stop()
  }
}
