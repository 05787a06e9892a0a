// Gives a checked overlay to the kernel: by the mount interface of Linux 5.2, layer by layer; where that is missing by
// mount(2) in one string; without koffi by mount(8). A process that dies in between leaves either no mount or a whole
// one, which `unmount` finds.
import { type Json, OvlError } from '../errors/index.ts'
import { loadSystem, type Mount, readMounts } from '../host/index.ts'
import { type OverlayNote, shown } from '../overlay/index.ts'
import { mountByContext } from './by-context.ts'
import { mountByProgram } from './by-program.ts'
import { mountByString } from './by-string.ts'
import { mountFailure, type MountAttempt } from './failure.ts'
import { openKernelLog } from './kernel-log.ts'
import type { MountPlan } from './preflight.ts'

/** How a mount was made: by descriptor or name of each layer, by one string, or by mount(8). */
export type MountMethod = 'descriptors' | 'names' | 'string' | 'program'

/** A mounted overlay. */
export type MountedOverlay = {
  readonly mountPoint: string
  /** As mountinfo shows it; null when it is not to be seen (another mount on top at once). */
  readonly mount: Mount | null
  readonly method: MountMethod
  readonly isReadOnly: boolean
  readonly notes: readonly OverlayNote[]
}

/** Which ways of mounting are tried, in order. For tests. */
export type MountOptions = { readonly methods?: readonly MountMethod[] }

/**
 * Mounts the overlay of a plan, which stays open.
 *
 * Errors: OVL_MOUNT_FAILED with the kernel's own words, or the code that stands for them; NEEDS_PRIVILEGE; UNSUPPORTED;
 * OVL_OPTIONS_TOO_LONG.
 */
export function mountOverlay(plan: MountPlan, { methods = allMethods }: MountOptions = {}): MountedOverlay {
  const log = openKernelLog()
  try {
    const method = tryMethods(plan, methods, () => log.messages())
    return describeMount(plan, method, log.messages())
  } finally {
    log.close()
  }
}

const allMethods: readonly MountMethod[] = ['descriptors', 'names', 'string', 'program']

const attempts: { readonly [Method in MountMethod]: (plan: MountPlan) => MountAttempt } = {
  descriptors: plan => mountByContext(plan, { system: loadSystem(), by: 'descriptors' }),
  names: plan => mountByContext(plan, { system: loadSystem(), by: 'names' }),
  string: plan => mountByString(plan, loadSystem()),
  program: mountByProgram,
}

/** Goes on to the next method only when the kernel does not know this one. */
function tryMethods(plan: MountPlan, methods: readonly MountMethod[], logged: () => string[]): MountMethod {
  let last: MountAttempt = { kind: 'unknown method', cause: null }
  for (const method of methods) {
    last = attempts[method](plan)
    if (last.kind === 'mounted') return method
    if (last.kind === 'failed') throw mountFailure(plan, { ...last, messages: [...last.messages, ...logged()] })
  }
  throw new OvlError(
    'UNSUPPORTED',
    `Cannot mount overlay on ${shown(plan.target.path)}: there is no way to mount here`,
    {
      data: { methods: [...methods] as Json },
      cause: last.cause ?? undefined,
    },
  )
}

function describeMount(
  { target, isReadOnly, notes }: MountPlan,
  method: MountMethod,
  messages: string[],
): MountedOverlay {
  const mount = readMounts().findLast(({ mountPoint, type }) => mountPoint === target.realPath && type === 'overlay')
  const turnedReadOnly = !isReadOnly && mount?.superOptions.includes('ro') === true
  const reason = messages.findLast(message => message.includes('read-only')) ?? 'it gave no reason'
  return {
    mountPoint: target.realPath,
    mount: mount ?? null,
    method,
    isReadOnly: isReadOnly || turnedReadOnly,
    notes: [
      ...notes,
      ...kernelWarnings(messages, notes),
      ...(turnedReadOnly ? [{ about: 'read-only', message: `the kernel mounted read-only: ${reason}` }] : []),
    ],
  }
}

/** What the kernel found besides: an upperdir that a mount out of sight uses, a file system that lacks something. */
function kernelWarnings(messages: readonly string[], notes: readonly OverlayNote[]): OverlayNote[] {
  const isKnown = (message: string): boolean =>
    message.includes('is in-use as') && notes.some(note => note.message.includes('is in use as'))
  return messages
    .filter(message => /is in-use as|falling back to|does not support|needs to support|failed to set/.test(message))
    .filter(message => !isKnown(message))
    .map(message => ({ about: 'kernel', message: `the kernel says: ${message}` }))
}
