// The writing thread of an unpack: takes uncompressed layers from the ring, hashes, parses, applies and writes them,
// all with synchronous calls, in a working directory and with a umask of its own.

import { createHash, type Hash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { OvlError, type Warning } from '../errors/index.ts'
import { diagnoseWriteError, loadSystem, onTask } from '../host/index.ts'
import { LayerApplier } from '../layer/index.ts'
import { TarReader } from '../tar/index.ts'
import { enterDirectory } from './enter-directory.ts'
import { nameLayer } from './name-layer.ts'
import { createNotKeptLog, type NotKeptLog } from './not-kept-log.ts'
import { RingConsumer, slotFlag } from './ring.ts'
import { RootfsSink } from './rootfs-sink.ts'
import { SpaceGuard } from './space-guard.ts'
import type { WriterMessage, WriterTask } from './writer-protocol.ts'

onTask<WriterTask>(task => {
  const ring = new RingConsumer(task.ring)
  const writer = new Writer(task, ring)
  try {
    if (writer.writeLayers()) send({ type: 'done', notKept: writer.notKept.all() })
  } catch (error) {
    if (!(error instanceof OvlError)) throw error // a bug: the main thread reports it with its stack
    writer.flushWarnings()
    send({ type: 'failed', error: error.toJSON() })
  } finally {
    ring.stop()
  }
})

class Writer {
  readonly notKept: NotKeptLog = createNotKeptLog()
  readonly #task: WriterTask
  readonly #ring: RingConsumer
  readonly #warnings: Warning[] = []

  constructor(task: WriterTask, ring: RingConsumer) {
    this.#task = task
    this.#ring = ring
  }

  /** False when the main thread said stop. */
  writeLayers(): boolean {
    const { rootfs, umask, ownership, shownAs, limits, flags, algorithms } = this.#task
    const system = loadSystem()
    const warn = (warning: Warning): void => void this.#warnings.push(warning)
    const sink = new RootfsSink({
      ...enterDirectory(system, { prefix: `${rootfs}/`, umask }),
      system,
      ownership,
      shownAs,
      warn,
      notKept: this.notKept,
    })
    const guard = new SpaceGuard(sink)
    const applier = new LayerApplier(guard, { limits, ...flags, warn })
    try {
      for (const [index, algorithm] of algorithms.entries()) {
        const number = index + 1
        try {
          if (!this.#writeLayer(applier, { number, algorithm })) return false
        } catch (error) {
          throw nameLayer(error, { number, count: algorithms.length })
        }
      }
      applier.finish()
      if (guard.full !== null)
        throw this.#diagnose(guard.full.error, { path: guard.full.path, missingBytes: guard.missingBytes })
      this.flushWarnings()
      return true
    } catch (error) {
      throw error instanceof OvlError ? error : this.#diagnose(error, { path: sink.openFile?.path ?? '' })
    } finally {
      sink.close()
    }
  }

  flushWarnings(): void {
    if (this.#warnings.length > 0) send({ type: 'warnings', warnings: this.#warnings.splice(0) })
  }

  #writeLayer(
    applier: LayerApplier,
    { number, algorithm }: { readonly number: number; readonly algorithm: string },
  ): boolean {
    const reader = new TarReader(applier.beginLayer(number), { paxBytes: this.#task.limits.paxBytes })
    let hash: Hash | null = null
    for (;;) {
      const slot = this.#ring.next()
      if (slot === null) return false
      const { bytes, length, flags } = slot
      if (flags & slotFlag.hash) {
        hash ??= createHash(algorithm)
        hash.update(bytes.subarray(0, length))
      }
      reader.push(bytes, 0, length)
      this.#ring.release()
      if (flags & slotFlag.endOfLayer) break
    }
    reader.finish()
    const counts = applier.endLayer()
    this.flushWarnings()
    send({ type: 'layer', number, counts, hash: hash?.digest('hex') ?? null })
    return true
  }

  #diagnose(
    error: unknown,
    { path, missingBytes }: { readonly path: string; readonly missingBytes?: number },
  ): unknown {
    const { shownAs, rootfs } = this.#task
    return diagnoseWriteError(error, {
      object: path === '' ? shownAs : `${shownAs}/${path}`,
      path: rootfs,
      ...(missingBytes === undefined ? {} : { neededBytes: missingBytes }),
    })
  }
}

function send(message: WriterMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
