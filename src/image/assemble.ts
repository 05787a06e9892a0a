// Builds an image from a manifest and the blobs it names: config and layers are checked against each other before
// anything is read.

import { escapeControls, OvlError, type Warn } from '../errors/index.ts'
import {
  type Descriptor,
  type Digest,
  type ImageConfig,
  layerMediaType,
  type Manifest,
  mapHistory,
  mediaTypeKind,
  normalisePlatform,
  parseImageConfig,
  parseManifest,
  type Platform,
} from '../oci/index.ts'
import { bytesBlob } from './blob.ts'
import { type ChosenManifest, titleOf } from './choose-manifest.ts'
import { readDescribed } from './documents.ts'
import type { Files } from './files.ts'
import { checkOnlyPlatform, type Request } from './request.ts'
import type { Blob, BlobSource, Image, ImageDocument, Layer, Transport } from './types.ts'

/** Reads manifest and config that a descriptor leads to, and assembles the image. */
export function assembleChosen(
  { descriptor, names, indexes }: ChosenManifest,
  context: {
    readonly files: Files
    readonly blobs: BlobSource
    readonly transport: Transport
    readonly request: Request
  },
): Image {
  const { files, blobs, transport, request } = context
  const { limits } = request
  if (mediaTypeKind(descriptor.mediaType) === 'schema1') throw schema1(files.location)
  const manifest = readDescribed(descriptor, { what: 'manifest', blobs, limits, parse: parseManifest })
  return assembleManifest(manifest, { files, blobs, transport, request, names, indexes, listed: descriptor.platform })
}

/** A manifest and everything around it that an image is assembled from. */
export type ManifestContext = {
  readonly files: Files
  readonly blobs: BlobSource
  readonly transport: Transport
  readonly request: Request
  readonly names: readonly string[]
  readonly indexes: Image['indexes']
  /** What an index says the image is for. */
  readonly listed: Platform | null
}

/** Assembles the image of a manifest. */
export function assembleManifest(manifest: ImageDocument<Manifest>, context: ManifestContext): Image {
  const { files, blobs, transport, request, names, indexes, listed } = context
  const title = imageTitle(files, request, names)
  const config = readConfig(manifest.parsed, { blobs, request, title })
  const descriptors = layerDescriptors(manifest.parsed, config.parsed, { title, warn: request.warn })
  const layers = descriptors.map((descriptor, i) => ({
    descriptor,
    mediaType: descriptor.mediaType,
    blob: layerBlob(descriptor, { number: i + 1, blobs, request, title }),
  }))
  return assembleImage({ files, blobs, transport, request, names, indexes, listed, manifest, config, layers, title })
}

/** What a source knows of a layer; number, diff ID and history come from the config. */
export type LayerParts = Pick<Layer, 'descriptor' | 'mediaType' | 'blob'>

/** What a source has found; assembled to an `Image` once manifest, config and layers agree. */
export type ImageParts = {
  readonly files: Files
  readonly blobs: BlobSource | null
  readonly transport: Transport
  readonly request: Request
  readonly names: readonly string[]
  readonly indexes: Image['indexes']
  readonly listed: Platform | null
  readonly manifest: Image['manifest']
  readonly config: ImageDocument<ImageConfig>
  /** Base first. */
  readonly layers: readonly LayerParts[]
  readonly title: string
}

/** What docker archives have in common: their images are listed by no index and have no manifest of their own. */
export const archiveParts = {
  transport: 'docker-archive',
  blobs: null,
  indexes: [],
  listed: null,
  manifest: null,
} as const satisfies Partial<ImageParts>

/**
 * The last step for every source. Errors: LAYER_COUNT_MISMATCH when there are diff IDs, but not one for each layer;
 * PLATFORM_NOT_FOUND.
 */
export function assembleImage(parts: ImageParts): Image {
  const { files, blobs, transport, request, names, indexes, listed, manifest, config, layers, title } = parts
  const { diffIDs, history } = config.parsed
  const platform = platformOf(config.parsed.platform, listed)
  checkOnlyPlatform(request, platform, title)
  const { byLayer, problem } = mapHistory(history, layers.length)
  if (problem !== null) request.warn({ code: 'IMAGE_DOCUMENT', message: `${title}: ${problem}` })
  return {
    source: { transport, location: request.path, archiveBytes: files.archiveBytes },
    names,
    title,
    platform,
    indexes,
    manifest,
    config,
    layers: layers.map((layer, i) => ({
      ...layer,
      number: i + 1,
      count: layers.length,
      image: title,
      diffID: diffIDs[i] ?? null,
      history: byLayer[i] ?? null,
    })),
    blobs,
    close: () => files.close(),
  }
}

