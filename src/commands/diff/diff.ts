// `ovl diff`: what an upperdir, a bundle or a layer changes, or what is different between two trees; as a report or as
// a layer.
import type { Change, Changeset } from '../../layer/index.ts'
import { type ChangeOptions, type OpenChanges, withChanges } from './open-changes.ts'
import { writeOutputFile } from './output-file.ts'
import type { PackedLayer } from './pack-layer.ts'
import { streamLayer } from './stream-layer.ts'
import { writeLayer, type WriteLayerOptions } from './write-layer.ts'

/** Where a layer goes. */
export type LayerOutput = Omit<WriteLayerOptions, 'warn' | 'signal'> & {
  /** Null: to `write`. */
  readonly path: string | null
  readonly force: boolean
  readonly write: (bytes: Uint8Array) => Promise<void>
}

/** What is done with the changes besides reporting them. */
export type DiffOptions = ChangeOptions & {
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
  readonly written: PackedLayer | null
  /** The upper directory that the changes were saved to. */
  readonly saved: string | null
}

/** Finds changes, and writes or saves them when asked to. Errors: those of `withChanges`, `writeLayer`, `saveChanges`. */
export function diff(args: readonly string[], options: DiffOptions): Promise<DiffReport> {
  return withChanges(args, options, async found => {
    const saved = options.save ? await save(found, options) : null
    const { output } = options
    if (output !== undefined) return { ...(await writeTo(found, output, options)), saved }
    return { ...summaryOf(found), written: null, saved }
  })
}

async function save({ place }: OpenChanges, options: DiffOptions): Promise<string> {
  const { saveChanges } = await import('./save-changes.ts')
  return saveChanges(place, options)
}

type Written = Omit<DiffReport, 'saved'>

async function writeTo(found: OpenChanges, output: LayerOutput, options: DiffOptions): Promise<Written> {
  const { path, force, write, ...how } = output
  const { warn, signal } = options
  const layerOptions = { ...how, warn, signal }
  if (path === null) {
    const written = await writeLayer(found.changeset, layerOptions, write)
    return { ...summaryOf(found), written }
  }
  return writeOutputFile(path, { force, warn, signal }, async put => {
    const streamed = await streamLayer(found, layerOptions, put)
    if (streamed !== null) return streamed
    const written = await writeLayer(found.changeset, layerOptions, put)
    return { ...summaryOf(found), written }
  })
}

function summaryOf({ changeset, notes }: OpenChanges): Omit<Written, 'written'> {
  const { changes, isCompared, style } = changeset
  return { changes, isCompared, style, notes }
}
