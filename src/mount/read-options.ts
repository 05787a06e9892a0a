// An option string from a user, who may not know that a comma or a colon in a name needs a backslash.
import fs from 'node:fs'
import { type OvlError, quote } from '../errors/index.ts'
import { hostPath } from '../host/index.ts'
import {
  type OverlayOptions,
  parseOverlayOptions,
  refusal,
  splitLowerdir,
  splitOptions,
  unescapeLayer,
} from '../overlay/index.ts'

/**
 * Reads an option string, and says of a comma in a name that it separates options. Errors: those of
 * `parseOverlayOptions`, OVL_UNESCAPED_COMMA.
 */
export function readOptions(text: string, target: string | null): OverlayOptions {
  try {
    return parseOverlayOptions(text, { target })
  } catch (error) {
    throw explainComma(error as OvlError, text, target) ?? error
  }
}

/** `lowerdir=/a,b` names the option "b"; when "/a,b" exists, that is what was meant. */
function explainComma(error: OvlError, text: string, target: string | null): OvlError | null {
  if (error.code !== 'OVL_UNKNOWN_OPTION') return null
  const options = splitOptions(text)
  const at = options.findIndex(({ name }) => name === error.data['option'])
  const [before, after] = [options[at - 1], options[at]]
  if (
    before === undefined ||
    before.value === null ||
    after === undefined ||
    !/^(?:lower|upper|work)dir$/.test(before.name)
  )
    return null
  const rest = after.value === null ? after.name : `${after.name}=${after.value}`
  const layers = before.name === 'lowerdir' ? splitLowerdir(before.value) : null
  if (typeof layers === 'string') return null
  const path = layers === null ? unescapeLayer(before.value) : ([...layers.lower, ...layers.data].at(-1) ?? '')
  const joined = `${path},${unescapeLayer(rest)}`
  if (!isDirectory(joined)) return null
  return refusal(
    'OVL_UNESCAPED_COMMA',
    `there is no option ${quote(after.name)}, but ${quote(joined)} exists: the comma separates options`,
    {
      // The kernel looks for the part before the comma at once.
      errno: isDirectory(path) ? 'EINVAL' : 'ENOENT',
      kernel: `overlay: Unknown parameter '${after.name}'`,
      hint: `write it as ${joined.replaceAll(/[\\,]/g, '\\$&')}`,
      target,
      data: { option: after.name, joined },
    },
  )
}

function isDirectory(path: string): boolean {
  return fs.statSync(hostPath(path), { throwIfNoEntry: false })?.isDirectory() === true
}
