// Files in the temporary directory that lose their name at once: the system frees them when they are closed, however
// the process ends.

import { randomUUID } from 'node:crypto'
import { openSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isCode, OvlError } from '../errors/index.ts'

/** A descriptor for reading and writing. Errors: NO_SPACE, WRITE_FAILED. */
export function openNameless(): number {
  const path = `${tmpdir()}/ovl-${randomUUID()}`
  try {
    const fd = openSync(path, 'wx+', 0o600)
    unlinkSync(path)
    return fd
  } catch (cause) {
    throw writeError(cause)
  }
}

/** Appends all of the bytes. Errors: NO_SPACE, WRITE_FAILED. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at)
    } catch (cause) {
      throw writeError(cause)
    }
  }
}

function writeError(cause: unknown): OvlError {
  const directory = tmpdir()
  const full = isCode(cause, 'ENOSPC') || isCode(cause, 'EDQUOT')
  const fact = full ? 'no space left' : cause instanceof Error ? cause.message : String(cause)
  return new OvlError(full ? 'NO_SPACE' : 'WRITE_FAILED', `Cannot write a temporary file in ${directory}: ${fact}`, {
    hint: 'set TMPDIR to a directory with more room, or give an uncompressed file, which is read in place',
    data: { path: directory },
    cause,
  })
}
