// What the main thread and the threads that write layers say to each other: a request, and an answer to it.

import type { NotKept } from '../bundle/index.ts'
import type { Limits, OvlErrorJson, Warning } from '../errors/index.ts'
import type { LayerStream, PortableLayer } from '../image/index.ts'
import type { EncodedTree, LayerAlone, LayerCounts, LayerPatch } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'
import type { OverlayForm } from './overlay-form.ts'
import type { Ownership } from './ownership.ts'
import type { ApplyFlags } from './writer-protocol.ts'

/** What holds for all layers of a bundle. */
export type LayersTask = {
  /** Absolute path of the directory that gets `lower/1` and so on. */
  readonly workspace: string
  /** How messages call that directory. */
  readonly shownAs: string
  /** The process's umask, for a thread that cannot have one of its own. */
  readonly umask: number
  readonly form: OverlayForm
  readonly ownership: Ownership
  readonly flags: ApplyFlags
  readonly limits: Limits
  /** One word that is not 0 once all threads shall stop, for those that are too busy for messages. */
  readonly stopFlag: Int32Array<SharedArrayBuffer>
}

/** What a thread is asked to do. */
export type LayerRequest =
  /** Write a layer's own entries; `below` is the merged tree of the layers below, where that is needed and known. */
  | { readonly kind: 'write'; readonly layer: PortableLayer; readonly below: EncodedTree | null }
  /** Mark what the layer hides and give its directories their attributes; asked of the thread that wrote it. */
  | { readonly kind: 'finish'; readonly number: number; readonly patches: readonly LayerPatch[] }
  /** Copy files of the merged tree. */
  | { readonly kind: 'copy'; readonly files: readonly MergedFile[] }
  /** Copy files that have several names in the merged tree. */
  | { readonly kind: 'link'; readonly groups: readonly LinkGroup[] }

/** A file of the merged tree and the layer that has it. */
export type MergedFile = { readonly path: LayerPath; readonly layer: number }

/** All names of one inode of a layer that are in the merged tree. */
export type LinkGroup = { readonly layer: number; readonly paths: readonly LayerPath[] }

/** The answer to `write`; null: the layer depends on those below, and nothing of it is left. */
export type LayerWritten = {
  readonly stream: LayerStream
  readonly counts: LayerCounts
  readonly alone: Omit<LayerAlone, 'root'> & { readonly root: EncodedTree }
  readonly warnings: readonly Warning[]
  /** The disk is full: what did not fit, and how many bytes more the layer would take. */
  readonly full: SpaceMissing | null
}

/** A full disk. */
export type SpaceMissing = { readonly path: LayerPath; readonly missingBytes: number; readonly error: PlainSystemError }

/** What a failed system call says; an Error would lose it between threads. */
export type PlainSystemError = { readonly message: string; readonly code?: string; readonly syscall?: string }

/** The words of an error. */
export function plainSystemError(error: Error): PlainSystemError {
  const { message, code, syscall } = error as NodeJS.ErrnoException
  return { message, ...(code === undefined ? {} : { code }), ...(syscall === undefined ? {} : { syscall }) }
}

/** The answer to `finish`. */
export type LayerFinished = { readonly notKept: NotKept; readonly warnings: readonly Warning[] }

/** The answer to `copy` and `link`. */
export type FilesCopied = {
  /** Files with several names, which were left out: "layer:inode" and the name found. */
  readonly linked: readonly (MergedFile & { readonly inode: string })[]
  /** Content of the regular files that were copied. */
  readonly bytes: number
  readonly full: SpaceMissing | null
}

/** The answers by the kind of request. */
export type LayerAnswers = {
  readonly write: LayerWritten | null
  readonly finish: LayerFinished
  readonly copy: FilesCopied
  readonly link: FilesCopied
}

/** What is sent to a thread; `stop` ends it as soon as it can. */
export type ToThread = { readonly id: number; readonly request: LayerRequest } | 'stop'

/** What a thread sends. */
export type FromThread =
  | { readonly type: 'answer'; readonly id: number; readonly answer: LayerAnswers[keyof LayerAnswers] }
  | {
      readonly type: 'failed'
      readonly id: number
      readonly error: OvlErrorJson
      readonly warnings: readonly Warning[]
    }
  | { readonly type: 'reading'; readonly number: number; readonly uncompressedBytes: number }
