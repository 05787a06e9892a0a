// The fast way of writing a layer, where there is one: uncompressed, to a file, with all contents in one upper directory.
import { ftruncateSync, fstatSync } from 'node:fs'
import {
  type Change,
  type Changeset,
  layerEntries,
  OtherStyle,
  streamUpper,
  type WrittenEntry,
} from '../../layer/index.ts'
import type { HostView } from '../../host/index.ts'
import { notesOf, type OpenChanges, type UpperDirectory } from './open-changes.ts'
import type { FileWriter } from './output-file.ts'
import { type PackedLayer, packLayer, type PackOptions } from './pack-layer.ts'
import type { WriteLayerOptions } from './write-layer.ts'

/** What was written, and what was found on the way. */
export type StreamedLayer = Pick<Changeset, 'changes' | 'isCompared' | 'style'> & {
  readonly notes: readonly string[]
  readonly written: PackedLayer
}

/** Null where there is only the other way: the threads know nothing of holes. Errors: those of `packLayer`. */
export async function streamLayer(
  found: OpenChanges,
  options: WriteLayerOptions,
  output: FileWriter,
): Promise<StreamedLayer | null> {
  const { upper } = found
  if (upper === null || options.compression !== 'none' || options.sparse === true) return null
  if (!upper.isAlone || options.withoutParents === true) return packCompared(found, upper, { options, output })
  return packAlone(upper, { options, output })
}

type Packing = { readonly options: WriteLayerOptions; readonly output: FileWriter }

/** While the directory is read. Null: the marks turned out to be others. */
async function packAlone(upper: UpperDirectory, { options, output }: Packing): Promise<StreamedLayer | null> {
  const { host, view, userxattr, style } = upper
  const changes: Change[] = []
  const how = { ...options, userxattr, ...(style === undefined ? {} : { style }) }
  const entries = streamUpper(view, how, change => void changes.push(change))
  try {
    const written = await packLayer(entries, packing(options, host, output))
    const summary = { changes, isCompared: false, style: style ?? 'overlay' } as const
    return { ...summary, notes: notesOf(summary), written }
  } catch (error) {
    if (!(error instanceof OtherStyle)) throw error
    if (fstatSync(output.fd).isFile()) ftruncateSync(output.fd, 0)
    return null
  }
}

/** When the comparison is done. Null: some contents are those of lower layers. */
async function packCompared(
  { changeset, notes }: OpenChanges,
  { host, view }: UpperDirectory,
  { options, output }: Packing,
): Promise<StreamedLayer | null> {
  const entries = layerEntries(changeset, options)
  if (!entries.every(entry => isOf(entry, view))) return null
  const written = await packLayer(entries, packing(options, host, output))
  const { changes, isCompared, style } = changeset
  return { changes, isCompared, style, notes, written }
}

function packing(options: WriteLayerOptions, view: HostView, { fd }: FileWriter): PackOptions {
  return { ...options, view, outFd: fd, isHashed: options.withoutDigest !== true }
}

function isOf(entry: WrittenEntry, view: UpperDirectory['view']): boolean {
  return entry.kind === 'whiteout' || (entry.object.view === view && entry.object.data === null)
}
