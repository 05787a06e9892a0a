// An image with all its platforms and whatever else its index lists: what a name stands for in an index, and everything
// below that, unopened.

import { OvlError } from '../errors/index.ts'
import { type Descriptor, digestHex, mediaTypeKind, parseIndex, parseManifest } from '../oci/index.ts'
import { assembleChosen } from './assemble.ts'
import { bytesBlob } from './blob.ts'
import { readDescribed } from './documents.ts'
import type { Files } from './files.ts'
import type { Request } from './request.ts'
import type { Blob, BlobSource, Image, Transport } from './types.ts'

/** What a name stands for: one index or manifest, or several manifests that an index lists under one name. */
export interface ImageRoots {
  readonly title: string
  readonly roots: readonly Descriptor[]
  readonly blobs: BlobSource
  readonly request: Request
  /** Opens one of the manifests below the roots as an image, whatever its platform. */
  openManifest(descriptor: Descriptor): Image
  close(): void
}

/** Roots, and what they were read from. */
export function imageRoots(
  roots: readonly Descriptor[],
  context: {
    readonly title: string
    readonly files: Files
    readonly blobs: BlobSource
    readonly transport: Transport
    readonly request: Request
  },
): ImageRoots {
  const { title, files, blobs, transport, request } = context
  // That an image is for another platform than this machine's is the point here.
  const anyPlatform: Request = { ...request, platformAsked: false, warn() {} }
  return {
    title,
    roots,
    blobs,
    request,
    openManifest: descriptor =>
      assembleChosen({ descriptor, names: [], indexes: [] }, { files, blobs, transport, request: anyPlatform }),
    close: () => files.close(),
  }
}

/** A blob below the roots, and what is inside it where it is a document. */
export type TreeBlob = {
  readonly descriptor: Descriptor
  readonly blob: Blob
  /** Null for what is neither index nor manifest. */
  readonly raw: Uint8Array | null
}

/**
 * Every blob below some descriptors, each once, documents verified. Errors: BLOB_MISSING, LIMIT_EXCEEDED for indexes
 * inside indexes, and those of documents.
 */
export function blobsBelow(tree: ImageRoots, descriptors: readonly Descriptor[] = tree.roots): readonly TreeBlob[] {
  const found = new Map<string, TreeBlob>()
  const visit = (descriptor: Descriptor, depth: number): void => {
    if (found.has(descriptor.digest)) return
    if (depth > tree.request.limits.indexNesting + 1) throw tooDeep(tree)
    const blob = blobOf(tree, descriptor)
    const children = childrenOf(tree, descriptor)
    found.set(descriptor.digest, { descriptor, blob, raw: children?.raw ?? null })
    for (const child of children?.below ?? []) visit(child, depth + 1)
  }
  for (const descriptor of descriptors) visit(descriptor, 1)
  return [...found.values()]
}

type Children = { readonly raw: Uint8Array; readonly below: readonly Descriptor[] }

function childrenOf({ blobs, request }: ImageRoots, descriptor: Descriptor): Children | null {
  const { limits } = request
  const kind = mediaTypeKind(descriptor.mediaType)
  if (kind === 'index') {
    const { raw, parsed } = readDescribed(descriptor, { what: 'index', blobs, limits, parse: parseIndex })
    return { raw, below: parsed.manifests }
  }
  if (kind !== 'manifest') return null
  const { raw, parsed } = readDescribed(descriptor, { what: 'manifest', blobs, limits, parse: parseManifest })
  return { raw, below: [parsed.config, ...parsed.layers] }
}

function blobOf({ blobs, title }: ImageRoots, { digest, embedded, platform }: Descriptor): Blob {
  const blob = embedded === null ? blobs.find(digest) : bytesBlob(embedded, `${digestHex(digest)} in its descriptor`)
  if (blob !== null) return blob
  const of = platform === null ? '' : ` (${platform.os}/${platform.architecture})`
  throw new OvlError('BLOB_MISSING', `Cannot copy all of ${title}: blob ${digest}${of} is not in ${blobs.name}`, {
    hint: 'copy one platform: leave --all out',
    data: { digest },
  })
}

function tooDeep({ title, request }: ImageRoots): OvlError {
  const { indexNesting: limit } = request.limits
  return new OvlError('LIMIT_EXCEEDED', `Cannot read ${title}: more than ${limit} indexes inside indexes`, {
    data: { limit },
  })
}
