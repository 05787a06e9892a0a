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
import { createNotKeptLog } from './not-kept-log.ts'
import { RingConsumer, slotFlag } from './ring.ts'
import { RootfsSink } from './rootfs-sink.ts'
import { SpaceGuard } from './space-guard.ts'
import type { WriterMessage, WriterTask } from './writer-protocol.ts'

const task = await new Promise<WriterTask>(onTask)
const ring = new RingConsumer(task.ring)
const notKept = createNotKeptLog()
const warnings: Warning[] = []

try {
  if (writeLayers()) send({ type: 'done', notKept: notKept.all() })
} catch (error) {
  if (!(error instanceof OvlError)) throw error // a bug: the main thread reports it with its stack
  flushWarnings()
  send({ type: 'failed', error: error.toJSON() })
} finally {
  ring.stop()
}

/** False when the main thread said stop. */
function writeLayers(): boolean {
  const system = loadSystem()
  const sink = new RootfsSink({
    ...enterDirectory(system, { prefix: `${task.rootfs}/`, umask: task.umask }),
    system,
    ownership: task.ownership,
    shownAs: task.shownAs,
    warn: warning => void warnings.push(warning),
    notKept,
  })
  const guard = new SpaceGuard(sink)
  const applier = new LayerApplier(guard, {
    limits: task.limits,
    ...task.flags,
    warn: warning => void warnings.push(warning),
  })
  try {
    for (const [index, algorithm] of task.algorithms.entries()) {
      const number = index + 1
      try {
        if (!writeLayer(applier, { number, algorithm })) return false
      } catch (error) {
        throw nameLayer(error, { number, count: task.algorithms.length })
      }
    }
    applier.finish()
    if (guard.full !== null)
      throw diagnose(guard.full.error, { path: guard.full.path, missingBytes: guard.missingBytes })
    flushWarnings()
    return true
  } catch (error) {
    throw error instanceof OvlError ? error : diagnose(error, { path: sink.openFile?.path ?? '' })
  } finally {
    sink.close()
  }
}

function writeLayer(
  applier: LayerApplier,
  { number, algorithm }: { readonly number: number; readonly algorithm: string },
): boolean {
  const reader = new TarReader(applier.beginLayer(number), { paxBytes: task.limits.paxBytes })
  let hash: Hash | null = null
  for (;;) {
    const slot = ring.next()
    if (slot === null) return false
    const { bytes, length, flags } = slot
    if (flags & slotFlag.hash) {
      hash ??= createHash(algorithm)
      hash.update(bytes.subarray(0, length))
    }
    reader.push(bytes, 0, length)
    ring.release()
    if (flags & slotFlag.endOfLayer) break
  }
  reader.finish()
  const counts = applier.endLayer()
  flushWarnings()
  send({ type: 'layer', number, counts, hash: hash?.digest('hex') ?? null })
  return true
}

function diagnose(
  error: unknown,
  { path, missingBytes }: { readonly path: string; readonly missingBytes?: number },
): unknown {
  return diagnoseWriteError(error, {
    object: path === '' ? task.shownAs : `${task.shownAs}/${path}`,
    path: task.rootfs,
    ...(missingBytes === undefined ? {} : { neededBytes: missingBytes }),
  })
}

function flushWarnings(): void {
  if (warnings.length > 0) send({ type: 'warnings', warnings: warnings.splice(0) })
}

function send(message: WriterMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
