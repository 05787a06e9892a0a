// Bytes of inputs that are no files. Pipes and sockets are read through the event loop: a thread that waits in read(2)
// or, for a FIFO that nobody writes to, in open(2) could not be called back, and Ctrl-C would be without effect.

import { closeSync, constants, fstatSync, openSync, read } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { systemPath } from './blob.ts'
import { type ByteSource, checkSignal } from './decompress.ts'
import { readError } from './read-error.ts'

/** How messages call the input, and what gives it up. */
export type StreamInput = { readonly location: string; readonly signal?: AbortSignal | undefined }

/** A source that holds something open. */
export type OpenSource = ByteSource & { close(): void }

/** Opens a FIFO or a device by its path. A FIFO waits for its writer at the first read. Errors: as `readError`. */
export function openStream(path: string, input: StreamInput): OpenSource {
  let fd: number
  try {
    fd = openSync(systemPath(path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    throw readError(path, cause)
  }
  const source = streamSource(fd, input)
  return source.isOwner ? source : { ...source, close: () => closeSync(fd) }
}

/** Reads an open pipe, socket or device. `isOwner`: closing the source closes the descriptor, unless it is 0, 1 or 2. */
export function streamSource(fd: number, input: StreamInput): OpenSource & { readonly isOwner: boolean } {
  const stat = fstatSync(fd)
  return stat.isFIFO() || stat.isSocket()
    ? { ...socketSource(fd, input), isOwner: true }
    : { ...deviceSource(fd, input), isOwner: false }
}

const none: Uint8Array = new Uint8Array()

function socketSource(fd: number, { location, signal }: StreamInput): OpenSource {
  const socket = new Socket({ fd, readable: true, writable: false, ...(signal === undefined ? {} : { signal }) })
  socket.on('error', () => {}) // the iterator tells it as well, but only while somebody reads
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  let rest = none
  return {
    async read(target) {
      try {
        if (rest.length === 0) rest = (await chunks.next()).value ?? none
      } catch (cause) {
        checkSignal(signal, location)
        throw readError(location, cause)
      }
      const length = Math.min(rest.length, target.length)
      target.set(rest.subarray(0, length))
      rest = rest.subarray(length)
      return length
    },
    close: () => void socket.destroy(),
  }
}

const readAsync = promisify(read)

function deviceSource(fd: number, { location }: StreamInput): OpenSource {
  return {
    async read(target) {
      try {
        return (await readAsync(fd, target, 0, target.length, null)).bytesRead
      } catch (cause) {
        throw readError(location, cause)
      }
    },
    close: () => {},
  }
}
