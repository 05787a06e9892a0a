// `ovl commit`: what was changed in a bundle or an upperdir becomes a layer on its image.

import { quote, type Warn } from '../errors/index.ts'
import { defaultName, type Image, type ImageDestination, readDestination, type Staging } from '../image/index.ts'
import { layerEntries, type WrittenEntry } from '../layer/index.ts'
import { addHistory, type ConfigEdit, type JsonObject, parseImageConfig } from '../oci/index.ts'
import type { FoundChanges } from './changes/image-changes.ts'
import { type Committed, openCommitted } from './changes/committed.ts'
import {
  configDocument,
  type Edit,
  type EditedReport,
  imageTime,
  makeLayer,
  writeEdited,
  type WriteEditedOptions,
} from './changes/write-edited.ts'
import { closeAll, type Closers } from './diff/inputs.ts'
import type { ImageOptions } from './image-options.ts'

/** How to commit: the flags of `ovl commit`. */
export type CommitOptions = ImageOptions &
  WriteEditedOptions & {
    /** The image below an upperdir; a bundle knows its own. */
    readonly parent: string | null
    readonly config: ConfigEdit
    /** How an opaque directory is written. */
    readonly opaque: 'marker' | 'explicit'
    readonly userxattr: boolean
  }

/** What was committed; without a layer when nothing was changed. */
export type CommitReport = EditedReport & {
  readonly source: string
  readonly parent: string
  /** Where the changes were found. */
  readonly from: FoundChanges['from']
}

/**
 * Writes an image with one layer more, or, when nothing was changed, with a step more in its history.
 *
 * Errors: those of `openCommitted`, `openImage`, `bundleChanges`, `layerEntries`, `readDestination` and `writeImage`;
 * DIFF_ID_MISMATCH when the parent is not the image that the bundle was unpacked from; USAGE.
 */
export async function commit(source: string, to: string, options: CommitOptions): Promise<CommitReport> {
  const destination = readDestination(to)
  const committed = openCommitted(source, options)
  const parent = await committed.openParent()
  const closers: Closers = [() => parent.close()]
  try {
    let found: FoundEntries = { entries: [], from: 'upper' }
    const place = { destination, names: [destination.name ?? defaultName] }
    const prepare = async (): Promise<void> => {
      found = await findEntries(parent, { committed, options, closers })
    }
    const report = await writeEdited(parent, { place, options, prepare }, staging =>
      editParent(parent, { entries: found.entries, destination, options }, staging),
    )
    return { source: committed.shownAs, parent: parent.title, from: found.from, ...report }
  } finally {
    closeAll(closers)
  }
}

type FoundEntries = Pick<FoundChanges, 'from'> & { readonly entries: readonly WrittenEntry[] }

async function findEntries(
  parent: Image,
  {
    committed,
    options,
    closers,
  }: { readonly committed: Committed; readonly options: CommitOptions; readonly closers: Closers },
): Promise<FoundEntries> {
  const { userxattr, opaque, ...rest } = options
  const how = { ...rest, closers, ...(userxattr ? { userxattr } : {}) }
  const { changeset, from } = await committed.findChanges(parent, how)
  const entries = layerEntries(changeset, { opaque, warn: options.warn })
  warnOfLostXattrs(entries, committed, options.warn)
  return { entries, from }
}

type Job = {
  readonly entries: readonly WrittenEntry[]
  readonly destination: ImageDestination
  readonly options: CommitOptions
}

async function editParent(parent: Image, { entries, destination, options }: Job, staging: Staging): Promise<Edit> {
  const isEmpty = entries.length === 0
  const layer = isEmpty ? null : await makeLayer(entries, { image: parent, destination, options }, staging)
  return { layer, config: newConfig(parent, options, isEmpty), replaces: false }
}

/** A file that is written anew is written without what this machine could not keep of it. */
function warnOfLostXattrs(entries: readonly WrittenEntry[], { lostXattrs }: Committed, warn: Warn): void {
  for (const { kind, path } of entries) {
    const names = kind === 'object' ? lostXattrs.get(path) : undefined
    if (names === undefined) continue
    const shown = names.map(name => quote(name)).join(', ')
    const message = `${quote(path)} loses ${shown} in the new layer: the bundle could not keep it`
    warn({ code: 'XATTR_SKIPPED', message, path })
  }
}

function newConfig(parent: Image, { epochSec, history, config }: CommitOptions, emptyLayer: boolean): JsonObject {
  const step = { ...history, created: imageTime(epochSec), emptyLayer }
  const document = addHistory(configDocument(parent, config), step, parent.layers.length)
  parseImageConfig({ ...document, rootfs: { type: 'layers' } }, 'the new config') // what ovl writes, ovl reads
  return document
}
