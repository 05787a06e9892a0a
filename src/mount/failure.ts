// What to say when the kernel refuses an overlay that the preflight let pass: its own words, and the code that stands
// for them when they are known.
import { type ErrorCode, isCode, OvlError } from '../errors/index.ts'
import { shown } from '../overlay/index.ts'
import type { MountPlan } from './preflight.ts'

/** One try: done, refused by the kernel for a reason, or made in a way that this system does not know. */
export type MountAttempt =
  | { readonly kind: 'mounted'; readonly cause?: null }
  | { readonly kind: 'unknown method'; readonly cause: unknown }
  | MountRefusal

/** The kernel's answer. */
export type MountRefusal = {
  readonly kind: 'failed'
  readonly cause: unknown
  /** Its own words. */
  readonly messages: readonly string[]
}

const known: readonly (readonly [RegExp, ErrorCode])[] = [
  [/missing required features/, 'OVL_UPPER_REMOTE'],
  [/stacking depth exceeded/, 'OVL_TOO_DEEP'],
  [/not supported as upperdir/, 'OVL_UPPER_ON_OVERLAY'],
  [/^filesystem on .* not supported/, 'OVL_UNSUPPORTED_FS'],
  [/is read-only|upper fs is r\/o/, 'OVL_UPPER_READ_ONLY'],
  [/failed to clone (?:upper|lower)path/, 'OVL_LAYER_UNBINDABLE'],
  [/is in-use as/, 'OVL_IN_USE'],
  [/failed to verify upper root origin/, 'OVL_STALE_ORIGIN'],
  [/failed to verify index dir/, 'OVL_STALE_INDEX'],
  [/incompat feature/, 'OVL_VOLATILE_LEFTOVER'],
  [/Unknown parameter/, 'OVL_UNKNOWN_OPTION'],
  [/conflicting options/, 'OVL_CONFLICTING_OPTIONS'],
  [/sensitive directory on .* is inconsistent/, 'OVL_CASEFOLD_MIXED'],
]

/** The error for a refusal. */
export function mountFailure({ target }: MountPlan, { cause, messages }: MountRefusal): OvlError {
  const code = errnoName(cause)
  const where = `Cannot mount overlay on ${shown(target.path)}`
  const details = {
    facts: messages.map(message => `kernel: ${message}`),
    data: { errno: code, target: target.path, messages },
    cause,
  }
  if (code === 'EPERM' || code === 'EACCES') {
    return new OvlError('NEEDS_PRIVILEGE', `${where}: not permitted for uid ${process.geteuid?.() ?? '?'}`, {
      ...details,
      hint: 'without root: ovl mount --userns … -- COMMAND, which mounts for COMMAND alone',
    })
  }
  if (code === 'ENODEV') return new OvlError('UNSUPPORTED', `${where}: this kernel has no overlayfs`, details)
  const [reason, last] = [findReason(messages), messages.at(-1)]
  const fact = reason?.message ?? last ?? `the kernel refuses it (${code})`
  return new OvlError(reason?.code ?? 'OVL_MOUNT_FAILED', `${where}: ${fact}`, details)
}

function findReason(messages: readonly string[]): { readonly code: ErrorCode; readonly message: string } | undefined {
  for (const message of messages) {
    const row = known.find(([pattern]) => pattern.test(message))
    if (row !== undefined) return { code: row[1], message }
  }
  return undefined
}

/** "EINVAL", or what stands in for it when a program failed. */
export function errnoName(cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException
  return typeof code === 'string' ? code : 'unknown'
}

/** True for the answers of a system that lacks a call, or forbids it as container runtimes do. */
export function isMissingCall(error: unknown): boolean {
  return isCode(error, 'ENOSYS') || isCode(error, 'EPERM')
}
