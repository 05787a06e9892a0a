// Messages between the main thread and those that pack a layer.
import type { Errno } from '../../errors/index.ts'

/** What every thread is started with. */
export type PackTask = {
  readonly memory: SharedArrayBuffer
  /** Threads that take what the reading one fills; with none, it writes the file itself. */
  readonly takers: number
  /** Descriptors of the whole process: the directory that files are read from, and the file that is written. */
  readonly rootFd: number
  readonly outFd: number
}

/** Bytes of the archive, and the files whose contents come in between. */
export type PackBatch = {
  readonly bytes: Uint8Array
  /** For each file: the offset in `bytes` that its content comes at, its path below the directory, its size. */
  readonly files: readonly (number | string)[]
}

/** To the thread that reads: a batch, or null at the end. */
export type ToReadThread = PackBatch | null

/** Why a thread ended, for the main thread to put into words: threads start sooner the less they load. */
export type PackFailure =
  | { readonly what: 'read'; readonly errno: Errno; readonly path: string }
  | { readonly what: 'shrank'; readonly path: string }
  | { readonly what: 'write'; readonly errno: string; readonly message: string }

/** The one message of each thread: what it has done, or why not. */
export type FromPackThread<Done> =
  | { readonly type: 'done'; readonly done: Done }
  | { readonly type: 'failed'; readonly failure: PackFailure }
