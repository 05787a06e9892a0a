// Mounting by mount(2), for kernels before 6.5 and sandboxes that forbid the newer calls.
import fs from 'node:fs'
import type { System } from '../host/index.ts'
import { refusal } from '../overlay/index.ts'
import type { MountAttempt } from './failure.ts'
import { genericFlagsOf } from './generic-flags.ts'
import { maxOptionBytes, type OptionText, shortOptionText } from './option-text.ts'
import type { MountPlan } from './preflight.ts'

/** One try. Errors: OVL_OPTIONS_TOO_LONG. */
export function mountByString(plan: MountPlan, system: System | null): MountAttempt {
  if (system === null) return { kind: 'unknown method', cause: null }
  const options = shortOptionText(plan, ({ fd }) => fd)
  if (options === null) throw tooLong(plan)
  try {
    mountFrom(plan, { options, system })
    return { kind: 'mounted' }
  } catch (error) {
    return { kind: 'failed', cause: error, messages: [] }
  }
}

/** The error for options that no trick makes short enough. */
export function tooLong({ target }: MountPlan): Error {
  return refusal('OVL_OPTIONS_TOO_LONG', `the options take more than ${maxOptionBytes} bytes in their shortest form`, {
    errno: 'EINVAL',
    hint: 'Linux 6.5 and newer take layers one by one; or merge some of the layers',
    target: target.path,
  })
}

/**
 * The current directory belongs to the whole process: it changes for one synchronous call, in which no other
 * JavaScript runs, and comes back however that ends.
 */
function mountFrom(
  plan: MountPlan,
  { options, system }: { readonly options: OptionText; readonly system: System },
): void {
  const flags = genericFlagsOf(plan.options.generic).mountFlags
  const how = { source: 'overlay', flags, options: options.text }
  const target = `/proc/self/fd/${plan.target.fd}`
  if (options.directory === '/') return system.mount('overlay', target, how)
  const before = fs.openSync('.', fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    system.chdir(options.directory)
    system.mount('overlay', target, how)
  } finally {
    system.fchdir(before)
    fs.closeSync(before)
  }
}
