// Mounting by fsopen(2), fsconfig(2), fsmount(2) and move_mount(2): no limit on the length of anything, names of any
// bytes, and reasons that can be read from the context. Linux 6.5 takes layers one by one, 6.13 by descriptor.
import type { FilesystemContext, System } from '../host/index.ts'
import { formatSettings } from '../overlay/index.ts'
import { nameByteLength } from '../path/index.ts'
import { isMissingCall, type MountAttempt } from './failure.ts'
import { genericFlagsOf } from './generic-flags.ts'
import type { OpenLayer } from './layers.ts'
import type { MountPlan } from './preflight.ts'

/** Bytes of a string value of fsconfig(2), without the closing NUL. */
const maxValueBytes = 255

/** How the layers are named. */
export type ByContext = { readonly system: System | null; readonly by: 'descriptors' | 'names' }

/** One try. */
export function mountByContext(plan: MountPlan, { system, by }: ByContext): MountAttempt {
  if (system === null) return { kind: 'unknown method', cause: null }
  let context: FilesystemContext
  try {
    context = system.fsopen('overlay')
  } catch (error) {
    return isMissingCall(error)
      ? { kind: 'unknown method', cause: error }
      : { kind: 'failed', cause: error, messages: [] }
  }
  const messages: string[] = []
  try {
    configure(context, plan, by === 'descriptors' ? giveDescriptor : giveName)
    context.create()
    context.attach(plan.target.fd, genericFlagsOf(plan.options.generic).attributes)
    return { kind: 'mounted' }
  } catch (error) {
    messages.push(...context.messages().map(message => message.replace(/^overlay: /, '')))
    if (messages.some(isUnknownForm)) return { kind: 'unknown method', cause: error }
    return { kind: 'failed', cause: error, messages }
  } finally {
    context.close()
  }
}

/** "Bad value" is what a kernel says that wants a string; "Unknown parameter" one that wants lowerdir alone. */
function isUnknownForm(message: string): boolean {
  return /^(?:Bad value for|Unknown parameter) '(?:lowerdir\+|datadir\+|upperdir|workdir)'/.test(message)
}

type Give = (context: FilesystemContext, key: string, layer: OpenLayer) => void

function configure(context: FilesystemContext, { options, layers }: MountPlan, give: Give): void {
  context.setString('source', 'overlay')
  for (const layer of layers.lower) give(context, 'lowerdir+', layer)
  for (const layer of layers.data) give(context, 'datadir+', layer)
  if (layers.upper !== null) give(context, 'upperdir', layers.upper)
  if (layers.work !== null) give(context, 'workdir', layers.work)
  const texts = [...formatSettings(options.settings), ...genericFlagsOf(options.generic).words]
  for (const text of texts) setOption(context, text)
  for (const { name, value } of options.security) setOption(context, value === null ? name : `${name}=${value}`)
}

function setOption(context: FilesystemContext, text: string): void {
  const equals = text.indexOf('=')
  if (equals < 0) context.setFlag(text)
  else context.setString(text.slice(0, equals), text.slice(equals + 1))
}

function giveDescriptor(context: FilesystemContext, key: string, { fd }: OpenLayer): void {
  context.setFd(key, fd)
}

/** Names are shown in mountinfo; one that is too long goes by its descriptor, and only upperdir and workdir unescape. */
function giveName(context: FilesystemContext, key: string, { fd, realPath }: OpenLayer): void {
  const name = key.endsWith('+') ? realPath : realPath.replaceAll('\\', '\\\\')
  context.setString(key, nameByteLength(name) <= maxValueBytes ? name : `/proc/self/fd/${fd}`)
}
