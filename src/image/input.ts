// Opens what an image argument points at: a directory, a file (in place when it is not compressed), a FIFO or standard
// input. What the files in it mean is decided elsewhere.

import { closeSync, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs'
import { isatty } from 'node:tty'
import { escapeControls, isCode, type Limits, OvlError, type Warn } from '../errors/index.ts'
import { compressionHeadBytes, detectCompression } from '../host/index.ts'
import { descriptorBlob, readHead, sliceBlob, systemPath } from './blob.ts'
import type { ByteSource } from './decompress.ts'
import { describeBytes, describeHeadBytes, isTarHead, notAnImage } from './describe.ts'
import { archiveFiles, directoryFiles, type Files } from './files.ts'
import { type OpenSource, openStream, streamSource } from './pipe-source.ts'
import { readError } from './read-error.ts'
import { spool } from './spool.ts'
import { nearName } from './suggest.ts'
import { type Blob, standardInput } from './types.ts'

/** Limits on the input, who hears warnings, and what stops the reading. */
export type InputOptions = {
  readonly limits: Limits
  readonly warn: Warn
  readonly signal?: AbortSignal | undefined
}

/** Opens a path. Errors: INPUT_NOT_FOUND with a near name, NEEDS_PRIVILEGE, NOT_AN_IMAGE, and those of the archive. */
export async function openPath(location: string, options: InputOptions): Promise<Files> {
  const stat = statOf(location)
  if (stat.isDirectory()) return directoryFiles(location)
  if (!stat.isFile()) return openPipe(location, options)
  let fd: number
  try {
    fd = openSync(systemPath(location), 'r')
  } catch (cause) {
    throw readError(location, cause)
  }
  const file = { fd, start: 0, size: stat.size, location: escapeControls(location), close: () => closeSync(fd) }
  return openFile(file, options)
}

/** Opens standard input: in place when it is a regular file, through a temporary file when it is a pipe. */
export async function openStandardInput(fd: number, options: InputOptions): Promise<Files> {
  const location = standardInput
  if (isatty(fd)) {
    throw new OvlError('USAGE', 'Cannot read an image from standard input: it is a terminal', {
      hint: 'send an archive into it: docker save IMAGE | ovl … -',
    })
  }
  const stat = fstatSync(fd)
  if (stat.isDirectory()) return directoryFiles(`/proc/self/fd/${fd}`)
  if (!stat.isFile()) return spoolStream(streamSource(fd, { location, signal: options.signal }), location, options)
  // A shell may have read from the file before: what is left is the input.
  const start = positionOf(fd)
  return openFile({ fd, start, size: Math.max(0, stat.size - start), location, close: () => {} }, options)
}

type OpenedFile = {
  readonly fd: number
  /** The archive is `size` bytes from here. */
  readonly start: number
  readonly size: number
  readonly location: string
  readonly close: () => void
}

async function openFile(file: OpenedFile, options: InputOptions): Promise<Files> {
  const { fd, start, size, location } = file
  try {
    const whole = descriptorBlob(fd, { size: start + size, location })
    const blob = start === 0 ? whole : sliceBlob(whole, { offset: start, size, location })
    const head = readHead(blob, describeHeadBytes)
    if (detectCompression(head.subarray(0, compressionHeadBytes)) === 'none') {
      if (!isTarHead(head)) throw notAnImage(location, `it is ${describeBytes(head, size)}`)
      return await archiveFiles({ archive: blob, location, archiveBytes: size, close: file.close, ...options })
    }
    const files = await spoolSource(blobSource(blob), { location, sizeBytes: size, options })
    file.close()
    return files
  } catch (error) {
    file.close()
    throw error
  }
}

async function openPipe(path: string, options: InputOptions): Promise<Files> {
  const location = escapeControls(path)
  return spoolStream(openStream(path, { location, signal: options.signal }), location, options)
}

async function spoolStream(source: OpenSource, location: string, options: InputOptions): Promise<Files> {
  try {
    return await spoolSource(source, { location, sizeBytes: null, options })
  } finally {
    source.close()
  }
}

async function spoolSource(
  source: ByteSource,
  context: { readonly location: string; readonly sizeBytes: number | null; readonly options: InputOptions },
): Promise<Files> {
  const { location, sizeBytes, options } = context
  const { archive, storedBytes, close } = await spool(source, { location, sizeBytes, ...options })
  try {
    return await archiveFiles({ archive, location, archiveBytes: storedBytes, close, ...options })
  } catch (error) {
    close()
    throw error
  }
}

function statOf(location: string): Stats {
  try {
    return statSync(systemPath(location))
  } catch (cause) {
    if (!isCode(cause, 'ENOENT') && !isCode(cause, 'ENOTDIR')) throw readError(location, cause)
    const near = nearName(location)
    throw new OvlError('INPUT_NOT_FOUND', `Cannot read ${escapeControls(location)}: no such file`, {
      ...(near === null ? {} : { hint: `did you mean ${escapeControls(near)}?` }),
      data: { path: location },
      cause,
    })
  }
}

function blobSource(blob: Blob): ByteSource {
  let position = 0
  return {
    read(target) {
      const length = blob.read(target, 0, target.length, position)
      position += length
      return length
    },
  }
}

/** Where the next read of a descriptor would be; 0 where the system does not tell. */
function positionOf(fd: number): number {
  try {
    return Number(/^pos:\s*([0-9]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? 0)
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 0 // no /proc
    throw error
  }
}
