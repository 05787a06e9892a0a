// The threads that write layers, as one: a request goes to whoever is free, or, to finish a layer, to who wrote it.

import { loadSystem } from '../host/index.ts'
import { type Layer, portableLayer } from '../image/index.ts'
import type { EncodedTree, LayerPatch } from '../layer/index.ts'
import type { LayerAnswers, LayerFinished, LayerRequest, LayersTask, LayerWritten } from './layer-protocol.ts'
import { type LayerThread, RequestFailed, startLayerThread } from './layer-threads.ts'
import { LayerWriter } from './layer-writer.ts'

/** How many threads, and who hears how far layers are read. */
export type PoolOptions = {
  readonly threads: number
  readonly onReading: (number: number, uncompressedBytes: number) => void
}

type Job = { readonly run: (thread: LayerThread) => Promise<void>; readonly cancel: () => void }

/** Threads that write the layers of one bundle. */
export class LayerPool {
  readonly threads: number
  readonly #task: LayersTask
  readonly #options: PoolOptions
  readonly #all: readonly LayerThread[]
  readonly #idle: LayerThread[]
  readonly #queue: Job[] = []
  readonly #owners: Map<number, LayerThread> = new Map()
  readonly #stopping = new AbortController()
  /** For layers that no other thread can read. */
  #here: LayerWriter | null = null

  constructor(task: LayersTask, options: PoolOptions) {
    this.threads = options.threads
    this.#task = task
    this.#options = options
    this.#all = Array.from({ length: options.threads }, () => startLayerThread(task, options.onReading))
    this.#idle = [...this.#all]
  }

  /**
   * Writes a layer's own entries; null when it cannot be written without the tree below. A layer with that tree goes
   * first: others wait for it. Errors: RequestFailed; those of `LayerWriter` for a layer that only this thread can read.
   */
  write(layer: Layer, below: EncodedTree | null): Promise<LayerWritten | null> {
    const portable = portableLayer(layer)
    if (portable === null) return this.#writeHere().write(layer, below)
    const write = async (thread: LayerThread): Promise<LayerWritten | null> => {
      this.#owners.set(layer.number, thread)
      return await thread.ask({ kind: 'write', layer: portable, below })
    }
    return this.#run(write, { first: below !== null })
  }

  /** Finishes a layer that was written. */
  async finish(number: number, patches: readonly LayerPatch[]): Promise<LayerFinished> {
    const owner = this.#owners.get(number)
    return owner === undefined
      ? this.#writeHere().finish(number, patches)
      : await owner.ask({ kind: 'finish', number, patches })
  }

  /** Asks any thread. Errors: RequestFailed. */
  ask<R extends Extract<LayerRequest, { kind: 'copy' | 'link' }>>(request: R): Promise<LayerAnswers[R['kind']]> {
    return this.#run(thread => thread.ask(request), { first: false })
  }

  /** Stops all threads; nothing writes any more when it resolves. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    Atomics.store(this.#task.stopFlag, 0, 1)
    for (const { cancel } of this.#queue.splice(0)) cancel()
    await Promise.all(this.#all.map(thread => thread.stop()))
    this.#here?.close()
  }

  #run<T>(work: (thread: LayerThread) => Promise<T>, { first }: { readonly first: boolean }): Promise<T> {
    return new Promise((resolve, reject) => {
      const job: Job = {
        run: thread => work(thread).then(resolve, reject),
        cancel: () => reject(new RequestFailed(new Error('the threads that write layers were stopped'), [])),
      }
      if (first) this.#queue.unshift(job)
      else this.#queue.push(job)
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#stopping.signal.aborted) for (const { cancel } of this.#queue.splice(0)) cancel()
    while (this.#queue.length > 0 && this.#idle.length > 0) {
      const thread = this.#idle.pop()
      const job = this.#queue.shift()
      if (thread === undefined || job === undefined) return
      void job.run(thread).finally(() => {
        this.#idle.push(thread)
        this.#pump()
      })
    }
  }

  #writeHere(): LayerWriter {
    const system = loadSystem()
    if (system === null) throw new Error('writing layers needs system calls')
    this.#here ??= new LayerWriter({
      task: this.#task,
      system,
      prefix: `${this.#task.workspace}/`,
      umask: this.#task.umask,
      signal: this.#stopping.signal,
      onReading: this.#options.onReading,
    })
    return this.#here
  }
}
