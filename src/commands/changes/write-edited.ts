// An image that was opened, written with other layers and another config: what `ovl commit` and `ovl squash` have in common.

import {
  type Conversion,
  describeImage,
  dockerContent,
  type Image,
  type ImageContent,
  type ImageDestination,
  type ImageEdit,
  type ImageName,
  layerCompression,
  ociContent,
  repoTagsOf,
  type Staging,
  stageLayer,
  writeImage,
  type WrittenLayer,
  type WrittenTransport,
} from '../../image/index.ts'
import { type EncodeOptions, encodeLayer, type WrittenEntry } from '../../layer/index.ts'
import { type Digest, editConfig, type ConfigEdit, type JsonObject, type ManifestFamily } from '../../oci/index.ts'
import type { CopiedBlob, CopyOptions } from '../copy.ts'
import type { ImageOptions } from '../image-options.ts'

/** How an edited image is written. */
export type WriteEditedOptions = Pick<ImageOptions, 'limits' | 'warn' | 'signal'> & {
  readonly history: { readonly createdBy: string; readonly comment?: string; readonly author?: string }
  /** Seconds: times after it become it, the image's own among them. Null takes the current time. */
  readonly epochSec: number | null
  readonly timePrecision: 's' | 'ns'
  /** Holes of files are left out of the new layer. */
  readonly sparse: boolean
  readonly family: ManifestFamily | null
  /** Of the new layer; null takes zstd where the top layer has it, else gzip. */
  readonly compression: Conversion['compression']
  readonly force: boolean
  /** Takes an archive that goes to standard output. */
  readonly writeOutput?: NonNullable<CopyOptions['writeOutput']>
  /** Told how far a blob is. */
  readonly onBlob?: (blob: CopiedBlob) => void
}

/** What was written, and where. */
export type EditedReport = {
  readonly destination: string
  readonly transport: WrittenTransport
  readonly names: readonly string[]
  /** Of the manifest; of the config (the image ID) in a docker-archive. */
  readonly digest: Digest
  /** Null when there is no new layer. */
  readonly layer: NewLayerReport | null
}

/** A new layer. */
export type NewLayerReport = {
  readonly diffID: Digest
  readonly digest: Digest
  readonly sizeBytes: number
  readonly entries: number
}

/** What becomes of an image. */
export type Edit = {
  /** Null for no new layer. */
  readonly layer: MadeLayer | null
  readonly config: JsonObject
  /** The new layer stands in place of all others. */
  readonly replaces: boolean
}

/** A layer in the workspace of a write. */
export type MadeLayer = { readonly written: WrittenLayer; readonly entries: number }

/** Where an image goes, and under which names. */
export type EditedPlace = { readonly destination: ImageDestination; readonly names: readonly ImageName[] }

/** Where an edited image goes, and what is found out for it before anything is written. */
export type EditedWork = {
  readonly place: EditedPlace
  readonly options: WriteEditedOptions
  readonly prepare?: () => Promise<void>
}

/** Writes what `edit` makes of an image. Errors: those of `edit` and of `writeImage`; UNSUPPORTED. */
export async function writeEdited(
  image: Image,
  { place, options, prepare }: EditedWork,
  edit: (staging: Staging) => Promise<Edit>,
): Promise<EditedReport> {
  const { destination, names } = place
  const { onBlob } = options
  let made: (Made & { readonly layer: MadeLayer | null }) | undefined
  await writeImage(
    destination,
    {
      expected: { names, digests: [] },
      ...(prepare === undefined ? {} : { prepare }),
      make: async staging => {
        const { layer, config, replaces } = await edit(staging)
        const added = layer === null ? [] : [layer.written]
        made = { layer, ...(await put(image, { edit: { config, added, replaces }, place, options }, staging)) }
        return made.content
      },
    },
    { ...options, onBytes: ({ digest, sizeBytes }, sentBytes) => onBlob?.({ digest, sizeBytes, sentBytes }) },
  )
  if (made === undefined) throw new Error('Impossible: an image was written that was not made')
  const { content, digest, layer } = made
  return {
    destination: destination.shownAs,
    transport: destination.transport,
    names: content.form === 'oci' ? names.map(({ refName }) => refName) : repoTagsOf(names),
    digest,
    layer: layer === null ? null : layerReport(layer),
  }
}

/** Writes entries as a layer into the workspace. Errors: those of `encodeLayer` and `stageLayer`. */
export async function makeLayer(
  entries: readonly WrittenEntry[],
  job: { readonly image: Image; readonly destination: ImageDestination; readonly options: WriteEditedOptions },
  staging: Staging,
): Promise<MadeLayer> {
  const { image, destination, options } = job
  const { epochSec, timePrecision, sparse } = options
  const times: EncodeOptions = { timePrecision, sparse, ...(epochSec === null ? {} : { latestTimeSec: epochSec }) }
  const encoder = encodeLayer(entries, times)
  try {
    const compression = compressionFor(image, destination, options)
    return { written: await stageLayer(encoder, { compression, staging }), entries: entries.length }
  } finally {
    encoder.close()
  }
}

/** The config of an image as an object, with settings changed. Errors: USAGE. */
export function configDocument(image: Image, edit: ConfigEdit): JsonObject {
  return editConfig(JSON.parse(new TextDecoder().decode(image.config.raw)) as JsonObject, edit)
}

/** The time of an image: RFC 3339, in whole seconds where an epoch is given. */
export function imageTime(epochSec: number | null): string {
  return epochSec === null ? new Date().toISOString() : new Date(epochSec * 1000).toISOString().replace('.000Z', 'Z')
}

type Made = { readonly content: ImageContent; readonly digest: Digest }

type Job = { readonly edit: ImageEdit; readonly place: EditedPlace; readonly options: WriteEditedOptions }

async function put(image: Image, { edit, place, options }: Job, staging: Staging): Promise<Made> {
  const { destination, names } = place
  if (destination.transport === 'docker-archive') {
    const content = await dockerContent(image, { names, edit }, staging)
    return { content, digest: content.config.digest }
  }
  const written = await describeImage(image, { family: options.family, compression: null, edit }, staging)
  return { content: ociContent(written, names), digest: written.descriptor.digest }
}

function layerReport({ written, entries }: MadeLayer): NewLayerReport {
  const { digest, size } = written.descriptor
  return { diffID: written.diffID, digest, sizeBytes: size, entries }
}

function compressionFor(
  image: Image,
  { transport }: ImageDestination,
  { compression }: WriteEditedOptions,
): NonNullable<Conversion['compression']> {
  if (transport === 'docker-archive') return 'none'
  if (compression !== null) return compression
  const top = image.layers.at(-1)
  return top !== undefined && layerCompression(top) === 'zstd' ? 'zstd' : 'gzip'
}
