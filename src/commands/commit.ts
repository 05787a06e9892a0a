// `ovl commit`: what was changed in a bundle or an upperdir becomes a layer on its image.

import { quote, type Warn } from '../errors/index.ts'
import {
  type Conversion,
  defaultName,
  describeImage,
  dockerContent,
  type Image,
  type ImageContent,
  type ImageDestination,
  type ImageEdit,
  layerCompression,
  ociContent,
  readDestination,
  repoTagsOf,
  type Staging,
  stageLayer,
  writeImage,
  type WrittenLayer,
  type WrittenTransport,
} from '../image/index.ts'
import { encodeLayer, layerEntries, type WrittenEntry } from '../layer/index.ts'
import {
  addHistory,
  type ConfigEdit,
  type Digest,
  editConfig,
  type JsonObject,
  type ManifestFamily,
  parseImageConfig,
} from '../oci/index.ts'
import type { FoundChanges } from './changes/bundle-changes.ts'
import { type Committed, openCommitted } from './changes/committed.ts'
import type { CopiedBlob } from './copy.ts'
import type { Closers } from './diff/inputs.ts'
import type { ImageOptions } from './image-options.ts'

/** How to commit: the flags of `ovl commit`. */
export type CommitOptions = ImageOptions & {
  /** The image below an upperdir; a bundle knows its own. */
  readonly parent: string | null
  readonly history: { readonly createdBy: string; readonly comment?: string; readonly author?: string }
  readonly config: ConfigEdit
  /** Seconds: times after it become it, the image's own among them. Null takes the current time. */
  readonly epochSec: number | null
  /** How an opaque directory is written. */
  readonly opaque: 'marker' | 'explicit'
  readonly timePrecision: 's' | 'ns'
  readonly family: ManifestFamily | null
  /** Of the new layer; null takes zstd where the layer below has it, else gzip. */
  readonly compression: Conversion['compression']
  readonly userxattr: boolean
  readonly force: boolean
  readonly onBlob?: (blob: CopiedBlob) => void
}

/** What was committed. */
export type CommitReport = {
  readonly source: string
  readonly parent: string
  readonly destination: string
  readonly transport: WrittenTransport
  readonly names: readonly string[]
  /** Of the manifest; of the config (the image ID) in a docker-archive. */
  readonly digest: Digest
  /** Null when nothing was changed. */
  readonly layer: {
    readonly diffID: Digest
    readonly digest: Digest
    readonly sizeBytes: number
    readonly entries: number
  } | null
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
  try {
    return await commitUpon(parent, { committed, destination, options })
  } finally {
    parent.close()
  }
}

type Job = {
  readonly committed: Committed
  readonly destination: ImageDestination
  readonly options: CommitOptions
}

async function commitUpon(parent: Image, { committed, destination, options }: Job): Promise<CommitReport> {
  const names = [destination.name ?? defaultName]
  const { force, limits, warn, signal, onBlob } = options
  let made: Made | undefined
  await writeImage(
    destination,
    {
      expected: { names, digests: [] },
      make: async staging => {
        made = await make(parent, { committed, destination, options }, staging)
        return made.content
      },
    },
    {
      force,
      limits,
      warn,
      signal,
      onBytes: ({ digest, sizeBytes }, sentBytes) => onBlob?.({ digest, sizeBytes, sentBytes }),
    },
  )
  if (made === undefined) throw new Error('Impossible: an image was written that was not made')
  const { layer, digest, from, content } = made
  return {
    source: committed.shownAs,
    parent: parent.title,
    destination: destination.shownAs,
    transport: destination.transport,
    names: content.form === 'oci' ? names.map(({ refName }) => refName) : repoTagsOf(names),
    digest,
    layer,
    from,
  }
}

type Made = Pick<CommitReport, 'digest' | 'layer' | 'from'> & { readonly content: ImageContent }

async function make(parent: Image, { committed, destination, options }: Job, staging: Staging): Promise<Made> {
  const { written, from, entries } = await makeLayer(parent, { committed, destination, options }, staging)
  const layer = written === null ? null : layerReport(written, entries)
  const edit: ImageEdit = {
    config: newConfig(parent, { options, isEmpty: written === null }),
    added: written === null ? [] : [written],
  }
  const names = [destination.name ?? defaultName]
  if (destination.transport === 'docker-archive') {
    const content = await dockerContent(parent, { names, edit }, staging)
    return { content, digest: content.config.digest, layer, from }
  }
  const image = await describeImage(parent, { family: options.family, compression: null, edit }, staging)
  return { content: ociContent(image, names), digest: image.descriptor.digest, layer, from }
}

type MadeLayer = {
  readonly written: WrittenLayer | null
  readonly from: FoundChanges['from']
  readonly entries: number
}

async function makeLayer(
  parent: Image,
  { committed, destination, options }: Job,
  staging: Staging,
): Promise<MadeLayer> {
  const { limits, warn, signal, userxattr, opaque, epochSec, timePrecision } = options
  const closers: Closers = []
  try {
    const how = { limits, warn, signal, closers, ...(userxattr ? { userxattr } : {}) }
    const changes = await committed.findChanges(parent, how)
    const entries = layerEntries(changes.changeset, { opaque, warn })
    if (entries.length === 0) return { written: null, from: changes.from, entries: 0 }
    warnOfLostXattrs(entries, committed, warn)
    const encoder = encodeLayer(entries, { timePrecision, ...(epochSec === null ? {} : { latestTimeSec: epochSec }) })
    try {
      const compression = compressionFor(parent, destination, options)
      const written = await stageLayer(encoder, { compression, staging })
      return { written, from: changes.from, entries: entries.length }
    } finally {
      encoder.close()
    }
  } finally {
    for (const close of closers.toReversed()) close()
  }
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

function layerReport({ diffID, descriptor }: WrittenLayer, entries: number): CommitReport['layer'] {
  return { diffID, digest: descriptor.digest, sizeBytes: descriptor.size, entries }
}

function compressionFor(
  parent: Image,
  { transport }: ImageDestination,
  { compression }: CommitOptions,
): NonNullable<Conversion['compression']> {
  if (transport === 'docker-archive') return 'none'
  if (compression !== null) return compression
  const top = parent.layers.at(-1)
  return top !== undefined && layerCompression(top) === 'zstd' ? 'zstd' : 'gzip'
}

function newConfig(
  parent: Image,
  { options, isEmpty }: { readonly options: CommitOptions; readonly isEmpty: boolean },
): JsonObject {
  const { epochSec, history, config } = options
  const created = timeText(epochSec)
  const document = JSON.parse(new TextDecoder().decode(parent.config.raw)) as JsonObject
  const edited = editConfig(document, config)
  const withHistory = addHistory(edited, { ...history, created, emptyLayer: isEmpty }, parent.layers.length)
  parseImageConfig({ ...withHistory, rootfs: { type: 'layers' } }, 'the new config') // what ovl writes, ovl reads
  return withHistory
}

/** RFC 3339, in whole seconds where an epoch is given. */
function timeText(epochSec: number | null): string {
  return epochSec === null ? new Date().toISOString() : new Date(epochSec * 1000).toISOString().replace('.000Z', 'Z')
}
