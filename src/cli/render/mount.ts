import type { MountReport, UnmountReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { jsonName } from '../../path/index.ts'
import { countText } from '../wording.ts'

/** What was mounted or could be, and what may surprise. */
export function renderMount(report: MountReport): string[] {
  const { target, command, dryRun, notes } = report
  const what = describe(report)
  const lines = dryRun
    ? [`ok: ${what}. ${command === null ? 'No string of mount(8) can hold it.' : 'Equivalent command:'}`]
    : [`mounted ${escapeControls(target)}: ${what}`]
  if (dryRun && command !== null) lines.push(`  ${command}`)
  if (notes.length > 0) lines.push(`notes: ${notes.map(({ message }) => escapeControls(message)).join('; ')}`)
  return lines
}

/** The JSON of `ovl mount`. */
export function mountToJson(report: MountReport): { readonly [key: string]: Json } {
  const { target, mountPoint, dryRun, isReadOnly, layers, command, method, mount, notes } = report
  return {
    target: jsonName(target),
    mountPoint: jsonName(mountPoint),
    dryRun,
    readOnly: isReadOnly,
    layers: layers.map(layer => ({ ...layer, path: jsonName(layer.path), realPath: jsonName(layer.realPath) })),
    command,
    method,
    mount,
    notes: notes.map(note => ({ ...note })),
  }
}

/** What was unmounted. */
export function renderUnmount({ path, mountPoint, mounts }: UnmountReport): string[] {
  if (mounts.length === 0) return [`nothing is mounted on ${escapeControls(path)}`]
  const count = mounts.length === 1 ? '' : ` (${countText(mounts.length, 'overlay')})`
  return [`unmounted ${escapeControls(mountPoint)}${count}`]
}

/** The JSON of `ovl umount`. */
export function unmountToJson({ path, mountPoint, mounts }: UnmountReport): { readonly [key: string]: Json } {
  return { path: jsonName(path), mountPoint: jsonName(mountPoint), mounts: [...mounts] }
}

function describe({ layers, isReadOnly }: MountReport): string {
  const count = (role: string): number => layers.filter(layer => layer.role === role).length
  const data = count('datadir')
  const parts = [
    countText(count('lowerdir'), 'lower'),
    ...(data === 0 ? [] : [countText(data, 'data-only layer')]),
    ...(count('upperdir') === 0 ? ['no upper, read-only'] : [isReadOnly ? 'upper, read-only' : 'upper writable']),
  ]
  return parts.join(', ')
}
