// From an opened image to what is written of it: byte for byte as it is where nothing else was asked for, or with its
// layers compressed otherwise, its manifest in the other family, or a manifest made for a docker-archive, which has none.

import { OvlError } from '../../errors/index.ts'
import type { WrittenCompression } from '../../host/index.ts'
import {
  type Descriptor,
  descriptor,
  descriptorToJson,
  formatDocumentBytes,
  type JsonObject,
  layerMediaType,
  layerTypeOf,
  type ManifestFamily,
  mediaType,
  mediaTypeKind,
} from '../../oci/index.ts'
import { digestOf } from '../documents.ts'
import { layerCompression } from '../stream-layer.ts'
import type { Image } from '../types.ts'
import type { OciContent, Staging } from './content.ts'
import { convertLayer, describeLayer, writtenConfig, type WrittenLayer } from './layers.ts'
import type { ImageName } from './names.ts'
import { bytesOutput, describedBlob, type OutputBlob } from './output-blob.ts'

/** What is to be different about the written image; null keeps what is there. */
export type Conversion = {
  readonly family: ManifestFamily | null
  readonly compression: WrittenCompression | null
}

/** An image that is to have other layers and another config. */
export type ImageEdit = {
  /** Its layers are written by the edit: `rootfs` says what they are. */
  readonly config: JsonObject
  /** On top of those that it has. */
  readonly added: readonly WrittenLayer[]
  /** Instead of those that it has. */
  readonly replaces?: boolean
}

/** An image in its new form. */
export type WrittenImage = {
  /** Of the manifest. */
  readonly descriptor: Descriptor
  readonly blobs: readonly OutputBlob[]
  /** The manifest is another one than the source's, or the source has none. */
  readonly isNewManifest: boolean
}

/**
 * Puts an image together for an OCI layout or archive. Errors: those of the layers, of `convertLayer`, and UNSUPPORTED
 * when a family has no type for a layer's compression.
 */
export async function describeImage(
  image: Image,
  { edit = null, ...conversion }: Conversion & { readonly edit?: ImageEdit | null },
  staging: Staging,
): Promise<WrittenImage> {
  if (image.manifest !== null && edit === null && !isChanged(image, conversion)) return asItIs(image, image.manifest)
  const family = conversion.family ?? familyOf(image)
  const written: WrittenLayer[] = []
  for (const layer of edit?.replaces === true ? [] : image.layers) {
    const { compression } = conversion
    const isKept = compression === null || layerCompression(layer) === compression
    written.push(isKept ? await describeLayer(layer, staging) : await convertLayer(layer, compression, staging))
  }
  if (edit !== null) written.push(...edit.added)
  const layers = written.map((layer, i) => typedLayer(layer, { family, image, number: i + 1 }))
  const others = edit?.replaces === true ? [] : otherBlobs(image)
  const config = writtenConfig(image, written, edit)
  const configType = family === 'oci' ? mediaType.config : mediaType.dockerConfig
  const document = {
    ...templateOf(image, family),
    schemaVersion: 2,
    mediaType: family === 'oci' ? mediaType.manifest : mediaType.dockerManifest,
    config: descriptorToJson(descriptor(configType, config.digest, config.raw.length)),
    layers: [...layers, ...others].map(descriptorToJson),
  }
  const manifest = formatDocumentBytes(document)
  const own = descriptor(document.mediaType, digestOf(manifest), manifest.length)
  return {
    descriptor: { ...own, platform: listedPlatform(image) },
    blobs: distinct([
      bytesOutput(manifest),
      bytesOutput(config.raw, config.digest),
      ...written.map(({ content }) => content),
      ...others.map(other => foundBlob(image, other)),
    ]),
    isNewManifest: true,
  }
}

/** An image that is not changed, for an OCI layout or archive, under its names. */
export function ociContent(written: WrittenImage, names: readonly ImageName[]): OciContent {
  return { form: 'oci', names, roots: [written.descriptor], blobs: written.blobs }
}

