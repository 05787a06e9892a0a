// The main thread's handle on one thread that writes layers: every request gets an answer, also when the thread ends
// unexpectedly, so that nobody waits for a dead one.

import { OvlError, type Warning } from '../errors/index.ts'
import { prepareThreads, startThread } from '../host/index.ts'
import type { FromThread, LayerAnswers, LayerRequest, LayersTask, ToThread } from './layer-protocol.ts'

/** A running thread. */
export type LayerThread = {
  /** Asks for something; requests are carried out one after the other. Errors: RequestFailed. */
  ask<R extends LayerRequest>(request: R): Promise<LayerAnswers[R['kind']]>
  /** Ends the thread as soon as it can, and waits until it is gone: nothing writes any more then. */
  stop(): Promise<void>
}

/** What a thread answered in place of what was asked for. */
export class RequestFailed extends Error {
  override readonly name = 'RequestFailed'
  override readonly cause: Error
  /** What the request had to say before it failed. */
  readonly warnings: readonly Warning[]

  constructor(cause: Error, warnings: readonly Warning[]) {
    super(cause.message)
    this.cause = cause
    this.warnings = warnings
  }
}

type Waiting = { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }

/** Starts so many threads of the next `startLayerThread` calls already now (see `prepareThreads`). */
export function prepareLayerThreads(count: number): void {
  prepareThreads(script(), count)
}

/** Starts a thread; `onReading` hears how far its layers are read. */
export function startLayerThread(
  task: LayersTask,
  onReading: (number: number, uncompressedBytes: number) => void,
): LayerThread {
  const worker = startThread(script(), task)
  const waiting = new Map<number, Waiting>()
  let ended: Error | null = null
  const end = (error: Error): void => {
    ended ??= error
    for (const { reject } of waiting.values()) reject(new RequestFailed(ended, []))
    waiting.clear()
  }
  const exited = new Promise<void>(resolve => void worker.once('exit', () => resolve()))
  worker.on('error', end)
  worker.on('exit', () => end(new Error('a thread that writes layers ended without an answer')))
  worker.on('message', (message: FromThread) => {
    if (message.type === 'reading') return onReading(message.number, message.uncompressedBytes)
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.type === 'answer') asked?.resolve(message.answer as never)
    else asked?.reject(new RequestFailed(OvlError.fromJSON(message.error), message.warnings))
  })
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const post = (message: ToThread): void => worker.postMessage(message)
  let nextID = 0
  return {
    ask: request =>
      new Promise((resolve, reject) => {
        if (ended !== null) return reject(new RequestFailed(ended, []))
        const id = nextID++
        waiting.set(id, { resolve, reject })
        post({ id, request })
      }),
    async stop() {
      post('stop')
      await exited
    },
  }
}

function script(): URL {
  return new URL('./layer-thread.js', import.meta.url)
}
