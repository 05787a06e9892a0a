// Image manifests: image-spec manifest.md, and Docker's schema 2, which differs in media types only.

import { OvlError } from '../errors/index.ts'
import { type Descriptor, parseDescriptor } from './descriptor.ts'
import {
  badField,
  documentField,
  type Field,
  isAbsent,
  optionalText,
  property,
  requiredItems,
  textMap,
} from './field.ts'
import { mediaTypeKind } from './media-types.ts'

/** An image manifest (manifest.md), OCI or Docker schema 2. */
export type Manifest = {
  /** As the document says; null when it does not say. */
  readonly mediaType: string | null
  readonly artifactType: string | null
  readonly config: Descriptor
  /** Base first. */
  readonly layers: readonly Descriptor[]
  readonly subject: Descriptor | null
  readonly annotations: ReadonlyMap<string, string>
}

/** Reads an image manifest. Errors: BAD_DOCUMENT naming the field; UNSUPPORTED for Docker's schema 1. */
export function parseManifest(json: unknown, where: string): Manifest {
  const document = documentField(json, where)
  const type = checkHead(document, 'manifest')
  const subject = property(document, 'subject')
  return {
    mediaType: type,
    artifactType: optionalText(property(document, 'artifactType')),
    config: parseDescriptor(property(document, 'config')),
    layers: requiredItems(property(document, 'layers')).map(parseDescriptor),
    subject: isAbsent(subject) ? null : parseDescriptor(subject),
    annotations: textMap(property(document, 'annotations')),
  }
}

/**
 * Checks schemaVersion and mediaType, and that the document is not a manifest and an index at once: two readers could
 * otherwise see two different images under one digest (CVE-2021-41190). Returns the media type that it declares.
 */
export function checkHead(document: Field, kind: 'manifest' | 'index'): string | null {
  const version = property(document, 'schemaVersion')
  const declared = optionalText(property(document, 'mediaType'))
  if (version.value === 1 || (declared !== null && mediaTypeKind(declared) === 'schema1')) throw schema1(document)
  if (version.value !== 2) throw badField(version, '2')
  const foreign = kind === 'manifest' ? ['manifests'] : ['layers', 'config']
  for (const key of foreign) {
    if (!isAbsent(property(document, key))) throw badField(property(document, key), `absent in an image ${kind}`)
  }
  const opposite = kind === 'manifest' ? 'index' : 'manifest'
  if (declared !== null && mediaTypeKind(declared) === opposite) {
    throw badField(property(document, 'mediaType'), `the type of an image ${kind}`)
  }
  return declared
}

function schema1({ where }: Field): OvlError {
  return new OvlError('UNSUPPORTED', `Cannot use ${where}: it is a Docker schema 1 manifest, which is not supported`, {
    hint: 'convert it with a tool that reads schema 1, for example: skopeo copy --format v2s2',
    data: { where },
  })
}
