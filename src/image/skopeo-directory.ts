// skopeo's `dir:` form: manifest.json as it was in the registry, blobs beside it named by their hexadecimal digits,
// the manifests of an index as HEX.manifest.json.

import { OvlError } from '../errors/index.ts'
import { descriptor, digestHex, mediaType, mediaTypeKind, parseIndex, parseJson, parseManifest } from '../oci/index.ts'
import { assembleChosen, assembleManifest } from './assemble.ts'
import { chooseManifest } from './choose-manifest.ts'
import { digestOf, readWhole } from './documents.ts'
import type { Files } from './files.ts'
import { type Request, tagNotFound } from './request.ts'
import { type ImageRoots, imageRoots } from './roots.ts'
import type { BlobSource, Image } from './types.ts'

/** Opens the image of a skopeo directory. */
export function openSkopeoDirectory(files: Files, request: Request): Image {
  const { selector } = request
  const { raw, where, json } = readManifestFile(files, request)
  const blobs = directoryBlobs(files)
  if (isIndex(json)) {
    const root = { raw, digest: digestOf(raw), parsed: parseIndex(json, where) }
    const context = { blobs, request, form: 'directory', location: files.location }
    return assembleChosen(chooseManifest(root, context), { files, blobs, transport: 'dir', request })
  }
  const manifest = { raw, digest: digestOf(raw), parsed: parseManifest(json, where) }
  const isOther =
    selector.digest !== null && ![manifest.digest, manifest.parsed.config.digest].includes(selector.digest)
  if (selector.name !== null || (selector.position ?? 0) > 0 || isOther)
    throw onlyImage(files, request, manifest.digest)
  return assembleManifest(manifest, { files, blobs, transport: 'dir', request, names: [], indexes: [], listed: null })
}

/** Opens the index that a skopeo directory holds; null when it holds a single manifest. */
export function openSkopeoRoots(files: Files, request: Request): ImageRoots | null {
  const { raw, where, json } = readManifestFile(files, request)
  if (!isIndex(json)) return null
  const index = parseIndex(json, where)
  const blobs = directoryBlobs(files)
  // No blob has the name of its digest: it stands in manifest.json.
  const root = { ...descriptor(index.mediaType ?? mediaType.index, digestOf(raw), raw.length), embedded: raw }
  return imageRoots([root], { title: files.location, files, blobs, transport: 'dir', request })
}

function readManifestFile(
  files: Files,
  { limits }: Request,
): { readonly raw: Uint8Array; readonly where: string; readonly json: unknown } {
  const file = files.open('manifest.json')
  if (file === null) throw new Error('Impossible: recognised by manifest.json, which is not there')
  const raw = readWhole(file, limits)
  const where = file.location
  return { raw, where, json: parseJson(raw, { where, maxBytes: limits.jsonBytes }) }
}

function onlyImage(files: Files, { selector }: Request, digest: string): OvlError {
  const images = [{ names: [], fallback: digest }]
  return tagNotFound(selector, { form: 'directory', location: files.location, images })
}

function directoryBlobs(files: Files): BlobSource {
  return {
    name: 'the directory',
    find(digest) {
      const hex = digestHex(digest)
      const algorithm = digest.slice(0, digest.indexOf(':'))
      // Names differ by version of the form and by algorithm.
      for (const name of [hex, `${hex}.manifest.json`, `${hex}.tar`, `${algorithm}-${hex}`]) {
        const blob = files.open(name)
        if (blob !== null) return blob
      }
      return null
    },
  }
}

function isIndex(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false
  const { mediaType: type } = json as { readonly mediaType?: unknown }
  return typeof type === 'string' ? mediaTypeKind(type) === 'index' : Object.hasOwn(json, 'manifests')
}
