// What is written of an image: blobs, each verified to its last byte while it is sent, wherever it comes from.

import { createHash } from 'node:crypto'
import { type Descriptor, type Digest, digestAlgorithm } from '../../oci/index.ts'
import { bytesBlob, FileBlob, shrunk } from '../blob.ts'
import { checkSignal } from '../decompress.ts'
import { digestMismatch, digestOf, sizeMismatch } from '../documents.ts'
import { pause, pauseTimer } from '../pause.ts'
import type { Blob, BlockTarget } from '../types.ts'

/** A blob on its way to a destination. */
export interface OutputBlob {
  readonly digest: Digest
  readonly sizeBytes: number
  /** A finished file of the workspace, which may be moved to its place instead of being copied. */
  readonly file?: string
  /**
   * Sends all bytes. Errors, after the last byte at the latest: DIGEST_MISMATCH, SIZE_MISMATCH, TRUNCATED, READ_FAILED,
   * INTERRUPTED, and what the target throws.
   */
  send(target: BlockTarget, options: SendOptions): Promise<void>
}

/** What stops the sending, and who is told how far it is. */
export type SendOptions = {
  readonly signal?: AbortSignal | undefined
  readonly onBytes?: (sentBytes: number) => void
}

/** A blob of a source, as its descriptor describes it; `what` is what messages call it ("layer 2 of img.tar"). */
export function describedBlob(
  { digest, size }: Pick<Descriptor, 'digest' | 'size'>,
  source: { readonly blob: Blob; readonly what: string },
): OutputBlob {
  const { blob, what } = source
  return {
    digest,
    sizeBytes: size,
    async send(target, options) {
      const place = { where: what, location: blob.location }
      if (blob.size !== size) throw sizeMismatch({ expected: size, got: blob.size, ...place })
      const hash = createHash(digestAlgorithm(digest))
      await sendAll(blob, { target, what, options, onPiece: piece => void hash.update(piece) })
      const got: Digest = `${digestAlgorithm(digest)}:${hash.digest('hex')}`
      if (got !== digest) throw digestMismatch({ expected: digest, got, sizeBytes: size, ...place })
    },
  }
}

/** A document that was just made or verified. */
export function bytesOutput(bytes: Uint8Array, digest: Digest = digestOf(bytes)): OutputBlob {
  const blob = bytesBlob(bytes, digest)
  return {
    digest,
    sizeBytes: bytes.length,
    send: (target, options) => sendAll(blob, { target, what: digest, options, onPiece() {} }),
  }
}

/** A file of the workspace, whose digest was computed when it was written. */
export function fileOutput(file: string, { digest, size }: Pick<Descriptor, 'digest' | 'size'>): OutputBlob {
  return {
    digest,
    sizeBytes: size,
    file,
    async send(target, options) {
      const blob = new FileBlob(file, size)
      try {
        await sendAll(blob, { target, what: blob.location, options, onPiece() {} })
      } finally {
        blob.close()
      }
    },
  }
}

async function sendAll(
  blob: Blob,
  run: {
    readonly target: BlockTarget
    readonly what: string
    readonly options: SendOptions
    readonly onPiece: (piece: Uint8Array) => void
  },
): Promise<void> {
  const { target, what, options, onPiece } = run
  const timer = pauseTimer()
  for (let at = 0; at < blob.size; ) {
    const space = target.space()
    const region = space instanceof Promise ? await space : space
    const length = blob.read(region, 0, Math.min(region.length, blob.size - at), at)
    if (length === 0) throw shrunk(blob, at)
    onPiece(region.subarray(0, length))
    target.commit(length)
    at += length
    options.onBytes?.(at)
    if (!timer.due()) continue
    checkSignal(options.signal, what)
    await pause()
  }
}