/** Errors: LAYER_COUNT_MISMATCH. */
export function checkLayerCount(counts: {
  readonly layers: number
  readonly diffIDs: number
  readonly title: string
}): void {
  const { layers, diffIDs, title } = counts
  if (layers === diffIDs) return
  throw new OvlError(
    'LAYER_COUNT_MISMATCH',
    `Cannot use ${title}: its manifest has ${counted(layers, 'layer')}, its config ${counted(diffIDs, 'diff ID')}`,
    { data: { layers, diffIDs } },
  )
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** "img.tar:demo:latest": the location, and the name that was asked for or is the only one. */
export function imageTitle(files: Files, request: Request, names: readonly string[]): string {
  const asked = titleOf({ location: files.location, request })
  const [only] = names
  return escapeControls(
    asked === files.location && names.length === 1 && only !== undefined ? `${asked}:${only}` : asked,
  )
}

/** A layer blob that is not there: an error now, or when it is read. */
export function missingBlob(context: {
  readonly number: number
  readonly title: string
  readonly what: string
  readonly where: string
  readonly descriptor: Descriptor | null
  readonly request: Request
}): Blob {
  const { number, title, what, where, descriptor, request } = context
  const urls = descriptor?.urls ?? []
  const error = new OvlError('BLOB_MISSING', `Cannot read layer ${number} of ${title}: ${what} is not in ${where}`, {
    ...(urls.length > 0 ? { facts: [`it is kept elsewhere: ${urls.map(escapeControls).join(', ')}`] } : {}),
    data: { layer: number, digest: descriptor?.digest ?? null },
  })
  if (!request.allowMissingLayers) throw error
  return {
    size: descriptor?.size ?? 0,
    location: 'missing',
    read() {
      throw error
    },
  }
}

/**
 * What the image is for: as its config says, completed by the index, because many configs lack the variant. Linux when
 * nothing says it, as Docker takes it.
 */
function platformOf(given: Platform, listed: Platform | null): Platform {
  const own = {
    ...given,
    os: given.os || listed?.os || 'linux',
    architecture: given.architecture || listed?.architecture || '',
  }
  if (own.variant === '' && listed !== null && own.architecture === listed.architecture) {
    return normalisePlatform({ ...own, variant: listed.variant })
  }
  return normalisePlatform(own)
}

function readConfig(
  manifest: Manifest,
  context: { readonly blobs: BlobSource; readonly request: Request; readonly title: string },
): ImageDocument<ImageConfig> {
  const { blobs, request, title } = context
  const { mediaType } = manifest.config
  const isKnown = mediaTypeKind(mediaType) === 'config'
  try {
    const config = readDescribed(manifest.config, {
      what: 'config',
      blobs,
      limits: request.limits,
      parse: parseImageConfig,
    })
    if (!isKnown)
      request.warn({ code: 'MEDIA_TYPE', message: `${title}: the config's type is ${escapeControls(mediaType)}` })
    return config
  } catch (cause) {
    const isShape = cause instanceof OvlError && (cause.code === 'BAD_DOCUMENT' || cause.code === 'BAD_JSON')
    if (isKnown || !isShape) throw cause
    const type = escapeControls(manifest.artifactType ?? mediaType)
    throw new OvlError('NOT_AN_IMAGE', `Cannot open ${title} as an image: it is an artifact of type ${type}`, { cause })
  }
}

/**
 * The descriptors that are layers. Those of unknown type are passed over when the rest fits the diff IDs; when only
 * all of them fit, they are layers of an unusual type. Errors: LAYER_COUNT_MISMATCH; UNSUPPORTED for encrypted layers.
 */
function layerDescriptors(
  manifest: Manifest,
  config: ImageConfig,
  context: { readonly title: string; readonly warn: Warn },
): readonly Descriptor[] {
  const { title, warn } = context
  const { layers } = manifest
  const known = layers.filter(({ mediaType }) => layerMediaType(mediaType) !== null)
  const chosen = known.length === config.diffIDs.length ? known : layers
  checkLayerCount({ layers: chosen.length, diffIDs: config.diffIDs.length, title })
  for (const { mediaType } of layers) {
    const type = layerMediaType(mediaType)
    if (type?.encrypted === true) {
      throw new OvlError('UNSUPPORTED', `Cannot read ${title}: its layers are encrypted`, { data: { mediaType } })
    }
    if (type !== null) continue
    const treatment = chosen === known ? 'is no layer and ignored' : 'is taken as a layer'
    warn({ code: 'MEDIA_TYPE', message: `${title}: ${escapeControls(mediaType)} ${treatment}` })
  }
  return chosen
}

function layerBlob(
  descriptor: Descriptor,
  context: { readonly number: number; readonly blobs: BlobSource; readonly request: Request; readonly title: string },
): Blob {
  const { number, blobs, request, title } = context
  const { digest, embedded } = descriptor
  if (embedded !== null) return bytesBlob(embedded, `layer ${number} embedded in the manifest`)
  const found = blobs.find(digest)
  return found ?? missingBlob({ number, title, what: `blob ${shown(digest)}`, where: blobs.name, descriptor, request })
}

function shown(digest: Digest): string {
  return digest.length > 100 ? `${digest.slice(0, 100)}…` : digest
}

function schema1(location: string): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot open ${location}: it is a Docker schema 1 image, which is not supported`)
}
