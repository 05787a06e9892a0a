// `ovl inspect`: what an input is, from its documents alone; no layer is read.

import { OvlError } from '../errors/index.ts'
import { type Compression, detectCompression } from '../host/index.ts'
import type { Blob, Image, Layer } from '../image/index.ts'
import type { Digest, ImageConfig, Platform } from '../oci/index.ts'
import type { ImageOptions } from './image-options.ts'
import { withImage } from './with-image.ts'

/** A document of the image: its digest and size as stored. */
export type InspectedDocument = {
  readonly digest: Digest
  readonly mediaType: string | null
  readonly sizeBytes: number
}

/** A layer as the documents describe it. */
export type InspectedLayer = {
  readonly number: number
  readonly diffID: Digest | null
  /** Digest of the blob as stored; null in a docker-archive, which gives none. */
  readonly digest: Digest | null
  readonly mediaType: string | null
  /** Bytes of the blob as stored; null when the blob is not in the image. */
  readonly sizeBytes: number | null
  readonly compression: Compression | null
  readonly createdBy: string | null
}

/** What `ovl inspect` tells. */
export type Inspection = {
  readonly source: Image['source']
  readonly names: readonly string[]
  readonly platform: Platform
  readonly indexes: readonly InspectedDocument[]
  readonly manifest: InspectedDocument | null
  readonly config: InspectedDocument & { readonly parsed: ImageConfig }
  readonly layers: readonly InspectedLayer[]
}

/** Inspects an image. Errors: those of `openImage`. */
export function inspectImage(argument: string, options: ImageOptions): Promise<Inspection> {
  return withImage(argument, { ...options, allowMissingLayers: true }, describeImage)
}

/** Values of `ovl inspect --raw`. */
export const rawDocuments = ['index', 'manifest', 'config'] as const

/** A document that `ovl inspect --raw` prints. */
export type RawDocument = (typeof rawDocuments)[number]

/**
 * The bytes of a document exactly as stored.
 *
 * Errors: those of `openImage`; UNSUPPORTED when the format has no such document.
 */
export function readRawDocument(argument: string, which: RawDocument, options: ImageOptions): Promise<Uint8Array> {
  return withImage(argument, { ...options, allowMissingLayers: true }, image => {
    const document = { index: image.indexes[0] ?? null, manifest: image.manifest, config: image.config }[which]
    if (document !== null) return document.raw
    throw new OvlError(
      'UNSUPPORTED',
      `Cannot print the ${which} of ${image.title}: a ${image.source.transport} has none`,
      {
        data: { document: which, transport: image.source.transport },
      },
    )
  })
}

function describeImage({ source, names, platform, indexes, manifest, config, layers }: Image): Inspection {
  return {
    source,
    names,
    platform,
    indexes: indexes.map(describeDocument),
    manifest: manifest === null ? null : describeDocument(manifest),
    config: {
      ...describeDocument({ ...config, parsed: { mediaType: manifest?.parsed.config.mediaType ?? null } }),
      parsed: config.parsed,
    },
    layers: layers.map(describeLayer),
  }
}

function describeDocument(document: {
  readonly raw: Uint8Array
  readonly digest: Digest
  readonly parsed: { readonly mediaType: string | null }
}): InspectedDocument {
  return { digest: document.digest, mediaType: document.parsed.mediaType, sizeBytes: document.raw.length }
}

function describeLayer({ number, diffID, descriptor, mediaType, blob, history }: Layer): InspectedLayer {
  const head = readHead(blob)
  return {
    number,
    diffID,
    digest: descriptor?.digest ?? null,
    mediaType,
    sizeBytes: descriptor?.size ?? (head === null ? null : blob.size),
    compression: head === null ? null : detectCompression(head),
    createdBy: history?.createdBy ?? null,
  }
}

/** The first bytes of a layer, enough to tell how it is compressed; null when the blob is missing. */
function readHead(blob: Blob): Uint8Array | null {
  const head = new Uint8Array(16)
  try {
    return head.subarray(0, blob.read(head, 0, head.length, 0))
  } catch (error) {
    if (error instanceof OvlError && error.code === 'BLOB_MISSING') return null
    throw error
  }
}
