// What a runner answers: ovl.replay/1.
import type { StepResult } from './run-steps.ts'
import type { TreeListing } from '../fs/index.ts'

/** The schema of `ovl replay --json`. */
export const replaySchema = 'ovl.replay/1'

/** One scenario on one runner. */
export type Replay = {
  /** The errno of a mount that was refused; then there are no steps. */
  readonly mount?: string
  readonly steps: readonly StepResult[]
  /** Null where nothing was mounted in the end. */
  readonly merged: TreeListing | null
  /** Null without upper layer. */
  readonly upper: TreeListing | null
}
