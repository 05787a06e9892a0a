// Content descriptors: image-spec descriptor.md.

import { type Digest, parseDigest } from './digest.ts'
import {
  badField,
  type Field,
  isAbsent,
  optionalText,
  property,
  requiredCount,
  requiredText,
  textMap,
  texts,
} from './field.ts'
import { parsePlatform, type Platform } from './platform.ts'

/** A descriptor (descriptor.md): what a blob is, how it is named and how large it is. */
export type Descriptor = {
  readonly mediaType: string
  readonly digest: Digest
  /** Size of the content in bytes. */
  readonly size: number
  readonly urls: readonly string[]
  readonly annotations: ReadonlyMap<string, string>
  /** The content itself, embedded; its size and digest are not checked here. */
  readonly embedded: Uint8Array | null
  readonly platform: Platform | null
  readonly artifactType: string | null
}

/** Reads a descriptor. Errors: BAD_DOCUMENT naming the field. */
export function parseDescriptor(field: Field): Descriptor {
  const platform = property(field, 'platform')
  return {
    mediaType: requiredText(property(field, 'mediaType')),
    digest: parseDigest(property(field, 'digest')),
    size: requiredCount(property(field, 'size')),
    urls: texts(property(field, 'urls')),
    annotations: textMap(property(field, 'annotations')),
    embedded: parseBase64(property(field, 'data')),
    platform: isAbsent(platform) ? null : parsePlatform(platform),
    artifactType: optionalText(property(field, 'artifactType')),
  }
}

/** A descriptor with nothing but the three required fields. */
export function descriptor(mediaType: string, digest: Digest, size: number): Descriptor {
  return {
    mediaType,
    digest,
    size,
    urls: [],
    annotations: new Map(),
    embedded: null,
    platform: null,
    artifactType: null,
  }
}

function parseBase64(field: Field): Uint8Array | null {
  const text = optionalText(field)
  if (text === null) return null
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) throw badField(field, 'base64')
  return Uint8Array.from(atob(text), char => char.charCodeAt(0))
}
