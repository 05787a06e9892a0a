// docker-archive: a tar of `docker save`, with manifest.json. Layers are named by member, and only their diff IDs are
// known, unless the member is a blob of an OCI layout in the same archive.

import { OvlError, quote } from '../errors/index.ts'
import {
  type ArchiveImage,
  type Descriptor,
  descriptor,
  type Digest,
  isDigest,
  mediaType,
  parseArchiveManifest,
  parseImageConfig,
  type ImageConfig,
} from '../oci/index.ts'
import { cleanLayerPath } from '../path/index.ts'
import { archiveParts, assembleImage, checkLayerCount, imageTitle, type LayerParts, missingBlob } from './assemble.ts'
import { digestOf, readDocument } from './documents.ts'
import type { Files } from './files.ts'
import { chooseImage, type Named, type Request } from './request.ts'
import type { Image, ImageDocument } from './types.ts'

/** Opens the image of a docker-archive that the request means. */
export function openDockerArchive(files: Files, request: Request): Image {
  const { limits } = request
  const manifestFile = files.open('manifest.json')
  if (manifestFile === null) throw new Error('Impossible: recognised by manifest.json, which is not there')
  const images = readDocument(manifestFile, { limits, parse: parseArchiveManifest }).parsed
  if (images.length === 0) {
    throw new OvlError('NOT_AN_IMAGE', `Cannot open ${files.location} as an image: its manifest.json lists none`, {
      data: { path: files.location },
    })
  }
  const chosen = choose(images, { files, request })
  const names = chosen.image.repoTags
  const title = imageTitle(files, request, names)
  const config = readConfig(chosen.image, files, request)
  const { diffIDs } = config.parsed
  checkLayerCount({ layers: chosen.image.layers.length, diffIDs: diffIDs.length, title })
  const layers = chosen.image.layers.map((path, i) =>
    layerOf(path, { number: i + 1, diffID: diffIDs[i], chosen, files, request, title }),
  )
  return assembleImage({ ...archiveParts, files, request, names, config, layers, title })
}

type Candidate = Named & { readonly image: ArchiveImage }

function choose(
  images: readonly ArchiveImage[],
  { files, request }: { readonly files: Files; readonly request: Request },
): Candidate {
  const candidates = images.map((image, i): Candidate => ({ image, names: image.repoTags, fallback: `@${i}` }))
  return chooseImage(candidates, {
    selector: request.selector,
    location: files.location,
    hasDigest: ({ image }, digest) => readConfig(image, files, request).digest === digest,
    identity: ({ image }) => image.config, // one image may be listed once per name
  })
}

function readConfig(image: ArchiveImage, files: Files, { limits, warn }: Request): ImageDocument<ImageConfig> {
  const { path } = cleanLayerPath(image.config)
  const file = files.open(path)
  if (file === null) {
    throw new OvlError(
      'BLOB_MISSING',
      `Cannot read the config of ${files.location}: ${quote(image.config)} is not in it`,
      {
        data: { path: image.config },
      },
    )
  }
  const config = readDocument(file, { limits, parse: parseImageConfig })
  const expected = blobDigest(path)
  if (expected !== null) {
    const got = digestOf(config.raw, expected.startsWith('sha512:') ? 'sha512' : 'sha256')
    if (got !== expected) throw configMismatch(file.location, { expected, got })
  } else {
    // Docker names the file by its digest, but nothing but the name promises it: edited archives load everywhere.
    const hex = /(?:^|[:/])([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1]
    if (hex !== undefined && config.digest !== `sha256:${hex}`) {
      warn({
        code: 'IMAGE_DOCUMENT',
        message: `${file.location}: its digest is ${config.digest}, not what its name says`,
      })
    }
  }
  return config
}

function configMismatch(location: string, digests: { readonly expected: Digest; readonly got: Digest }): OvlError {
  const { expected, got } = digests
  return new OvlError('DIGEST_MISMATCH', `Cannot use config ${location}: it does not match its digest`, {
    facts: [`expected ${expected}  got ${got}`],
    data: { path: location, expected, got },
  })
}

function layerOf(
  name: string,
  context: {
    readonly number: number
    readonly diffID: Digest | undefined
    readonly chosen: Candidate
    readonly files: Files
    readonly request: Request
    readonly title: string
  },
): LayerParts {
  const { number, diffID, chosen, files, request, title } = context
  const { path } = cleanLayerPath(name)
  const source = diffID === undefined ? undefined : chosen.image.layerSources.get(diffID)
  const blob = files.open(path)
  if (blob === null) {
    const missing = { number, title, what: quote(name), where: 'the archive', descriptor: source ?? null, request }
    return { descriptor: source ?? null, mediaType: source?.mediaType ?? null, blob: missingBlob(missing) }
  }
  const described = describedLayer(path, { source, sizeBytes: blob.size })
  return { descriptor: described, mediaType: described?.mediaType ?? source?.mediaType ?? null, blob }
}

/** A blob's path tells its digest; a source of that digest tells the rest. */
function describedLayer(
  path: string,
  known: { readonly source: Descriptor | undefined; readonly sizeBytes: number },
): Descriptor | null {
  const digest = blobDigest(path)
  if (digest === null) return null
  const { source, sizeBytes } = known
  return source?.digest === digest ? source : descriptor(mediaType.dockerLayer, digest, sizeBytes)
}

/** The digest that a path of an OCI layout stands for. */
function blobDigest(path: string): Digest | null {
  const match = /^blobs\/(sha256|sha512)\/([0-9a-f]+)$/.exec(path)
  if (match === null) return null
  const digest = `${match[1]}:${match[2]}`
  return isDigest(digest) ? digest : null
}
