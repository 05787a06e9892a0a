// What the system says when an input cannot be read, in the words of the error table.

import { escapeControls, isCode, OvlError } from '../errors/index.ts'

/** Turns an error of a read call into the OvlError that a user can act on; `location` is what was read. */
export function readError(location: string, cause: unknown): OvlError {
  const where = escapeControls(location)
  const data = { path: location }
  if (cause instanceof OvlError) return cause
  if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) {
    return new OvlError('INPUT_NOT_FOUND', `Cannot read ${where}: no such file`, { data, cause })
  }
  if (isCode(cause, 'EACCES') || isCode(cause, 'EPERM')) {
    return new OvlError('NEEDS_PRIVILEGE', `Cannot read ${where}: permission denied`, { data, cause })
  }
  const fact = cause instanceof Error ? cause.message : String(cause)
  return new OvlError('READ_FAILED', `Cannot read ${where}: ${escapeControls(fact)}`, { data, cause })
}
