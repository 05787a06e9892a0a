// The main thread's handle on the writing thread: starts it, collects what it says, and turns any end of it, also an
// unexpected one, into an answer, so that neither thread ever waits for a dead one.

import { OvlError, unreachable, type Warn } from '../errors/index.ts'
import type { NotKept } from '../bundle/index.ts'
import { prepareThreads, startThread } from '../host/index.ts'
import type { LayerCounts } from '../layer/index.ts'
import { createRing, RingProducer } from './ring.ts'
import type { WriterMessage, WriterTask } from './writer-protocol.ts'

/** What the writing side knows of a layer. */
export type WrittenLayer = { readonly number: number; readonly counts: LayerCounts; readonly hash: string | null }

/** A running writing thread. */
export type Writer = {
  readonly ring: RingProducer
  /** Resolves when all layers are written; rejects with what went wrong on the writer's side. */
  readonly finished: Promise<NotKept>
  /** Stops the thread and waits until it is gone, so that nothing writes any more. */
  stop(): Promise<void>
}

/** What is told while it runs. */
export type WriterEvents = { readonly warn: Warn; readonly onLayer: (layer: WrittenLayer) => void }

/** Starts the thread of the next `startWriter` already now (see `prepareThreads`). */
export function prepareWriter(): void {
  prepareThreads(script())
}

/** Starts the writing thread with a fresh ring. */
export function startWriter(task: Omit<WriterTask, 'ring'>, { warn, onLayer }: WriterEvents): Writer {
  const shared = createRing()
  const ring = new RingProducer(shared)
  const worker = startThread(script(), { ...task, ring: shared } satisfies WriterTask)
  const exited = new Promise<void>(resolve => void worker.once('exit', () => resolve()))
  const finished = new Promise<NotKept>((resolve, reject) => {
    const fail = (error: Error): void => {
      ring.stop()
      reject(error)
    }
    const attempt = (call: () => void): void => {
      try {
        call()
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)))
      }
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('the writing thread ended without an answer')))
    worker.on('message', (message: WriterMessage) => {
      switch (message.type) {
        case 'layer':
          return attempt(() => onLayer(message))
        case 'warnings':
          return message.warnings.forEach(warning => warn(warning))
        case 'done':
          return resolve(message.notKept)
        case 'failed':
          return fail(OvlError.fromJSON(message.error))
        default:
          return unreachable(message)
      }
    })
  })
  finished.catch(() => {}) // whoever feeds the ring awaits it later; until then it is no unhandled rejection
  return {
    ring,
    finished,
    async stop() {
      ring.stop()
      await exited
    },
  }
}

function script(): URL {
  return new URL('./writer-thread.js', import.meta.url)
}
