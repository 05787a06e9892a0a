// `ovl diff`: what an upperdir, a bundle or a layer changes, or what is different between two trees; as a report or as
// a layer.
import type { Change, Changeset } from '../../layer/index.ts'
import type { OutputFileOptions } from './output-file.ts'
import { writeOutputFile } from './output-file.ts'
import { type ChangeOptions, withChanges } from './open-changes.ts'
import { checkSavable, saveChanges } from './save-changes.ts'
import { writeLayer, type WriteLayerOptions, type WrittenLayer } from './write-layer.ts'

/** Where a layer goes. */
export type LayerOutput = Omit<WriteLayerOptions, 'warn' | 'signal'> & {
  /** Null: to `write`. */
  readonly path: string | null
  readonly force: boolean
  readonly write: (bytes: Uint8Array) => Promise<void>
}

/** What is done with the changes besides reporting them. */
export type DiffOptions = ChangeOptions & {
  readonly layer?: number
  /** Write them as a layer. */
  readonly output?: LayerOutput
  /** Put them into the upper directory of the bundle. */
  readonly save: boolean
}

/** What `ovl diff` found. */
export type DiffReport = {
  readonly changes: readonly Change[]
  /** The lower layers, or the other tree, took part. */
  readonly isCompared: boolean
  readonly style: Changeset['style']
  readonly notes: readonly string[]
  readonly written: WrittenLayer | null
  /** The upper directory that the changes were saved to. */
  readonly saved: string | null
}

/** Finds changes, and writes or saves them when asked to. Errors: those of `withChanges`, `writeLayer`, `saveChanges`. */
export function diff(args: readonly string[], options: DiffOptions): Promise<DiffReport> {
  return withChanges(args, options, async ({ changeset, notes, unsaved }) => {
    const { changes, isCompared, style } = changeset
    const saved = options.save ? await saveChanges(checkSavable(unsaved), changeset, options.warn) : null
    const written = options.output === undefined ? null : await writeTo(changeset, options.output, options)
    return { changes, isCompared, style, notes, written, saved }
  })
}

function writeTo(
  changeset: Changeset,
  output: LayerOutput,
  common: Pick<DiffOptions, 'warn' | 'signal'>,
): Promise<WrittenLayer> {
  const { path, force, write, ...how } = output
  const options = { ...how, warn: common.warn, signal: common.signal }
  if (path === null) return writeLayer(changeset, options, write)
  const place: OutputFileOptions = { force, warn: common.warn, signal: common.signal }
  return writeOutputFile(path, place, put => writeLayer(changeset, options, put))
}
