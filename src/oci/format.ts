// Writes image documents: compact JSON without a newline, members in the order of the specification, so that equal
// values give equal bytes and therefore equal digests.

import type { Descriptor } from './descriptor.ts'
import type { Platform } from './platform.ts'

/** An object of a document as it was read, members that ovl does not know included. */
export type JsonObject = { readonly [member: string]: unknown }

/** The bytes of a document. */
export function formatDocumentBytes(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document))
}

/** A descriptor as it stands in a document; empty members are left out. */
export function descriptorToJson(descriptor: Descriptor): JsonObject {
  const { mediaType, digest, size, urls, annotations, embedded, platform, artifactType } = descriptor
  return {
    mediaType,
    digest,
    size,
    ...(urls.length === 0 ? {} : { urls }),
    ...(annotations.size === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
    ...(embedded === null ? {} : { data: btoa(String.fromCharCode(...embedded)) }),
    ...(platform === null ? {} : { platform: platformToJson(platform) }),
    ...(artifactType === null ? {} : { artifactType }),
  }
}

function platformToJson({ architecture, os, osVersion, osFeatures, variant }: Platform): JsonObject {
  return {
    architecture,
    os,
    ...(osVersion === '' ? {} : { 'os.version': osVersion }),
    ...(osFeatures.length === 0 ? {} : { 'os.features': osFeatures }),
    ...(variant === '' ? {} : { variant }),
  }
}

/** The content of an oci-layout file (image-layout.md). */
export const layoutFile = { imageLayoutVersion: '1.0.0' } as const
