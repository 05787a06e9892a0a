// Digests: image-spec descriptor.md, "Digests".

import { OvlError, quote } from '../errors/index.ts'
import { badField, type Field, requiredText } from './field.ts'

/** `algorithm:encoded`, of valid grammar. The algorithm may be one that ovl does not know: see `digestAlgorithm`. */
export type Digest = `${string}:${string}`

/** The algorithms that the image specification registers and that ovl computes. */
export type DigestAlgorithm = 'sha256' | 'sha512'

const grammar = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/
const hexLength: { readonly [algorithm in DigestAlgorithm]: number } = { sha256: 64, sha512: 128 }

/** True for a string of the digest grammar, and of the right length and alphabet when the algorithm is known. */
export function isDigest(text: string): text is Digest {
  if (!grammar.test(text)) return false
  const [algorithm, encoded] = splitDigest(text as Digest)
  return !isKnown(algorithm) || (encoded.length === hexLength[algorithm] && /^[0-9a-f]+$/.test(encoded))
}

/** A digest field of a document. Errors: BAD_DOCUMENT. */
export function parseDigest(field: Field): Digest {
  const text = requiredText(field)
  if (!isDigest(text)) throw badField(field, 'a digest ("sha256:" and 64 lower-case hexadecimal digits)')
  return text
}

/** The algorithm of a digest that is to be computed. Errors: UNSUPPORTED for one that ovl does not know. */
export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  const [algorithm] = splitDigest(digest)
  if (isKnown(algorithm)) return algorithm
  throw new OvlError('UNSUPPORTED', `Cannot verify ${quote(digest)}: the digest algorithm ${algorithm} is unknown`, {
    facts: ['known are sha256 and sha512'],
    data: { digest },
  })
}

/** The part after the colon. */
export function digestHex(digest: Digest): string {
  return splitDigest(digest)[1]
}

/** The short form that tables show: the first 12 hexadecimal digits. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12)
}

function splitDigest(digest: Digest): readonly [string, string] {
  const colon = digest.indexOf(':')
  return [digest.slice(0, colon), digest.slice(colon + 1)]
}

function isKnown(algorithm: string): algorithm is DigestAlgorithm {
  return Object.hasOwn(hexLength, algorithm)
}
