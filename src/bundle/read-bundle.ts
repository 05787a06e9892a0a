// Recognises and reads a bundle that ovl wrote.

import * as fs from 'node:fs'
import { isCode, OvlError, quote } from '../errors/index.ts'
import { parseJson, tooLarge } from '../oci/index.ts'
import { encodeName } from '../path/index.ts'
import { parseState } from './parse-state.ts'
import { type BundleState, stateFileName } from './state.ts'

/** ovl.json grows with the files whose owner was not kept: some 40 bytes each, so this is for millions of them. */
const maxStateBytes = 256 << 20

/** A directory that ovl unpacked an image to. */
export type Bundle = { readonly directory: string; readonly state: BundleState }

/**
 * Reads the state of the bundle in `directory` (byte-exact, see `path`).
 * Errors: INPUT_NOT_FOUND, BAD_JSON, BAD_DOCUMENT, UNSUPPORTED (a later schema), LIMIT_EXCEEDED, READ_FAILED.
 */
export function readBundle(directory: string): Bundle {
  const path = `${directory}/${stateFileName}`
  return {
    directory,
    state: parseState(parseJson(readFile(path, directory), { where: path, maxBytes: maxStateBytes }), path),
  }
}

/** True for a directory that carries an ovl.json of any version: what `--force` may replace. */
export function isBundle(directory: string): boolean {
  try {
    const json = parseJson(readFile(`${directory}/${stateFileName}`, directory), {
      where: stateFileName,
      maxBytes: maxStateBytes,
    })
    const schema = typeof json === 'object' && json !== null ? (json as { schema?: unknown }).schema : undefined
    return typeof schema === 'string' && schema.startsWith('ovl.bundle/')
  } catch (error) {
    if (error instanceof OvlError) return false // not ours, or not readable: either way not to be replaced
    throw error
  }
}

function readFile(path: string, directory: string): Uint8Array {
  const handle = open(path, directory)
  try {
    const stat = fs.fstatSync(handle)
    if (!stat.isFile()) throw notReadable(path, 'it is no regular file')
    if (stat.size > maxStateBytes) throw tooLarge(path, stat.size, maxStateBytes)
    return fs.readFileSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

/** Never follows a link and never waits for a FIFO: a bundle may have come from somebody else. */
function open(path: string, directory: string): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  try {
    return fs.openSync(Buffer.from(encodeName(path)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) {
      const message = `Cannot open bundle ${quote(directory)}: it has no ${stateFileName}`
      throw new OvlError('INPUT_NOT_FOUND', message, {
        hint: `make one with: ovl unpack IMAGE ${quote(directory)}`,
        data: { path: directory },
        cause: error,
      })
    }
    if (isCode(error, 'ELOOP')) throw notReadable(path, 'it is a symbolic link')
    throw notReadable(path, 'it cannot be opened', error)
  }
}

function notReadable(path: string, fact: string, cause?: unknown): OvlError {
  return new OvlError('READ_FAILED', `Cannot read ${quote(path)}: ${fact}`, { data: { path }, cause })
}