/** Each digest once: layers may repeat. */
export function distinct(blobs: readonly OutputBlob[]): readonly OutputBlob[] {
  return [...new Map(blobs.map(blob => [blob.digest, blob])).values()]
}

/** Whether a conversion makes another image of this one. */
export function isChanged(image: Image, { family, compression }: Conversion): boolean {
  if (family !== null && family !== familyOf(image)) return true
  return compression !== null && image.layers.some(layer => layerCompression(layer) !== compression)
}

/** The family of an image's manifest; OCI where it has none. */
function familyOf({ manifest }: Image): ManifestFamily {
  if (manifest === null) return 'oci'
  const type = manifest.parsed.mediaType ?? manifest.parsed.config.mediaType
  return type === mediaType.dockerManifest || type === mediaType.dockerConfig ? 'docker' : 'oci'
}

/** The manifest and everything that it names, also what is no layer. */
function asItIs(image: Image, manifest: NonNullable<Image['manifest']>): WrittenImage {
  const { parsed, raw, digest } = manifest
  const blobs = parsed.layers.map(each => foundBlob(image, each))
  const { config } = parsed
  const type = parsed.mediaType ?? listedType(image) ?? mediaType.manifest
  return {
    descriptor: { ...descriptor(type, digest, raw.length), platform: listedPlatform(image) },
    blobs: distinct([bytesOutput(raw, digest), bytesOutput(image.config.raw, config.digest), ...blobs]),
    isNewManifest: false,
  }
}

/** What a manifest lists among its layers without being one. */
function otherBlobs({ manifest, layers }: Image): readonly Descriptor[] {
  return (manifest?.parsed.layers ?? []).filter(each => layers.every(({ descriptor: own }) => own !== each))
}

function foundBlob(image: Image, wanted: Descriptor): OutputBlob {
  const layer = image.layers.find(each => each.descriptor === wanted)
  const blob = layer?.blob ?? image.blobs?.find(wanted.digest)
  const what = layer === undefined ? `a blob of ${image.title}` : `layer ${layer.number} of ${image.title}`
  if (blob !== undefined && blob !== null) return describedBlob(wanted, { blob, what })
  throw new OvlError(
    'BLOB_MISSING',
    `Cannot copy ${image.title}: blob ${wanted.digest} is not in ${image.blobs?.name}`,
    {
      data: { digest: wanted.digest },
    },
  )
}

/** Members of the old manifest that stay: annotations and what ovl does not know. Docker's manifests have none. */
function templateOf({ manifest }: Image, family: ManifestFamily): JsonObject {
  if (manifest === null || family === 'docker') return {}
  return JSON.parse(new TextDecoder().decode(manifest.raw)) as JsonObject
}

/** The descriptor of a layer in a family. Errors: UNSUPPORTED. */
function typedLayer(
  { descriptor: written, compression }: WrittenLayer,
  { family, image, number }: { readonly family: ManifestFamily; readonly image: Image; readonly number: number },
): Descriptor {
  const foreign = layerMediaType(written.mediaType)?.foreign === true
  const type = layerTypeOf(family, { compression, foreign })
  if (type !== null) return { ...written, mediaType: type }
  const subject = family === 'oci' ? 'the image specification' : 'the Docker format'
  throw new OvlError(
    'UNSUPPORTED',
    `Cannot write ${image.title}: layer ${number} is compressed with ${compression}, for which ${subject} has no type`,
    { hint: 'compress its layers anew: --compress gzip', data: { layer: number, compression } },
  )
}

/** What an index says the image is for, so that readers need not open its config. */
function listedPlatform(image: Image): Descriptor['platform'] {
  return listing(image)?.platform ?? null
}

function listedType(image: Image): string | null {
  const type = listing(image)?.mediaType
  return type !== undefined && mediaTypeKind(type) === 'manifest' ? type : null
}

function listing({ indexes, manifest }: Image): Descriptor | undefined {
  return indexes.at(-1)?.parsed.manifests.find(({ digest }) => digest === manifest?.digest)
}
