// Which manifest of an index is meant: by name, number or digest, then by platform. An index may hold indexes; its
// attestations are no images; what is of an unknown type is passed over (image-spec image-index.md, "manifests").

import { escapeControls, OvlError } from '../errors/index.ts'
import {
  containerdNameAnnotation,
  type Descriptor,
  type Digest,
  type ImageIndex,
  isAttestation,
  type Manifest,
  mediaTypeKind,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parseReference,
  type Platform,
  refNameAnnotation,
} from '../oci/index.ts'
import { readDescribed } from './documents.ts'
import {
  ambiguous,
  bestNamed,
  listed,
  type Named,
  platformNotFound,
  platformRank,
  type Request,
  tagNotFound,
} from './request.ts'
import type { BlobSource, ImageDocument } from './types.ts'

/** An image manifest that an index leads to. */
export type ChosenManifest = {
  readonly descriptor: Descriptor
  readonly names: readonly string[]
  /** The indexes passed, outermost first. */
  readonly indexes: readonly ImageDocument<ImageIndex>[]
}

/** Where the index stands and what the user asked for. */
export type IndexContext = {
  readonly blobs: BlobSource
  readonly request: Request
  /** "oci layout", "oci archive": for messages. */
  readonly form: string
  readonly location: string
}

/**
 * Chooses one manifest. Errors: TAG_NOT_FOUND, PLATFORM_NOT_FOUND and IMAGE_AMBIGUOUS, each listing what there is;
 * NOT_AN_IMAGE when there is no image at all; BLOB_MISSING, LIMIT_EXCEEDED and those of documents on the way.
 */
export function chooseManifest(root: ImageDocument<ImageIndex>, context: IndexContext): ChosenManifest {
  const roots = namedRoots(root.parsed)
  const images = roots.filter(({ descriptor }) => isImage(descriptor, context))
  if (images.length === 0) throw noImages(roots, context)
  const wanted = selectRoots(roots, { root, images, context })
  const leaves = new Map<Digest, Leaf>()
  for (const { descriptor, names } of wanted) {
    collectLeaves({ descriptor, names, indexes: [root] }, { context, leaves, seen: new Set(), isRoot: true })
  }
  const { digest } = context.request.selector
  const fitting =
    digest === null ? [...leaves.values()] : [...leaves.values()].filter(leaf => isUnder(leaf, digest, context))
  if (fitting.length === 0) throw tagNotFound(context.request.selector, { ...context, images })
  return choosePlatform(fitting, context)
}

/**
 * What is meant with all its platforms: one index or manifest of the outermost index, or several manifests of one name.
 * An image of several names is there once for each. Errors: TAG_NOT_FOUND, IMAGE_AMBIGUOUS, NOT_AN_IMAGE.
 */
export function chooseRoots(root: ImageDocument<ImageIndex>, context: IndexContext): readonly Descriptor[] {
  const roots = namedRoots(root.parsed)
  const images = roots.filter(({ descriptor }) => isImage(descriptor, context))
  if (images.length === 0) throw noImages(roots, context)
  const { selector } = context.request
  const { digest } = selector
  const selected = selectRoots(roots, { root, images, context })
  const fitting = digest === null ? selected : selected.filter(each => each.descriptor.digest === digest)
  if (fitting.length === 0) throw tagNotFound(selector, { ...context, images })
  const digests = new Set(fitting.map(({ descriptor }) => descriptor.digest))
  // All entries of these digests, for each may carry another name.
  return root.parsed.manifests.filter(entry => digests.has(entry.digest))
}

/** One descriptor of the outermost index; several of one digest are one image with several names. */
type Root = Named & {
  readonly descriptor: Descriptor /** Positions in the index. */
  readonly positions: readonly number[]
}

type Leaf = ChosenManifest & { readonly isRoot: boolean }

function namedRoots(index: ImageIndex): readonly Root[] {
  const roots = new Map<Digest, Root>()
  for (const [position, descriptor] of index.manifests.entries()) {
    const earlier = roots.get(descriptor.digest)
    roots.set(descriptor.digest, {
      descriptor: earlier?.descriptor ?? descriptor,
      names: [...new Set([...(earlier?.names ?? []), ...namesOf(descriptor)])],
      fallback: descriptor.digest,
      positions: [...(earlier?.positions ?? []), position],
    })
  }
  return [...roots.values()]
}

/** containerd writes the full name beside a ref.name that is only its tag. */
function namesOf({ annotations }: Descriptor): readonly string[] {
  const refName = annotations.get(refNameAnnotation)
  const fullName = annotations.get(containerdNameAnnotation)
  if (fullName === undefined) return refName === undefined ? [] : [refName]
  return refName === undefined || parseReference(fullName)?.tag === refName ? [fullName] : [refName, fullName]
}

function isImage(descriptor: Descriptor, { request }: IndexContext): boolean {
  if (isAttestation(descriptor)) return false
  const kind = mediaTypeKind(descriptor.mediaType)
  if (kind === 'manifest' || kind === 'index' || kind === 'schema1') return true
  request.warn({
    code: 'MEDIA_TYPE',
    message: `an index lists ${escapeControls(descriptor.mediaType)}, which is no image: ignored`,
  })
  return false
}

function noImages(roots: readonly Root[], { location }: IndexContext): OvlError {
  const types = [...new Set(roots.map(({ descriptor }) => descriptor.mediaType))]
  const fact = types.length === 0 ? 'its index is empty' : `its index lists no image, but ${listed(types)}`
  return new OvlError('NOT_AN_IMAGE', `Cannot open ${location} as an image: ${fact}`, { data: { path: location } })
}

