// Reads one layer, verified: size and digest of the blob, diff ID of what it decompresses to, both to the last byte
// (rule 28 of the layer rules).

import { createHash } from 'node:crypto'
import { defaultLimits, OvlError } from '../errors/index.ts'
import { type Compression, compressionHeadBytes, detectCompression } from '../host/index.ts'
import { type Digest, type DigestAlgorithm, digestAlgorithm } from '../oci/index.ts'
import { readHead, shrunk } from './blob.ts'
import { type ByteSource, checkSignal, decompress } from './decompress.ts'
import { expansionGuard } from './expansion.ts'
import type { Blob, BlockTarget, Layer, StreamOptions } from './types.ts'

/** What a layer turned out to be. */
export type LayerStream = {
  /** Digest of the blob as stored, in the algorithm of the descriptor (sha256 without one). */
  readonly digest: Digest
  readonly sizeBytes: number
  /** Digest of the uncompressed bytes; null when the caller hashes them. */
  readonly diffID: Digest | null
  readonly uncompressedBytes: number
  readonly compression: Compression
}

/**
 * Streams a layer's uncompressed bytes into `target` and verifies it.
 *
 * Errors: SIZE_MISMATCH before anything is read; DIGEST_MISMATCH, DIFF_ID_MISMATCH, BAD_COMPRESSION and TRUNCATED
 * after the last byte (so what was delivered must not be published before this resolves); LIMIT_EXCEEDED;
 * INTERRUPTED; BLOB_MISSING and READ_FAILED; and what the target throws.
 */
export async function streamLayer(
  layer: Layer,
  target: BlockTarget,
  options: StreamOptions = {},
): Promise<LayerStream> {
  const sizeFault = checkSize(layer, options)
  if (sizeFault !== null) throw sizeFault
  const { stream, faults } = await measureLayer(layer, target, options)
  const [fault] = faults
  if (fault !== undefined) throw fault
  return stream
}

/** The layer's size against its descriptor, without reading it; null when it is right. */
export function checkSize(
  { descriptor, blob, number, image }: Layer,
  { verb = 'read' }: StreamOptions,
): OvlError | null {
  if (descriptor === null || descriptor.size === blob.size) return null
  return new OvlError(
    'SIZE_MISMATCH',
    `Cannot ${verb} ${image}: layer ${number} does not have the size that its descriptor gives`,
    {
      facts: [`expected ${descriptor.size} bytes  got ${blob.size}   ${blob.location}`],
      data: { layer: number, path: blob.location, expected: descriptor.size, got: blob.size },
    },
  )
}

/**
 * Streams a layer to its end and reports all that is wrong with it, the most telling first. Errors: those that end the
 * reading (LIMIT_EXCEEDED, INTERRUPTED, BLOB_MISSING, READ_FAILED, and what the target throws).
 */
export async function measureLayer(
  layer: Layer,
  target: BlockTarget,
  options: StreamOptions,
): Promise<{ readonly stream: LayerStream; readonly faults: readonly OvlError[] }> {
  const { descriptor, diffID } = layer
  const { limits = defaultLimits, warn = ignore, signal } = options
  const subject = `layer ${layer.number} of ${layer.image}`
  checkSignal(signal, subject)
  const stored = counter(descriptor === null ? 'sha256' : digestAlgorithm(descriptor.digest))
  const plain = counter(diffID === null ? 'sha256' : digestAlgorithm(diffID))
  const guard = expansionGuard(subject, limits)
  // One hash serves both when nothing is compressed.
  let isPlainHashed = options.hashUncompressed !== false
  let isShared = false
  const { compression, failure } = await decompress(wholeBlob(layer.blob), target, {
    subject,
    warn: warning => warn({ ...warning, layer: layer.number }),
    signal,
    onCompression(found) {
      isShared = found === 'none' && plain.algorithm === stored.algorithm
      isPlainHashed &&= !isShared
    },
    onStored: stored.add,
    onUncompressed(bytes) {
      plain.count(bytes)
      if (isPlainHashed) plain.hash(bytes)
      guard(plain.bytes(), stored.bytes())
    },
  })
  const digest = stored.digest()
  const stream: LayerStream = {
    digest,
    sizeBytes: stored.bytes(),
    diffID: isShared ? digest : isPlainHashed ? plain.digest() : null,
    uncompressedBytes: plain.bytes(),
    compression,
  }
  return { stream, faults: faultsOf(layer, stream, { failure, options }) }
}

/** The compression of a layer, from its first bytes. */
export function layerCompression(layer: Layer): Compression {
  return detectCompression(readHead(layer.blob, compressionHeadBytes))
}

function faultsOf(
  layer: Layer,
  stream: LayerStream,
  more: { readonly failure: OvlError | null; readonly options: StreamOptions },
): readonly OvlError[] {
  const { failure, options } = more
  const { descriptor, diffID, number, image, blob } = layer
  const faults: OvlError[] = []
  const { verb = 'read' } = options
  if (descriptor !== null && descriptor.digest !== stream.digest) {
    faults.push(
      new OvlError('DIGEST_MISMATCH', `Cannot ${verb} ${image}: layer ${number} does not match its digest`, {
        facts: [`expected ${descriptor.digest}  got ${stream.digest}   ${blob.location} (${stream.sizeBytes} bytes)`],
        hint: `the blob changed after it was written; fetch the image again, or run: ovl verify ${image}`,
        data: { layer: number, path: blob.location, expected: descriptor.digest, got: stream.digest },
        ...(failure === null ? {} : { cause: failure }),
      }),
    )
  }
  if (failure !== null) faults.push(failure)
  if (diffID !== null && stream.diffID !== null && diffID !== stream.diffID) {
    faults.push(diffIDMismatch(layer, { got: stream.diffID, uncompressedBytes: stream.uncompressedBytes, verb }))
  }
  return faults
}

/** The error of a layer whose uncompressed bytes are not what the config says; for callers that hash them. */
export function diffIDMismatch(
  { diffID, number, image, blob }: Layer,
  found: { readonly got: Digest; readonly uncompressedBytes: number; readonly verb?: string },
): OvlError {
  const { got, uncompressedBytes, verb = 'read' } = found
  return new OvlError('DIFF_ID_MISMATCH', `Cannot ${verb} ${image}: layer ${number} does not match its diff ID`, {
    facts: [`expected ${diffID}  got ${got}   ${blob.location} (${uncompressedBytes} bytes uncompressed)`],
    hint: 'the layer or the config changed after the image was made; fetch the image again',
    data: { layer: number, path: blob.location, expected: diffID, got },
  })
}

function wholeBlob(blob: Blob): ByteSource {
  let position = 0
  return {
    read(into) {
      const length = blob.read(into, 0, into.length, position)
      position += length
      if (length === 0 && position < blob.size) throw shrunk(blob, position)
      return length
    },
  }
}

type Counter = {
  readonly algorithm: DigestAlgorithm
  readonly count: (bytes: Uint8Array) => void
  readonly hash: (bytes: Uint8Array) => void
  /** Counts and hashes. */
  readonly add: (bytes: Uint8Array) => void
  readonly bytes: () => number
  readonly digest: () => Digest
}

function counter(algorithm: DigestAlgorithm): Counter {
  const hash = createHash(algorithm)
  let bytes = 0
  return {
    algorithm,
    count: piece => void (bytes += piece.length),
    hash: piece => void hash.update(piece),
    add(piece) {
      bytes += piece.length
      hash.update(piece)
    },
    bytes: () => bytes,
    digest: () => `${algorithm}:${hash.digest('hex')}`,
  }
}

function ignore(): void {
  // nobody asked for the warnings
}
