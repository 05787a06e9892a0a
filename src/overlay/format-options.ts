// Layers and settings as an option string. `parseOverlayOptions` reads back the same.
import { escapeLower, escapeUpper } from './option-syntax.ts'
import type { OverlayOptions } from './options.ts'

/** One option string for mount(2) and mount(8); the directories first, then settings in the order they were given. */
export function formatOverlayOptions(options: OverlayOptions): string {
  const { upper, work } = options
  return [
    ...formatLayers(options),
    ...(upper === null ? [] : [`upperdir=${escapeUpper(upper)}`]),
    ...(work === null ? [] : [`workdir=${escapeUpper(work)}`]),
    ...formatSettings(options.settings),
    ...options.generic,
    ...options.security.map(({ name, value }) => (value === null ? name : `${name}=${value}`)),
  ].join(',')
}

/** Settings as words and `name=value`, in the order they were given. */
export function formatSettings(settings: OverlayOptions['settings']): string[] {
  return Object.entries(settings).map(([name, value]) => {
    if (typeof value === 'string') return `${name}=${value}`
    return value ? name : `no${name}`
  })
}

/** `lowerdir=top:next::data`. An overlay of data-only layers alone cannot be written that way, nor mounted. */
function formatLayers({ lower, data }: OverlayOptions): string[] {
  if (lower.length + data.length === 0) return []
  if (lower.length === 0) return data.map(path => `datadir+=${path}`)
  return [`lowerdir=${lower.map(escapeLower).join(':')}${data.map(path => `::${escapeLower(path)}`).join('')}`]
}