/** The roots that the selector means. Without one, several roots must be one image for several platforms. */
function selectRoots(
  roots: readonly Root[],
  more: {
    readonly root: ImageDocument<ImageIndex>
    readonly images: readonly Root[]
    readonly context: IndexContext
  },
): readonly Root[] {
  const { images, context } = more
  const { selector } = context.request
  const notFound = (): OvlError => tagNotFound(selector, { ...context, images })
  if (selector.position !== null) {
    const position = selector.position
    const found = roots.find(({ positions }) => positions.includes(position))
    if (found === undefined) throw notFound()
    return [found]
  }
  if (selector.name !== null) {
    const found = bestNamed(selector.name, images)
    if (found.length === 0) throw notFound()
    if (new Set(found.map(({ names }) => names.join('\n'))).size > 1) throw ambiguous(context.location, found)
    return found
  }
  if (selector.digest !== null) return images
  const groups = new Set(images.map(({ names }) => names.join('\n')))
  if (groups.size > 1) throw ambiguous(context.location, images)
  return images
}

type Walk = {
  readonly context: IndexContext
  readonly leaves: Map<Digest, Leaf>
  /** Indexes read already: what they lead to is known, however often they are named. */
  readonly seen: Set<Digest>
  readonly isRoot: boolean
}

function collectLeaves(at: ChosenManifest, walk: Walk): void {
  const { descriptor, names, indexes } = at
  const { context, leaves, seen, isRoot } = walk
  const kind = mediaTypeKind(descriptor.mediaType)
  if (kind !== 'index') {
    if (!leaves.has(descriptor.digest)) leaves.set(descriptor.digest, { ...at, isRoot })
    return
  }
  if (seen.has(descriptor.digest)) return
  seen.add(descriptor.digest)
  const { limits } = context.request
  if (indexes.length > limits.indexNesting) {
    throw new OvlError(
      'LIMIT_EXCEEDED',
      `Cannot read ${context.location}: more than ${limits.indexNesting} indexes inside indexes`,
      {
        data: { limit: limits.indexNesting },
      },
    )
  }
  const index = readDescribed(descriptor, { what: 'index', blobs: context.blobs, limits, parse: parseIndex })
  for (const child of index.parsed.manifests) {
    if (!isImage(child, context)) continue
    collectLeaves({ descriptor: child, names, indexes: [...indexes, index] }, { ...walk, isRoot: false })
  }
}

/** A digest means a manifest, an index above it, or the config: the image ID. */
function isUnder(leaf: Leaf, digest: Digest, context: IndexContext): boolean {
  if (leaf.descriptor.digest === digest || leaf.indexes.some(index => index.digest === digest)) return true
  return readManifest(leaf, context)?.config.digest === digest
}

/** The manifest of a leaf; null when it is not there or no manifest. */
function readManifest({ descriptor }: Leaf, { blobs, request }: IndexContext): Manifest | null {
  const isPresent = descriptor.embedded !== null || blobs.find(descriptor.digest) !== null
  if (!isPresent || mediaTypeKind(descriptor.mediaType) !== 'manifest') return null
  return readDescribed(descriptor, { what: 'manifest', blobs, limits: request.limits, parse: parseManifest }).parsed
}

function choosePlatform(leaves: readonly Leaf[], context: IndexContext): ChosenManifest {
  const { request, location } = context
  const [first] = leaves
  if (first !== undefined && leaves.length === 1) return first
  const offers = leaves.map(leaf => ({ leaf, ...offerOf(leaf, context) }))
  const ranked = offers.map(offer => ({ ...offer, rank: platformRank(request, offer.platform) }))
  const there = offers.filter(({ isPresent }) => isPresent)
  const fitting = ranked.filter(({ rank }) => rank !== null).toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
  const present = fitting.filter(offer => offer.isPresent)
  const [best] = present.length > 0 ? present : fitting
  if (best !== undefined) {
    const equals = present.filter(({ leaf, rank }) => rank === best.rank && leaf.isRoot)
    // In one index the first match counts; several roots that match are several images.
    if (equals.length > 1)
      throw ambiguous(
        location,
        equals.map(({ leaf }) => ({ names: [], fallback: leaf.descriptor.digest })),
      )
    if (best.isPresent || request.platformAsked || there.length === 0) return best.leaf
  }
  const [only] = there
  if (only !== undefined && there.length === 1 && !request.platformAsked) return only.leaf
  throw platformNotFound(
    request,
    (there.length > 0 ? there : offers).map(({ platform }) => platform),
    titleOf(context),
  )
}

type Offer = { readonly platform: Platform; readonly isPresent: boolean }

/** What a leaf is for: its descriptor says it, or else its config. */
function offerOf(leaf: Leaf, context: IndexContext): Offer {
  const { descriptor } = leaf
  const { blobs, request } = context
  const isPresent = descriptor.embedded !== null || blobs.find(descriptor.digest) !== null
  if (descriptor.platform !== null) return { platform: descriptor.platform, isPresent }
  const config = readManifest(leaf, context)?.config
  if (config === undefined || (config.embedded === null && blobs.find(config.digest) === null))
    return { platform: unknown, isPresent }
  const parsed = readDescribed(config, {
    what: 'config',
    blobs,
    limits: request.limits,
    parse: parseImageConfig,
  }).parsed
  return { platform: parsed.platform, isPresent }
}

const unknown: Platform = { os: '', architecture: '', variant: '', osVersion: '', osFeatures: [] }

/** "multi:latest": the location, and the name that was asked for. */
export function titleOf({ location, request }: Pick<IndexContext, 'location' | 'request'>): string {
  const { name } = request.selector
  return name === null ? location : `${location}:${escapeControls(name)}`
}
