// Archives that cannot be read in place (a pipe, a compressed file) are written, decompressed, to a temporary file
// without a name, which the system frees when it is closed, however the process ends.

import { closeSync } from 'node:fs'
import { type Limits, type OvlError, type Warn } from '../errors/index.ts'
import type { Compression } from '../host/index.ts'
import { descriptorBlob } from './blob.ts'
import { type ByteSource, decompress } from './decompress.ts'
import { describeArchive, describeBytes, describeHeadBytes, isTarEnd, isTarHead, notAnImage } from './describe.ts'
import { expansionGuard } from './expansion.ts'
import { openNameless, writeAll } from './nameless-file.ts'
import type { Blob } from './types.ts'

/** What is copied to a temporary file, and within which limits. */
export type SpoolOptions = {
  /** The input as messages call it. */
  readonly location: string
  /** Size of the input; null for a pipe. */
  readonly sizeBytes: number | null
  readonly limits: Limits
  readonly warn: Warn
  readonly signal?: AbortSignal | undefined
}

/** An archive in a temporary file without a name, gone with `close`. */
export type Spooled = {
  readonly archive: Blob
  /** Bytes of the input as it came, before decompression. */
  readonly storedBytes: number
  readonly close: () => void
}

/**
 * Writes the uncompressed bytes of a tar archive to a temporary file. What is no archive is refused after its first
 * piece. Errors: NOT_AN_IMAGE, BAD_COMPRESSION, TRUNCATED, LIMIT_EXCEEDED, NO_SPACE, WRITE_FAILED.
 */
export async function spool(source: ByteSource, options: SpoolOptions): Promise<Spooled> {
  const fd = openNameless()
  try {
    const { writtenBytes, storedBytes } = await fillFile(fd, source, options)
    const { location, warn } = options
    warn({ code: 'SPOOLED', message: `${location} was copied to a temporary file (${writtenBytes} bytes)` })
    return {
      archive: descriptorBlob(fd, { size: writtenBytes, location }),
      storedBytes,
      close: () => closeSync(fd),
    }
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

async function fillFile(
  fd: number,
  source: ByteSource,
  options: SpoolOptions,
): Promise<{ readonly writtenBytes: number; readonly storedBytes: number }> {
  const { location, sizeBytes, limits, warn, signal } = options
  const buffer = new Uint8Array(256 << 10)
  let compressedBy: Compression = 'none'
  let writtenBytes = 0
  let storedBytes = 0
  const target = {
    space: () => buffer,
    commit(length: number) {
      writeAll(fd, buffer.subarray(0, length))
      writtenBytes += length
    },
  }
  const guard = expansionGuard(location, limits)
  const { failure } = await decompress(source, target, {
    subject: location,
    warn,
    signal,
    onCompression: compression => void (compressedBy = compression),
    onStored: bytes => void (storedBytes += bytes.length),
    onUncompressed(bytes) {
      // A shorter first piece is also the last: the end decides about it.
      const isOther = writtenBytes === 0 && bytes.length >= 512 && !isTarHead(bytes)
      if (isOther) throw noArchive(bytes, { location, sizeBytes, compressedBy })
      // An archive that ends where it begins is no image, and /dev/zero is one that never ends.
      if (writtenBytes === 0 && isTarEnd(bytes)) throw notAnImage(location, describeArchive([]))
      guard(writtenBytes + bytes.length, storedBytes)
    },
  })
  if (failure !== null) throw failure
  if (writtenBytes < 512) {
    throw noArchive(buffer.subarray(0, writtenBytes), { location, sizeBytes: storedBytes, compressedBy })
  }
  return { writtenBytes, storedBytes }
}

function noArchive(
  head: Uint8Array,
  context: { readonly location: string; readonly sizeBytes: number | null; readonly compressedBy: Compression },
): OvlError {
  const { location, sizeBytes, compressedBy } = context
  const first = head.subarray(0, describeHeadBytes)
  const what =
    compressedBy === 'none'
      ? describeBytes(first, sizeBytes)
      : `${compressedBy}-compressed data that holds ${describeBytes(first, null)}`
  return notAnImage(location, `it is ${what}`)
}
