// Turns whatever was thrown into an OvlError: errors of the system keep their reason, everything else is a bug.

import { type ErrorCode, escapeControls, isCode, OvlError } from '../errors/index.ts'

const reasons: Readonly<Record<string, { readonly code: ErrorCode; readonly text: string }>> = {
  ENOENT: { code: 'INPUT_NOT_FOUND', text: 'no such file or directory' },
  ENOTDIR: { code: 'INPUT_NOT_FOUND', text: 'a part of the path is not a directory' },
  EISDIR: { code: 'READ_FAILED', text: 'it is a directory' },
  EACCES: { code: 'NEEDS_PRIVILEGE', text: 'permission denied' },
  EPERM: { code: 'NEEDS_PRIVILEGE', text: 'operation not permitted' },
  ENOSPC: { code: 'NO_SPACE', text: 'no space left' },
  EDQUOT: { code: 'NO_SPACE', text: 'disk quota exceeded' },
  EROFS: { code: 'WRITE_FAILED', text: 'read-only file system' },
  EMFILE: { code: 'READ_FAILED', text: 'too many open files' },
  EIO: { code: 'READ_FAILED', text: 'input/output error' },
}

/** The error as a user should see it. A system error that no room gave a sentence keeps call, path and reason. */
export function toOvlError(error: unknown): OvlError {
  if (error instanceof OvlError) return error
  if (isSystemError(error)) return fromSystemError(error)
  const message = error instanceof Error ? error.message : String(error)
  return new OvlError('BUG', `This is a bug in ovl: ${escapeControls(message)}`, {
    hint: 'please report it with the command line and the output of the same command with --debug added',
    cause: error,
  })
}

/** True when the reader of standard output went away, as in `ovl ls image.tar | head`: nothing is wrong then. */
export function isClosedPipe(error: unknown): boolean {
  return isCode(error, 'EPIPE')
}

type SystemError = Error & { readonly code: string; readonly syscall: string; readonly path?: unknown }

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}

function fromSystemError(error: SystemError): OvlError {
  const reason = Object.hasOwn(reasons, error.code) ? reasons[error.code] : undefined
  const path = typeof error.path === 'string' ? error.path : undefined
  const object = path === undefined ? '' : ` ${escapeControls(path)}`
  return new OvlError(
    reason?.code ?? 'READ_FAILED',
    `Cannot ${error.syscall}${object}: ${reason?.text ?? error.code}`,
    {
      data: { errno: error.code, ...(path === undefined ? {} : { path }) },
      cause: error,
    },
  )
}
