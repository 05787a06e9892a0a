// OCI image layouts, as a directory or inside a tar archive: image-spec image-layout.md.

import { OvlError } from '../errors/index.ts'
import { checkLayoutFile, digestHex, parseIndex } from '../oci/index.ts'
import { assembleChosen } from './assemble.ts'
import { chooseManifest } from './choose-manifest.ts'
import { type BlobSource, readDocument } from './documents.ts'
import type { Files } from './files.ts'
import type { Request } from './request.ts'
import type { Image } from './types.ts'

/** Opens the image of a layout that the request means. */
export function openOciLayout(files: Files, request: Request): Image {
  const { limits, warn } = request
  const { location } = files
  checkLayout(files, request)
  const indexFile = files.open('index.json')
  if (indexFile === null) {
    throw new OvlError('NOT_AN_IMAGE', `Cannot open ${location} as an image: it is an OCI layout without index.json`, {
      data: { path: location },
    })
  }
  const index = readDocument(indexFile, { limits, parse: parseIndex })
  const isArchive = files.kind === 'archive'
  const blobs = layoutBlobs(files)
  const form = isArchive ? 'oci archive' : 'oci layout'
  const chosen = chooseManifest(index, { blobs, request: { ...request, warn }, form, location })
  return assembleChosen(chosen, { files, blobs, transport: isArchive ? 'oci-archive' : 'oci', request })
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
