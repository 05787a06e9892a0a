// What the two threads of an unpack say to each other beside the ring.

import type { Limits, OvlErrorJson, Warning } from '../errors/index.ts'
import type { NotKept } from '../bundle/index.ts'
import type { LayerCounts } from '../layer/index.ts'
import type { DigestAlgorithm } from '../oci/index.ts'
import type { Ownership } from './ownership.ts'

/** The flags of the applier that a user can set. */
export type ApplyFlags = { readonly keepDirlinks: boolean; readonly strict: boolean; readonly skipUnknown: boolean }

/** All that the writing thread needs to know. */
export type WriterTask = {
  readonly ring: SharedArrayBuffer
  /** Absolute path of the directory to fill; it exists and is empty. */
  readonly rootfs: string
  /** How messages call that directory. */
  readonly shownAs: string
  /** The process's umask, for a thread that cannot have one of its own. */
  readonly umask: number
  /** One for each layer, base first: the algorithm of its diff ID. */
  readonly algorithms: readonly DigestAlgorithm[]
  readonly ownership: Ownership
  readonly flags: ApplyFlags
  readonly limits: Limits
}

/** What the writing thread says. */
export type WriterMessage =
  | {
      readonly type: 'layer'
      readonly number: number
      readonly counts: LayerCounts /** Hex, when the writer hashed it. */
      readonly hash: string | null
    }
  | { readonly type: 'warnings'; readonly warnings: readonly Warning[] }
  | { readonly type: 'done'; readonly notKept: NotKept }
  | { readonly type: 'failed'; readonly error: OvlErrorJson }
