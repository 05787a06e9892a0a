// The three kinds of blobs: bytes in memory, a file, and a range of another blob (a member of an archive).

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { escapeControls, OvlError } from '../errors/index.ts'
import { encodeName, isUtf8Name } from '../path/index.ts'
import { readError } from './read-error.ts'
import type { Blob, BlobOrigin, PortableBlob } from './types.ts'

/** A blob over bytes in memory. */
export function bytesBlob(bytes: Uint8Array, location: string): Blob {
  return {
    size: bytes.length,
    location,
    origin: { kind: 'bytes', bytes },
    read(target, start, end, position) {
      const from = Math.min(position, bytes.length)
      const part = bytes.subarray(from, from + (end - start))
      target.set(part, start)
      return part.length
    },
  }
}

/** The bytes [offset, offset + size) of another blob. */
export function sliceBlob(
  whole: Blob,
  place: { readonly offset: number; readonly size: number; readonly location: string },
): Blob {
  const { offset, size, location } = place
  return {
    size,
    location,
    ...originOf(whole, portable => ({ kind: 'slice', whole: portable, offset })),
    read(target, start, end, position) {
      const length = Math.min(end - start, size - position)
      return length <= 0 ? 0 : whole.read(target, start, start + length, offset + position)
    },
  }
}

/** A blob over an open file. The caller closes the descriptor. */
export function descriptorBlob(fd: number, place: { readonly size: number; readonly location: string }): Blob {
  const { size, location } = place
  return {
    size,
    location,
    origin: { kind: 'descriptor', fd },
    read(target, start, end, position) {
      try {
        return readSync(fd, target, start, end - start, position)
      } catch (cause) {
        throw readError(location, cause)
      }
    },
  }
}

/** A file of a directory, opened at the first read and kept open until `close()`. */
export class FileBlob implements Blob {
  readonly size: number
  readonly location: string
  readonly origin: BlobOrigin
  readonly #path: string
  #fd: number | null = null

  /** `location` is what messages say, when it is not the path. */
  constructor(path: string, size: number, location: string = path) {
    this.#path = path
    this.location = escapeControls(location)
    this.size = size
    this.origin = { kind: 'file', path: resolve(path) } // a thread may have another working directory
  }

  read(target: Uint8Array, start: number, end: number, position: number): number {
    try {
      this.#fd ??= openRegular(this.#path)
      return readSync(this.#fd, target, start, end - start, position)
    } catch (cause) {
      throw readError(this.location, cause)
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd)
    this.#fd = null
  }
}

/** The `origin` of a blob made from another, where that one has one. */
export function originOf(
  { size, location, origin }: Blob,
  derive: (portable: PortableBlob) => BlobOrigin,
): { readonly origin?: BlobOrigin } {
  return origin === undefined ? {} : { origin: derive({ size, location, origin }) }
}

/** A path as Node's fs takes it: names that are no UTF-8 as their bytes. */
export function systemPath(path: string): string | Buffer {
  return isUtf8Name(path) ? path : Buffer.from(encodeName(path))
}

/** All bytes of a blob. Errors: TRUNCATED when it turns out shorter than its size. */
export function readBlob(blob: Blob): Uint8Array {
  const bytes = new Uint8Array(blob.size)
  let at = 0
  while (at < bytes.length) {
    const length = blob.read(bytes, at, bytes.length, at)
    if (length === 0) throw shrunk(blob, at)
    at += length
  }
  return bytes
}

/** The first bytes of a blob, at most `length`. */
export function readHead(blob: Blob, length: number): Uint8Array {
  const head = new Uint8Array(Math.min(length, blob.size))
  let at = 0
  while (at < head.length) {
    const read = blob.read(head, at, head.length, at)
    if (read === 0) break
    at += read
  }
  return head.subarray(0, at)
}

/** The error of a file that became shorter while it was read. */
export function shrunk(blob: Blob, at: number): OvlError {
  return new OvlError('TRUNCATED', `Cannot read ${blob.location}: it ends after ${at} of ${blob.size} bytes`, {
    data: { path: blob.location, sizeBytes: blob.size, gotBytes: at },
  })
}

/** Opens a file that must be regular, without ever blocking on a FIFO that took its place. */
function openRegular(path: string): number {
  const fd = openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK)
  if (fstatSync(fd).isFile()) return fd
  closeSync(fd)
  throw new OvlError('READ_FAILED', `Cannot read ${escapeControls(path)}: it is not a regular file`, { data: { path } })
}
