// Where the packing thread puts the bytes of an archive: into memory that other threads take from, or into the file.
import fs from 'node:fs'
import type { ReadCalls } from '../system/scan-calls.ts'
import type { PackRing } from './pack-ring.ts'

/** Bytes of an archive, in order. */
export type Outlet = {
  /** Memory for what comes next, never empty. Errors: Stopped. */
  room(): Uint8Array
  /** So many bytes were put into `room`. Errors: NotWritten. */
  add(count: number): void
  /** Takes bytes as they are. Errors: NotWritten, Stopped. */
  put(bytes: Uint8Array): void
  /**
   * Lets the kernel copy up to so many bytes of a file, from where its descriptor stands. Returns how many it copied;
   * null where it cannot: then they are to be read. Errors: NotWritten.
   */
  copy(fd: number, count: number): number | null
  /** Nothing more comes; returns the bytes of all. Errors: NotWritten. */
  end(): number
}

/** Another thread has failed, or the main thread wants no more. */
export class Stopped extends Error {}

/** The archive could not be written. */
export class NotWritten extends Error {
  readonly errno: string

  constructor(error: unknown) {
    const { code = 'EIO', message } = error as NodeJS.ErrnoException
    super(message)
    this.errno = code
  }
}

/** Into the slots of a ring. */
export function ringOutlet(ring: PackRing): Outlet {
  let slot: Uint8Array | null = null
  let filled = 0
  let total = 0
  const commit = (): void => {
    ring.commit(filled)
    slot = null
    filled = 0
  }
  const room = (): Uint8Array => {
    slot ??= ring.nextToFill()
    if (slot === null) throw new Stopped()
    return slot.subarray(filled)
  }
  const add = (count: number): void => {
    filled += count
    total += count
    if (filled === slot?.length) commit()
  }
  return {
    room,
    add,
    put: bytes => fill(bytes, room, add),
    copy: () => null, // others are to see the bytes
    end() {
      if (filled > 0) commit()
      ring.end()
      return total
    },
  }
}

function fill(bytes: Uint8Array, room: Outlet['room'], add: Outlet['add']): void {
  for (let at = 0; at < bytes.length; ) {
    const target = room()
    const part = bytes.subarray(at, at + target.length)
    target.set(part)
    add(part.length)
    at += part.length
  }
}

const bufferBytes = 1 << 20
/** From this size on it is cheaper to write twice than to copy. */
const writtenFromBytes = 64 << 10
/** Copied at a time, so that the thread hears of a stop. */
const copyBytes = 16 << 20
/** Failures of the file that is written; whatever else is wrong shows when the bytes are read. */
const writeFailures: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Into a file, small pieces together. The ring only tells when to stop. */
export function fileOutlet(ring: PackRing, { fd, calls }: { readonly fd: number; readonly calls: ReadCalls }): Outlet {
  const buffer = new Uint8Array(new SharedArrayBuffer(bufferBytes))
  let filled = 0
  let total = 0
  let mayCopy = fs.fstatSync(fd).isFile()
  const write = (bytes: Uint8Array, length: number): void => {
    try {
      for (let at = 0; at < length; ) at += fs.writeSync(fd, bytes, at, length - at)
    } catch (error) {
      throw new NotWritten(error)
    }
  }
  const flush = (): void => {
    write(buffer, filled)
    filled = 0
  }
  const room = (): Uint8Array => {
    if (ring.isStopped) throw new Stopped()
    return buffer.subarray(filled)
  }
  const add = (count: number): void => {
    filled += count
    total += count
    if (filled === bufferBytes) flush()
  }
  return {
    room,
    add,
    put(bytes) {
      if (bytes.length < writtenFromBytes) return fill(bytes, room, add)
      if (ring.isStopped) throw new Stopped()
      flush()
      write(bytes, bytes.length)
      total += bytes.length
    },
    copy(from, count) {
      if (!mayCopy) return null
      if (ring.isStopped) throw new Stopped()
      flush()
      try {
        const copied = calls.sendfile(fd, from, Math.min(count, copyBytes))
        total += copied
        return copied
      } catch (error) {
        if (writeFailures.has((error as { code?: string }).code ?? '')) throw new NotWritten(error)
        mayCopy = false
        return null
      }
    },
    end() {
      flush()
      return total
    },
  }
}
