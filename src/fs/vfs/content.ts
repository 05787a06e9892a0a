// Whole files in one call, by open, read or write, and close.
import { FsError } from '../../errors/index.ts'
import type { FileHandle } from '../file-system.ts'

const encoder = new TextEncoder()

/**
 * All bytes; the handle is closed. They may be more than the size says: an overlay's metacopy has the size, another file
 * the data. Errors: EISDIR.
 */
export function readWhole(handle: FileHandle): Uint8Array {
  try {
    let content = new Uint8Array(handle.stat().sizeBytes)
    let filled = 0
    for (;;) {
      const isFull = filled === content.length
      const room = isFull ? beyond : content.subarray(filled)
      const count = handle.read(room)
      if (count === 0) break
      if (isFull) content = joined(content, room.subarray(0, count))
      filled += count
    }
    return filled < content.length ? content.slice(0, filled) : content
  } finally {
    handle.close()
  }
}

/** Where bytes behind the size are read to; one for all, since most files have none. */
const beyond = new Uint8Array(1024)

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length)
  both.set(a)
  both.set(b, a.length)
  return both
}

/** Writes all bytes (text as UTF-8); the handle is closed. */
export function writeWhole(handle: FileHandle, content: Uint8Array | string): void {
  const bytes = typeof content === 'string' ? encoder.encode(content) : content
  try {
    let written = 0
    while (written < bytes.length) {
      const count = handle.write(bytes.subarray(written))
      if (count === 0) throw new FsError('EIO', 'write')
      written += count
    }
  } finally {
    handle.close()
  }
}
