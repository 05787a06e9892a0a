// The oldest docker save form, without manifest.json: one directory per layer with `json` and `layer.tar`, chained by
// parent, and a `repositories` file with the tags. There are no diff IDs, so the layers' bytes cannot be verified.

import { OvlError, quote } from '../errors/index.ts'
import { parseImageConfig, parseRepositories, parseV1Image, type V1Image } from '../oci/index.ts'
import { archiveParts, assembleImage, imageTitle, type LayerParts, missingBlob } from './assemble.ts'
import { digestOf, readDocument } from './documents.ts'
import type { Files } from './files.ts'
import { chooseImage, type Named, type Request } from './request.ts'
import type { Image, ImageDocument } from './types.ts'
import type { ImageConfig } from '../oci/index.ts'

/** True when an archive without manifest.json is of this form. */
export function isLegacyArchive(names: readonly string[]): boolean {
  return imageIDs(names).length > 0
}

/** Opens the image of a legacy archive that the request means. */
export function openLegacyArchive(files: Files, request: Request): Image {
  const { location } = files
  const chosen = choose(files, request)
  const { names } = chosen
  const title = imageTitle(files, request, names)
  const chain = readChain(chosen.id, { files, request, title })
  const layers = chain.map(({ id }, i): LayerParts => {
    const path = `${id}/layer.tar`
    const missing = { number: i + 1, title, what: path, where: 'the archive', descriptor: null, request }
    return { descriptor: null, mediaType: null, blob: files.open(path) ?? missingBlob(missing) }
  })
  request.warn({
    code: 'IMAGE_DOCUMENT',
    message: `${location} has no manifest.json: nothing in it says what its layers should be`,
  })
  const config = synthesise(chain.map(({ image }) => image))
  return assembleImage({ ...archiveParts, files, request, names, config, layers, title })
}

type Candidate = Named & { readonly id: string }

type Link = { readonly id: string; readonly image: V1Image }

function choose(files: Files, request: Request): Candidate {
  return chooseImage(candidatesOf(files, request), {
    selector: request.selector,
    location: files.location,
    hasDigest: ({ id }, digest) => `sha256:${id}` === digest,
    identity: ({ id }) => id,
  })
}

/** The tagged images; in an archive without tags, the images that are no one's parent. */
function candidatesOf(files: Files, request: Request): readonly Candidate[] {
  const file = files.open('repositories')
  const tags = file === null ? [] : readDocument(file, { limits: request.limits, parse: parseRepositories }).parsed
  if (tags.length > 0) {
    const ids = [...new Set(tags.map(({ id }) => id))]
    return ids.map(id => ({
      id,
      fallback: `sha256:${id}`,
      names: tags.filter(tag => tag.id === id).map(({ name }) => name),
    }))
  }
  const ids = imageIDs(files.names())
  const parents = new Set(ids.map(id => readV1(id, { files, request })?.parent))
  return ids.filter(id => !parents.has(id)).map(id => ({ id, names: [], fallback: `sha256:${id}` }))
}

/** From the image down to its base, given base first. */
function readChain(
  top: string,
  context: { readonly files: Files; readonly request: Request; readonly title: string },
): readonly Link[] {
  const chain: Link[] = []
  const seen = new Set<string>()
  for (let id: string | null = top; id !== null; ) {
    if (seen.has(id)) throw badChain(context.title, `layer ${quote(id)} is its own ancestor`)
    seen.add(id)
    const image = readV1(id, context)
    if (image === null) throw badChain(context.title, `${quote(`${id}/json`)} is not in the archive`)
    chain.unshift({ id, image })
    id = image.parent
  }
  return chain
}

function readV1(id: string, context: { readonly files: Files; readonly request: Request }): V1Image | null {
  const file = /^[0-9a-f]{64}$/.test(id) ? context.files.open(`${id}/json`) : null
  return file === null ? null : readDocument(file, { limits: context.request.limits, parse: parseV1Image }).parsed
}

function badChain(title: string, fact: string): OvlError {
  return new OvlError('BLOB_MISSING', `Cannot follow the layers of ${title}: ${fact}`)
}

/** The config that a newer docker save would have written, as far as version 1 tells it. */
function synthesise(chain: readonly V1Image[]): ImageDocument<ImageConfig> {
  const top = chain.at(-1)
  const json = {
    ...(top?.created === null ? {} : { created: top?.created }),
    ...(top?.author === null ? {} : { author: top?.author }),
    architecture: top?.platform.architecture ?? '',
    os: top?.platform.os ?? '',
    ...(top === undefined || top.rawConfig === null ? {} : { config: top.rawConfig }),
    rootfs: { type: 'layers', diff_ids: [] },
    history: chain.map(({ history }) => ({
      ...(history.created === null ? {} : { created: history.created }),
      ...(history.createdBy === null ? {} : { created_by: history.createdBy }),
      ...(history.author === null ? {} : { author: history.author }),
      ...(history.comment === null ? {} : { comment: history.comment }),
    })),
  }
  const raw = new TextEncoder().encode(JSON.stringify(json))
  return { raw, digest: digestOf(raw), parsed: parseImageConfig(json, 'config made from version 1 images') }
}

/** Names of directories that hold a layer. */
function imageIDs(names: readonly string[]): readonly string[] {
  const all = new Set(names)
  return names.flatMap(name => {
    const id = /^([0-9a-f]{64})\/layer\.tar$/.exec(name)?.[1]
    return id !== undefined && all.has(`${id}/json`) ? [id] : []
  })
}
