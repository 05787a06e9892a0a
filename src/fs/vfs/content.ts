// Whole files in one call, by open, read or write, and close.
import { FsError } from '../../errors/index.ts'
import type { FileHandle } from '../file-system.ts'

const encoder = new TextEncoder()

/** All bytes; the handle is closed. Errors: EISDIR. */
export function readWhole(handle: FileHandle): Uint8Array {
  try {
    let content = new Uint8Array(handle.stat().sizeBytes)
    let filled = 0
    for (;;) {
      const count = handle.read(content.subarray(filled))
      filled += count
      if (filled === content.length || count === 0) break
    }
    if (filled < content.length) content = content.slice(0, filled)
    return content
  } finally {
    handle.close()
  }
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
