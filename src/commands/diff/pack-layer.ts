// An uncompressed layer written by several threads: this one finds files, makes headers and reads small files, another
// puts the large ones in between and writes, or, where the archive is hashed, leaves writing and hashing to two more.
// Half the time of one thread alone, which is as much as there is to win (docs/benchmarks.md).
import { type HostView, startPackThreads } from '../../host/index.ts'
import { type EncodeOptions, LayerPlanner, type WrittenEntry } from '../../layer/index.ts'
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
    const turn = turnsOf(signal)
    const planner = new LayerPlanner(options, threads)
    for (const entry of entries) {
      if (!planner.add(entry)) continue
      const due = threads.ready() ?? turn()
      if (due !== null) await due
      if (threads.isStopped) break
    }
    const count = planner.end()
    const { digest, bytes } = await threads.finish()
    signal.throwIfAborted() // threads that were stopped say that they are done
    const hash = digest === null ? null : (`sha256:${digest}` as const)
    signal.removeEventListener('abort', stop) // the threads end by themselves
    return { diffID: hash, digest: hash, uncompressedBytes: bytes, sizeBytes: bytes, entries: count }
  } catch (error) {
    signal.removeEventListener('abort', stop)
    await threads.stop()
    signal.throwIfAborted() // threads that were stopped have nothing else to say
    throw error
  }
}
