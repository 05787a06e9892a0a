// What an overlay did and why: one event for every decision, for traces, `ovl explain` and lessons. Events are made
// only when somebody listens.
import type { Errno } from '../errors/index.ts'
import type { FileType } from '../fs/index.ts'

/** What a lookup found in one layer. */
export type LayerAnswer =
  | 'missing'
  | 'whiteout'
  | 'xattr-whiteout'
  | 'file'
  | 'metacopy'
  | 'directory'
  | 'opaque-directory'
  | 'ignored'

/** How a rename is done in the upper layer (rule 131). */
export type RenameStrategy = 'plain' | 'leave-whiteout' | 'exchange-whiteout' | 'exchange' | 'exchange-and-clean'

/** Paths are those of the overlay; `layer` is an index, 0 the upper one. `rule` is the number of the rule that decided. */
export type OverlayEvent =
  | {
      readonly kind: 'lookup'
      readonly path: string
      readonly layer: number
      readonly answer: LayerAnswer
      readonly redirect?: string
      readonly rule: number
    }
  | {
      readonly kind: 'copy-up'
      readonly path: string
      readonly type: FileType
      readonly layer: number
      readonly reason: string
      readonly dataBytes: number
      readonly metacopy: boolean
      readonly rule: number
    }
  | { readonly kind: 'copy-up-data'; readonly path: string; readonly dataBytes: number; readonly rule: number }
  | { readonly kind: 'whiteout'; readonly path: string; readonly rule: number }
  | { readonly kind: 'no-whiteout'; readonly path: string; readonly reason: string; readonly rule: number }
  | { readonly kind: 'opaque'; readonly path: string; readonly reason: string; readonly rule: number }
  | { readonly kind: 'redirect'; readonly path: string; readonly value: string; readonly rule: number }
  | { readonly kind: 'origin'; readonly path: string; readonly reason: string; readonly rule: number }
  | { readonly kind: 'impure'; readonly path: string; readonly value: boolean; readonly rule: number }
  | {
      readonly kind: 'index'
      readonly path: string
      readonly entry: string
      readonly action: string
      readonly rule: number
    }
  | {
      readonly kind: 'create'
      readonly path: string
      readonly type: FileType
      readonly overWhiteout: boolean
      readonly rule: number
    }
  | {
      readonly kind: 'clear-whiteouts'
      readonly path: string
      readonly names: readonly string[]
      readonly rule: number
    }
  | {
      readonly kind: 'rename'
      readonly path: string
      readonly to: string
      readonly strategy: RenameStrategy
      readonly rule: number
    }
  | {
      readonly kind: 'refused'
      readonly path: string
      readonly operation: string
      readonly errno: Errno
      readonly rule: number
    }
