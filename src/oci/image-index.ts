// Image indexes: image-spec image-index.md; Docker's manifest list, which differs in media types only; and the
// oci-layout file of image-layout.md.

import { OvlError, quote } from '../errors/index.ts'
import { type Descriptor, parseDescriptor } from './descriptor.ts'
import { documentField, optionalText, property, requiredItems, requiredText, textMap } from './field.ts'
import { checkHead } from './manifest.ts'

/** An image index (image-index.md) or Docker manifest list. */
export type ImageIndex = {
  /** As the document says; null when it does not say. */
  readonly mediaType: string | null
  readonly artifactType: string | null
  readonly manifests: readonly Descriptor[]
  readonly annotations: ReadonlyMap<string, string>
}

/** Annotations that give an image in an index its name. */
export const refNameAnnotation = 'org.opencontainers.image.ref.name'
/** Where containerd writes the full reference. */
export const containerdNameAnnotation = 'io.containerd.image.name'

/** Reads an image index or manifest list. Errors: BAD_DOCUMENT naming the field. */
export function parseIndex(json: unknown, where: string): ImageIndex {
  const document = documentField(json, where)
  const mediaType = checkHead(document, 'index')
  return {
    mediaType,
    artifactType: optionalText(property(document, 'artifactType')),
    manifests: requiredItems(property(document, 'manifests')).map(parseDescriptor),
    annotations: textMap(property(document, 'annotations')),
  }
}

/**
 * True for a manifest that describes another one (provenance, SBOM) and is no image itself: BuildKit's annotation, or
 * its platform unknown/unknown.
 */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  if (annotations.has('vnd.docker.reference.type')) return true
  return platform?.os === 'unknown' && platform.architecture === 'unknown'
}

/** Checks an oci-layout file. Errors: BAD_DOCUMENT; UNSUPPORTED for a version other than 1. */
export function checkLayoutFile(json: unknown, where: string): void {
  const version = requiredText(property(documentField(json, where), 'imageLayoutVersion'))
  if (/^1\.[0-9]+\.[0-9]+/.test(version)) return
  throw new OvlError('UNSUPPORTED', `Cannot use ${where}: layout version ${quote(version)} is unknown`, {
    facts: ['known is 1.0.0'],
    data: { where, version },
  })
}
