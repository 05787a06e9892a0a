// Layers on their way: as they are stored, compressed otherwise, or uncompressed for a docker-archive.

import type { Compression, WrittenCompression } from '../../host/index.ts'
import {
  type Descriptor,
  descriptor,
  type Digest,
  type JsonObject,
  formatDocumentBytes,
  mediaType,
  withLayers,
} from '../../oci/index.ts'
import { checkSignal } from '../decompress.ts'
import { digestOf } from '../documents.ts'
import { pause, pauseTimer } from '../pause.ts'
import { diffIDMismatch, layerCompression, streamLayer } from '../stream-layer.ts'
import type { BlockTarget, Image, Layer } from '../types.ts'
import { type DockerContent, stagedPath, type Staging } from './content.ts'
import { compressTo } from './compress-to.ts'
import type { ImageEdit } from './image-content.ts'
import type { ImageName } from './names.ts'
import { describedBlob, fileOutput, type OutputBlob } from './output-blob.ts'

/** A layer in the form in which it is written. */
export type WrittenLayer = {
  /** The media type is the source's; the manifest decides. */
  readonly descriptor: Descriptor
  readonly compression: Compression
  readonly diffID: Digest
  readonly content: OutputBlob
}

/**
 * A layer as it is stored. One whose digest no document tells is read once for it (and verified against its diff ID).
 * Errors: those of `streamLayer`.
 */
export async function describeLayer(layer: Layer, staging: Staging): Promise<WrittenLayer> {
  const { blob, diffID } = layer
  const compression = layerCompression(layer)
  const own = layer.descriptor ?? (await ownDescriptor(layer, { compression, staging }))
  const plain = diffID ?? (await measure(layer, staging)).diffID
  const content = describedBlob(own, { blob, what: `layer ${layer.number} of ${layer.image}` })
  return { descriptor: own, compression, diffID: plain, content }
}

async function ownDescriptor(
  layer: Layer,
  { compression, staging }: { readonly compression: Compression; readonly staging: Staging },
): Promise<Descriptor> {
  const { blob, diffID } = layer
  if (compression === 'none' && diffID !== null) return descriptor(mediaType.layer, diffID, blob.size)
  const { digest, sizeBytes } = await measure(layer, staging)
  return descriptor(mediaType.layer, digest, sizeBytes)
}

/** A layer compressed otherwise, in a file of the workspace. Errors: those of `streamLayer` and of node:fs; UNSUPPORTED. */
export async function convertLayer(
  layer: Layer,
  compression: WrittenCompression,
  staging: Staging,
): Promise<WrittenLayer> {
  const path = stagedPath(staging)
  const { diffID, digest, sizeBytes, uncompressedBytes } = await compressTo(path, compression, target =>
    streamLayer(layer, target, { ...streamOptions(staging), hashUncompressed: false }),
  )
  if (layer.diffID !== null && layer.diffID !== diffID)
    throw diffIDMismatch(layer, { got: diffID, uncompressedBytes, verb: 'copy' })
  // Annotations of the old descriptor are left out: some point into the compressed bytes.
  const own = descriptor(mediaType.layer, digest, sizeBytes)
  return { descriptor: own, compression, diffID, content: fileOutput(path, own) }
}

/** The bytes of a new layer, uncompressed, in pieces; 0 is the end. */
export type LayerSource = { read(target: Uint8Array): number }

/** Writes a new layer to the workspace. Errors: those of the source and of node:fs; UNSUPPORTED; INTERRUPTED. */
export async function stageLayer(
  source: LayerSource,
  { compression, staging }: { readonly compression: WrittenCompression; readonly staging: Staging },
): Promise<WrittenLayer> {
  const path = stagedPath(staging)
  const { diffID, digest, sizeBytes } = await compressTo(path, compression, async target => {
    const timer = pauseTimer()
    for (;;) {
      const length = source.read(await target.space())
      if (length === 0) return
      target.commit(length)
      if (!timer.due()) continue
      checkSignal(staging.signal, 'the new layer')
      await pause()
    }
  })
  const own = descriptor(mediaType.layer, digest, sizeBytes)
  return { descriptor: own, compression, diffID, content: fileOutput(path, own) }
}

/**
 * An image for a docker-archive. Compressed layers are read twice: a tar header has the size in front of the content.
 * Errors: those of `streamLayer`.
 */
export async function dockerContent(
  image: Image,
  { names, edit = null }: { readonly names: readonly ImageName[]; readonly edit?: ImageEdit | null },
  staging: Staging,
): Promise<DockerContent> {
  const layers: WrittenLayer[] = []
  if (edit?.replaces !== true) for (const layer of image.layers) layers.push(await uncompressedLayer(layer, staging))
  if (edit !== null) layers.push(...edit.added)
  const { digest, raw } = writtenConfig(image, layers, edit)
  return { form: 'docker', names, config: { digest, raw }, layers }
}

async function uncompressedLayer(layer: Layer, staging: Staging): Promise<WrittenLayer> {
  if (layerCompression(layer) === 'none') return describeLayer(layer, staging)
  const { diffID, uncompressedBytes } = await measure(layer, staging)
  const own = descriptor(mediaType.layer, diffID, uncompressedBytes)
  const content: OutputBlob = {
    digest: diffID,
    sizeBytes: uncompressedBytes,
    async send(target, { onBytes, signal }) {
      let sentBytes = 0
      const counted: BlockTarget = {
        space: () => target.space(),
        commit(length) {
          target.commit(length)
          onBytes?.((sentBytes += length))
        },
      }
      await streamLayer(layer, counted, { verb: 'copy', ...(signal === undefined ? {} : { signal }) })
    },
  }
  return { descriptor: own, compression: 'none', diffID, content }
}

type Measured = {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly diffID: Digest
  readonly uncompressedBytes: number
}

/** Reads and verifies a layer for what its documents do not tell. */
async function measure(layer: Layer, staging: Staging): Promise<Measured> {
  const scratch = new Uint8Array(256 << 10)
  const { diffID, ...stream } = await streamLayer(layer, { space: () => scratch, commit() {} }, streamOptions(staging))
  return { ...stream, diffID: known(diffID) }
}

function streamOptions({ signal }: Staging): { readonly verb: string; readonly signal?: AbortSignal } {
  return { verb: 'copy', ...(signal === undefined ? {} : { signal }) }
}

function known(diffID: Digest | null): Digest {
  if (diffID === null) throw new Error('Impossible: the stream hashes what it delivers')
  return diffID
}

/** The config as it is; one that is edited, or was made for an archive older than diff IDs, gets those of the layers. */
export function writtenConfig(
  { config }: Image,
  layers: readonly { readonly diffID: Digest }[],
  edit: ImageEdit | null,
): { readonly digest: Digest; readonly raw: Uint8Array } {
  if (edit === null && config.parsed.diffIDs.length === layers.length) return config
  const document = edit?.config ?? (JSON.parse(new TextDecoder().decode(config.raw)) as JsonObject)
  const diffIDs = layers.map(({ diffID }) => diffID)
  const raw = formatDocumentBytes(withLayers(document, diffIDs))
  return { digest: digestOf(raw), raw }
}
