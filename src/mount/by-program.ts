// Mounting by mount(8), where there is no koffi to make the calls. The directories are handed to the program as open
// descriptors, so that names of any length and any bytes work.
import { spawnSync } from 'node:child_process'
import { isUtf8Name } from '../path/index.ts'
import { tooLong } from './by-string.ts'
import type { MountAttempt } from './failure.ts'
import { allLayers, type OpenLayer } from './layers.ts'
import { optionText, type OptionText, shortOptionText } from './option-text.ts'
import type { MountPlan } from './preflight.ts'

/** Numbers 0, 1 and 2 are the program's own streams. */
const firstNumber = 3

/** One try. Errors: OVL_OPTIONS_TOO_LONG. */
export function mountByProgram(plan: MountPlan): MountAttempt {
  const layers = allLayers(plan.layers)
  const numberOf = (layer: OpenLayer): number => firstNumber + 1 + layers.indexOf(layer)
  const short = shortOptionText(plan, numberOf)
  if (short === null) throw tooLong(plan)
  const options = isPlain(short.text) ? short : byNumber(plan, numberOf)
  const words = [...plan.options.generic, options.text].join(',')
  const args = ['-i', '-n', '-t', 'overlay', 'overlay', '-o', words, `/proc/self/fd/${firstNumber}`]
  const result = spawnSync('mount', args, {
    cwd: options.directory,
    stdio: ['ignore', 'ignore', 'pipe', plan.target.fd, ...layers.map(({ fd }) => fd)],
    env: { ...process.env, LC_ALL: 'C' },
  })
  if (result.error !== undefined) return { kind: 'unknown method', cause: result.error }
  if (result.status === 0) return { kind: 'mounted' }
  const messages = (result.stderr?.toString() ?? '').split('\n').map(line => line.trim())
  return {
    kind: 'failed',
    // mount(8) tells no errno; a mount that only root may make it refuses by itself.
    cause: new ProgramError(
      messages.some(line => /must be superuser|permission denied/.test(line)) ? 'EPERM' : 'unknown',
    ),
    messages: messages.filter(line => line !== '' && !line.startsWith('dmesg')),
  }
}

/** mount(8) takes quotation marks for its own, and arguments of a program must be UTF-8 here. */
function isPlain(text: string): boolean {
  return isUtf8Name(text) && !text.includes('"')
}

function byNumber(plan: MountPlan, numberOf: (layer: OpenLayer) => number): OptionText {
  return { directory: '/proc/self/fd', text: optionText(plan, layer => String(numberOf(layer))) }
}

class ProgramError extends Error {
  readonly code: string
  constructor(code: string) {
    super(`mount(8) failed (${code})`)
    this.code = code
  }
}
