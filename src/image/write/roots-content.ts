// An image with all its platforms on its way: indexes, manifests, attestations and all they name, byte for byte; or with
// its images converted, and the indexes above them made anew.

import {
  type Descriptor,
  descriptor,
  type Digest,
  formatDocumentBytes,
  isAttestation,
  type JsonObject,
  type ManifestFamily,
  mediaType,
  mediaTypeKind,
  parseIndex,
  parseManifest,
  containerdNameAnnotation,
  refNameAnnotation,
} from '../../oci/index.ts'
import { digestOf, readDescribed } from '../documents.ts'
import { blobsBelow, type ImageRoots } from '../roots.ts'
import type { OciContent, Staging } from './content.ts'
import { type Conversion, describeImage, distinct, isChanged } from './image-content.ts'
import type { ImageName } from './names.ts'
import { bytesOutput, describedBlob, type OutputBlob } from './output-blob.ts'

/** The roots of an image, for an OCI layout or archive. Errors: those of `blobsBelow` and `describeImage`. */
export async function rootsContent(
  tree: ImageRoots,
  { conversion, names }: { readonly conversion: Conversion; readonly names: readonly ImageName[] },
  staging: Staging,
): Promise<OciContent> {
  const distinctRoots = [...new Map(tree.roots.map(root => [root.digest, root])).values()]
  const isKept = conversion.family === null && conversion.compression === null
  const blobs: OutputBlob[] = []
  const roots: Descriptor[] = []
  const run: Run = { tree, conversion, staging, blobs, renamed: new Map() }
  if (isKept) blobs.push(...keptBlobs(tree, distinctRoots))
  for (const root of distinctRoots) roots.push(withoutName(isKept ? root : await convert(root, run)))
  return { form: 'oci', names, roots, blobs: distinct(blobs) }
}

function keptBlobs(tree: ImageRoots, below: readonly Descriptor[]): readonly OutputBlob[] {
  return blobsBelow(tree, below).map(({ descriptor: own, blob, raw }) =>
    raw === null
      ? describedBlob(own, { blob, what: `blob ${own.digest} of ${tree.title}` })
      : bytesOutput(raw, own.digest),
  )
}

type Run = {
  readonly tree: ImageRoots
  readonly conversion: Conversion
  readonly staging: Staging
  readonly blobs: OutputBlob[]
  /** New digests of manifests by their old ones: attestations name what they are about. */
  readonly renamed: Map<string, Digest>
}

async function convert(from: Descriptor, run: Run): Promise<Descriptor> {
  const kind = mediaTypeKind(from.mediaType)
  if (kind === 'index') return convertIndex(from, run)
  const { tree, conversion, staging, blobs } = run
  const image = kind === 'manifest' && !isAttestation(from) ? openIfImage(tree, from) : null
  if (image === null || !isChanged(image, conversion)) {
    blobs.push(...keptBlobs(tree, [from]))
    return from
  }
  const written = await describeImage(image, conversion, staging)
  blobs.push(...written.blobs)
  const { digest, size, mediaType: type } = written.descriptor
  run.renamed.set(from.digest, digest)
  return { ...from, digest, size, mediaType: type, embedded: null }
}

/** Images first, then the attestations, which name their digests. */
async function convertIndex(from: Descriptor, run: Run): Promise<Descriptor> {
  const { blobs, request } = run.tree
  const { raw, parsed } = readDescribed(from, { what: 'index', blobs, limits: request.limits, parse: parseIndex })
  const children = new Map<Descriptor, Descriptor>()
  for (const child of parsed.manifests.toSorted((a, b) => Number(isAttestation(a)) - Number(isAttestation(b))))
    children.set(child, await convert(child, run))
  const document = JSON.parse(new TextDecoder().decode(raw)) as JsonObject & {
    readonly manifests: readonly JsonObject[]
  }
  const { family } = run.conversion
  const type = family === null ? (parsed.mediaType ?? from.mediaType) : indexTypes[family]
  const bytes = formatDocumentBytes({
    ...document,
    mediaType: type,
    manifests: document.manifests.map((entry, i) => {
      const { mediaType: childType, digest, size } = children.get(parsed.manifests[i] as Descriptor) as Descriptor
      if (digest === entry['digest']) return renameSubject(entry, run.renamed)
      const { data: _embedded, ...rest } = entry
      return { ...renameSubject(rest, run.renamed), mediaType: childType, digest, size }
    }),
  })
  run.blobs.push(bytesOutput(bytes))
  return { ...descriptor(type, digestOf(bytes), bytes.length), annotations: from.annotations, platform: from.platform }
}

const indexTypes: { readonly [family in ManifestFamily]: string } = {
  oci: mediaType.index,
  docker: mediaType.dockerIndex,
}

/** BuildKit's annotation on an attestation: the digest of the manifest that it is about. */
const subjectAnnotation = 'vnd.docker.reference.digest'

function renameSubject(entry: JsonObject, renamed: ReadonlyMap<string, Digest>): JsonObject {
  const annotations = entry['annotations'] as { readonly [key: string]: string } | undefined
  const subject = annotations?.[subjectAnnotation]
  const to = subject === undefined ? undefined : renamed.get(subject)
  return to === undefined ? entry : { ...entry, annotations: { ...annotations, [subjectAnnotation]: to } }
}

/** An artifact that stands among the platforms (a signature, a chart) is copied as it is. */
function openIfImage(tree: ImageRoots, from: Descriptor): ReturnType<ImageRoots['openManifest']> | null {
  const { blobs, request } = tree
  const { parsed } = readDescribed(from, { what: 'manifest', blobs, limits: request.limits, parse: parseManifest })
  return mediaTypeKind(parsed.config.mediaType) === 'config' ? tree.openManifest(from) : null
}

/** The entry of index.json gets its name when it is written; a document in its descriptor is written as a blob. */
function withoutName(root: Descriptor): Descriptor {
  const annotations = new Map(root.annotations)
  for (const key of nameKeys) annotations.delete(key)
  return { ...root, annotations, embedded: null }
}

const nameKeys = [refNameAnnotation, containerdNameAnnotation]
