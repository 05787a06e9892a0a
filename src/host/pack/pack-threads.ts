// The main thread's handle on the threads that pack a layer.
import type { Worker } from 'node:worker_threads'
import { FsError, unreachable } from '../../errors/index.ts'
import { changedWhileRead, readFailure } from '../../layer/index.ts'
import { prepareThreads, startThread } from '../thread.ts'
import type { FromPackThread, PackBatch, PackFailure, PackTask, ToReadThread } from './pack-protocol.ts'
import { createPackMemory, PackRing } from './pack-ring.ts'

/** An archive that was written. */
export type PackedArchive = {
  /** sha256, hexadecimal; null when it was not wanted. */
  readonly digest: string | null
  readonly bytes: number
}

/** What is packed; both descriptors must stay open until `finish` is kept or the threads are stopped. */
export type PackOrder = { readonly rootFd: number; readonly outFd: number; readonly isHashed: boolean }

/** Threads that write one archive. */
export type PackThreads = {
  /** Memory for the next batch, until that is sent; free when `ready` was asked after the batch before. */
  room(): Uint8Array
  /** Sends a batch that is in the last `room`, or in memory of its own, which is given away. */
  send(batch: PackBatch): void
  /** Kept when the threads are not too far behind for three batches more, and when they have failed; null: it is so. */
  ready(): Promise<void> | null
  /** They have failed, and `finish` tells why. */
  readonly isStopped: boolean
  /**
   * Kept when all is written and hashed; the threads end by themselves. Errors: READ_FAILED, NEEDS_PRIVILEGE, those of
   * writing.
   */
  finish(): Promise<PackedArchive>
  /** Ends the threads, after an error; idempotent. */
  stop(): Promise<void>
}

/** Starts the threads of the next `startPackThreads` already now (see `prepareThreads`). */
export function preparePackThreads({ isHashed }: Pick<PackOrder, 'isHashed'>): void {
  prepareThreads(script('read'))
  if (!isHashed) return
  prepareThreads(script('write'))
  prepareThreads(script('hash'))
}

/** Starts the threads. */
export function startPackThreads({ isHashed, ...fds }: PackOrder): PackThreads {
  const takers = isHashed ? 2 : 0
  const memory = createPackMemory(takers)
  const ring = new PackRing(memory, takers)
  const task: PackTask = { ...fds, memory, takers }
  const reader = startThread(script('read'), task)
  const [writer, hasher] = isHashed
    ? [startThread(script('write'), task), startThread(script('hash'), task)]
    : [null, null]
  const packed = answerOf<number>(reader, ring)
  const written = writer === null ? null : answerOf<null>(writer, ring)
  const hashed = hasher === null ? null : answerOf<string>(hasher, ring)
  let sent = 0
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  const post = (message: ToReadThread, transfer: ArrayBuffer[]): void => reader.postMessage(message, transfer)
  return {
    room: () => ring.batchRoom(sent),
    send(batch) {
      const { buffer } = batch.bytes
      sent++
      post(batch, buffer instanceof ArrayBuffer ? [buffer] : [])
    },
    ready: () => ring.whenFree(sent + 2),
    get isStopped() {
      return ring.isStopped
    },
    async finish() {
      post(null, [])
      // Rejects with the first failure: it stops the others, which may then have nothing to say.
      const [bytes, , digest] = await Promise.all([packed, written, hashed])
      return { digest, bytes }
    },
    async stop() {
      ring.stop()
      await Promise.all([reader, writer, hasher].filter(thread => thread !== null).map(thread => thread.terminate()))
    },
  }
}

function script(name: 'read' | 'write' | 'hash'): URL {
  return new URL(`./${name}-thread.js`, import.meta.url)
}

/** The error as it would be on this thread; a failed write as of node:fs. */
function errorOf(failure: PackFailure): unknown {
  switch (failure.what) {
    case 'read':
      return readFailure(new FsError(failure.errno, 'read'), failure.path)
    case 'write':
      return Object.assign(new Error(failure.message), { code: failure.errno, syscall: 'write' })
    case 'shrank':
      return changedWhileRead(failure.path)
    default:
      return unreachable(failure)
  }
}

/** What a thread has done. Errors: those that it met. */
function answerOf<Done>(worker: Worker, ring: PackRing): Promise<Done> {
  const answer = new Promise<Done>((resolve, reject) => {
    worker.on('message', (message: FromPackThread<Done>) => {
      if (message.type === 'done') resolve(message.done)
      else reject(errorOf(message.failure))
    })
    worker.on('error', reject)
    worker.on('exit', () => reject(new Error('a thread that packs ended without an answer')))
  })
  answer.catch(() => ring.stop()) // told by `finish`
  return answer
}
