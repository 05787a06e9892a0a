// Threads that deflate: as many as there are cores, each started when there is work for it.
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { DeflateJob } from './deflate-block.ts'

type Waiting = { readonly resolve: (bytes: Uint8Array) => void; readonly reject: (error: Error) => void }
type Thread = { readonly worker: Worker; readonly waiting: Waiting[] }

/** Blocks that a thread has at hand: one in work, one to go on with. */
const queueLength = 2

/** A pool of threads. */
export class DeflateThreads {
  readonly #most: number
  readonly #threads: Thread[] = []
  readonly #pausing: (() => void)[] = []

  constructor(most: number = availableParallelism()) {
    this.#most = most
  }

  /** No thread was started yet. */
  get isIdle(): boolean {
    return this.#threads.length === 0
  }

  /** Kept when a block can be given without too many waiting. */
  async untilFree(): Promise<void> {
    while (this.#threads.length === this.#most && this.#threads.every(({ waiting }) => waiting.length >= queueLength)) {
      await new Promise<void>(resolve => void this.#pausing.push(resolve))
    }
  }

  /** Deflates a block, whose memory is given away. */
  deflate(job: DeflateJob): Promise<Uint8Array> {
    const { worker, waiting } = this.#choose()
    return new Promise((resolve, reject) => {
      waiting.push({ resolve, reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      worker.postMessage(job, [job.bytes.buffer as ArrayBuffer])
    })
  }

  async stop(): Promise<void> {
    const threads = this.#threads.splice(0)
    await Promise.all(threads.map(({ worker }) => worker.terminate()))
  }

  #choose(): Thread {
    const least = this.#threads.toSorted((a, b) => a.waiting.length - b.waiting.length)[0]
    if (least !== undefined && (least.waiting.length === 0 || this.#threads.length === this.#most)) return least
    const worker = new Worker(new URL('./deflate-thread.js', import.meta.url))
    const thread: Thread = { worker, waiting: [] }
    worker.on('message', (bytes: Uint8Array) => {
      thread.waiting.shift()?.resolve(bytes)
      for (const go of this.#pausing.splice(0)) go()
    })
    const fail = (error: Error): void => {
      for (const { reject } of thread.waiting.splice(0)) reject(error)
      for (const go of this.#pausing.splice(0)) go()
    }
    worker.on('error', fail)
    worker.on('exit', () => fail(new Error('a thread that compresses ended before its work')))
    this.#threads.push(thread)
    return thread
  }
}
