// Reads JSON documents (index, manifest, config) whole, verified against their descriptors.

import { createHash } from 'node:crypto'
import { type Limits, OvlError } from '../errors/index.ts'
import { type Descriptor, type Digest, digestAlgorithm, parseJson, tooLarge } from '../oci/index.ts'
import { bytesBlob, readBlob } from './blob.ts'
import type { Blob, BlobSource, ImageDocument } from './types.ts'

/** Digest of bytes. Errors: UNSUPPORTED for an unknown algorithm. */
export function digestOf(bytes: Uint8Array, algorithm: 'sha256' | 'sha512' = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

/** The bytes of a small file, within the limit for documents. Errors: LIMIT_EXCEEDED, and those of reading. */
export function readWhole(blob: Blob, limits: Limits): Uint8Array {
  if (blob.size > limits.jsonBytes) throw tooLarge(blob.location, blob.size, limits.jsonBytes)
  return readBlob(blob)
}

/** Reads a document that no descriptor describes. */
export function readDocument<T>(
  blob: Blob,
  context: { readonly limits: Limits; readonly parse: (json: unknown, where: string) => T },
): ImageDocument<T> {
  const { limits, parse } = context
  const raw = readWhole(blob, limits)
  const where = blob.location
  const json = parseJson(raw, { where, maxBytes: limits.jsonBytes })
  return { raw, digest: digestOf(raw), parsed: parse(json, where) }
}

/**
 * Reads the document that a descriptor describes, and verifies size and digest before it is parsed.
 * Errors: BLOB_MISSING, SIZE_MISMATCH, DIGEST_MISMATCH, BAD_JSON, and those of `parse`.
 */
export function readDescribed<T>(
  { mediaType, digest, size, embedded }: Descriptor,
  context: {
    /** What it is, for messages: "manifest", "config". */
    readonly what: string
    readonly blobs: BlobSource
    readonly limits: Limits
    readonly parse: (json: unknown, where: string) => T
  },
): ImageDocument<T> & { readonly mediaType: string } {
  const { what, blobs, limits, parse } = context
  const blob = embedded === null ? blobs.find(digest) : bytesBlob(embedded, `${what} embedded in its descriptor`)
  if (blob === null) {
    throw new OvlError('BLOB_MISSING', `Cannot read the ${what}: blob ${digest} is not in ${blobs.name}`, {
      data: { digest, what },
    })
  }
  const where = `${what} ${blob.location}`
  const place = { where, location: blob.location }
  if (blob.size !== size) throw sizeMismatch({ expected: size, got: blob.size, ...place })
  const raw = readWhole(blob, limits)
  const got = digestOf(raw, digestAlgorithm(digest))
  if (got !== digest) throw digestMismatch({ expected: digest, got, sizeBytes: size, ...place })
  return { mediaType, raw, digest, parsed: parse(parseJson(raw, { where, maxBytes: limits.jsonBytes }), where) }
}

/** What was read, for messages, and where it lies. */
export type Place = { readonly where: string; readonly location: string }

/** The error of a blob that is longer or shorter than its descriptor says. */
export function sizeMismatch({
  expected,
  got,
  where,
  location,
}: Place & { readonly expected: number; readonly got: number }): OvlError {
  return new OvlError('SIZE_MISMATCH', `Cannot use ${where}: it does not have the size that its descriptor gives`, {
    facts: [`expected ${expected} bytes  got ${got}`],
    data: { path: location, expected, got },
  })
}

/** The error of a blob whose bytes are not those that its digest names. */
export function digestMismatch({
  expected,
  got,
  sizeBytes,
  where,
  location,
}: Place & { readonly expected: Digest; readonly got: Digest; readonly sizeBytes: number }): OvlError {
  return new OvlError('DIGEST_MISMATCH', `Cannot use ${where}: it does not match its digest`, {
    facts: [`expected ${expected}  got ${got}   (${sizeBytes} bytes)`],
    hint: 'the file changed after it was written; fetch the image again',
    data: { path: location, expected, got },
  })
}
