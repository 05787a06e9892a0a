// A file that is at its place completely or not at all: written in a workspace beside it and renamed.
import { closeSync, fsyncSync, openSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { quote, type Warn } from '../../errors/index.ts'
import { checkAbsent, diagnoseWriteError, hostPath, placeFile } from '../../host/index.ts'

/** Where output goes and what may be in its way. */
export type OutputFileOptions = {
  /** Replace a file that is there. */
  readonly force: boolean
  readonly warn: Warn
  readonly signal: AbortSignal
}

/** Takes the bytes of a file, in order. */
export type FileWriter = {
  (bytes: Uint8Array): void
  /** For who writes to the file without it. */
  readonly fd: number
}

/**
 * Hands `make` a function that takes the bytes of the file, in order. What is no regular file (a device, a FIFO) is
 * written to directly.
 *
 * Errors: DEST_EXISTS, NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED, INTERRUPTED, those of `make`.
 */
export async function writeOutputFile<T>(
  path: string,
  options: OutputFileOptions,
  make: (write: FileWriter) => Promise<T>,
): Promise<T> {
  const existing = statSync(hostPath(path), { throwIfNoEntry: false })
  try {
    if (existing !== undefined && !existing.isFile() && !existing.isDirectory()) return await writeInto(path, make)
    if (!options.force || existing?.isDirectory() === true) checkAbsent(path, { name: path, shownAs: quote(path) })
    return await replace(path, options, make)
  } catch (error) {
    throw diagnoseWriteError(error, { object: path, path: dirname(path) })
  }
}

async function writeInto<T>(path: string, make: (write: FileWriter) => Promise<T>): Promise<T> {
  const fd = openSync(hostPath(path), 'w')
  try {
    return await make(writerTo(fd))
  } finally {
    closeSync(fd)
  }
}

async function replace<T>(
  path: string,
  options: OutputFileOptions,
  make: (write: FileWriter) => Promise<T>,
): Promise<T> {
  return placeFile(path, { ...options, name: path, shownAs: quote(path) }, async file => {
    const fd = openSync(hostPath(file), 'wx', 0o644)
    try {
      const made = await make(writerTo(fd))
      fsyncSync(fd)
      return made
    } finally {
      closeSync(fd)
    }
  })
}

function writerTo(fd: number): FileWriter {
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  }
  return Object.assign(write, { fd })
}
