// The main thread's handle on the writing thread: starts it, collects what it says, and turns any end of it, also an
// unexpected one, into an answer, so that neither thread ever waits for a dead one.

import { Worker } from 'node:worker_threads'
import { OvlError, unreachable, type Warn } from '../errors/index.ts'
import type { NotKept } from '../bundle/index.ts'
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

/** A thread that loads its code and then waits for its task. */
type IdleWriter = {
  readonly worker: Worker /** Resolves when it is gone, with the reason. */
  readonly ended: Promise<Error>
}

let prepared: IdleWriter | null = null

/**
 * Starts the thread of the next `startWriter` already now, so that it loads its code while the image is being opened
 * (a thread needs about as long for that as half of Node's own start). Does not keep the process alive.
 */
export function prepareWriter(): void {
  if (prepared !== null) return
  prepared = spawnWriter()
  prepared.worker.unref()
}

/** Gives the writing thread a fresh ring and its task. */
export function startWriter(task: Omit<WriterTask, 'ring'>, { warn, onLayer }: WriterEvents): Writer {
  const shared = createRing()
  const ring = new RingProducer(shared)
  const { worker, ended } = prepared ?? spawnWriter()
  prepared = null
  worker.ref()
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
    void ended.then(fail)
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
  const all: WriterTask = { ...task, ring: shared }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  worker.postMessage(all)
  return {
    ring,
    finished,
    async stop() {
      ring.stop()
      await ended
    },
  }
}

function spawnWriter(): IdleWriter {
  const worker = new Worker(new URL('./writer-thread.js', import.meta.url))
  let failure = new Error('the writing thread ended without an answer')
  worker.once('error', error => void (failure = error))
  const ended = new Promise<Error>(resolve => void worker.once('exit', () => resolve(failure)))
  return { worker, ended }
}
