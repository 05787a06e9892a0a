// OCI image layouts, as a directory or inside a tar archive: image-spec image-layout.md.

import { OvlError } from '../errors/index.ts'
import { checkLayoutFile, digestHex, type ImageIndex, parseIndex } from '../oci/index.ts'
import { assembleChosen } from './assemble.ts'
import { chooseManifest, chooseRoots, type IndexContext, titleOf } from './choose-manifest.ts'
import { readDocument } from './documents.ts'
import type { Files } from './files.ts'
import type { Request } from './request.ts'
import { type ImageRoots, imageRoots } from './roots.ts'
import type { BlobSource, Image, ImageDocument } from './types.ts'

/** Opens the image of a layout that the request means. */
export function openOciLayout(files: Files, request: Request): Image {
  const { index, context } = readLayout(files, request)
  const { blobs } = context
  const transport = files.kind === 'archive' ? 'oci-archive' : 'oci'
  return assembleChosen(chooseManifest(index, context), { files, blobs, transport, request })
}

/** Opens what a name stands for in the index of a layout, with all its platforms. */
export function openLayoutRoots(files: Files, request: Request): ImageRoots {
  const { index, context } = readLayout(files, request)
  const { blobs } = context
  const transport = files.kind === 'archive' ? 'oci-archive' : 'oci'
  return imageRoots(chooseRoots(index, context), { title: titleOf(context), files, blobs, transport, request })
}

function readLayout(
  files: Files,
  request: Request,
): { readonly index: ImageDocument<ImageIndex>; readonly context: IndexContext } {
  const { limits } = request
  const { location } = files
  checkLayout(files, request)
  const indexFile = files.open('index.json')
  if (indexFile === null) {
    throw new OvlError('NOT_AN_IMAGE', `Cannot open ${location} as an image: it is an OCI layout without index.json`, {
      data: { path: location },
    })
  }
  const index = readDocument(indexFile, { limits, parse: parseIndex })
  const form = files.kind === 'archive' ? 'oci archive' : 'oci layout'
  return { index, context: { blobs: layoutBlobs(files), request, form, location } }
}

/** The blobs of a layout: `blobs/ALGORITHM/ENCODED`. */
export function layoutBlobs(files: Files): BlobSource {
  return {
    name: files.kind === 'archive' ? 'the archive' : 'the layout',
    find: digest => files.open(`blobs/${digest.slice(0, digest.indexOf(':'))}/${digestHex(digest)}`),
  }
}

/** The oci-layout file is required, but what index.json says is clear without it. */
function checkLayout(files: Files, { limits, warn }: Request): void {
  const marker = files.open('oci-layout')
  if (marker === null) {
    warn({ code: 'IMAGE_DOCUMENT', message: `${files.location} has no oci-layout file` })
    return
  }
  readDocument(marker, { limits, parse: checkLayoutFile })
}
