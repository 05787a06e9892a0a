// One string with all options, as mount(2) and mount(8) take it. The kernel reads one page of it and cuts what is
// longer without a word (an overlay whose upperdir was cut away mounts read-only), so it is kept short: by absolute
// names where they fit, by names below a common directory, and at last by the numbers of open directories.
import { isInside } from '../host/index.ts'
import { nameByteLength } from '../path/index.ts'
import { formatOverlayOptions, type OverlayOptions } from '../overlay/index.ts'
import type { OpenDirectory } from './directory.ts'
import { allLayers, type OpenLayer } from './layers.ts'
import type { MountPlan } from './preflight.ts'

/** Bytes that the kernel takes, without the closing NUL. */
export const maxOptionBytes = 4095

/** An option string, and the directory from which its names count. */
export type OptionText = { readonly text: string; readonly directory: string }

/**
 * The shortest form is by descriptor: `numberOf` says under which number the mounting process holds a directory, in
 * /proc/self/fd. Null when not even that fits.
 */
export function shortOptionText(plan: MountPlan, numberOf: (layer: OpenLayer) => number): OptionText | null {
  const common = commonDirectory(allLayers(plan.layers).map(({ realPath }) => realPath))
  const forms: readonly OptionText[] = [
    { directory: '/', text: optionText(plan, ({ realPath }) => realPath) },
    { directory: common, text: optionText(plan, ({ realPath }) => relativeName(realPath, common)) },
    { directory: '/proc/self/fd', text: optionText(plan, layer => String(numberOf(layer))) },
  ]
  return forms.find(({ text }) => nameByteLength(text) <= maxOptionBytes) ?? null
}

/** The options with the name that `nameOf` gives each directory; words for every file system are left out. */
export function optionText({ options, layers }: MountPlan, nameOf: (layer: OpenLayer) => string): string {
  const named: OverlayOptions = {
    ...options,
    lower: layers.lower.map(nameOf),
    data: layers.data.map(nameOf),
    upper: layers.upper === null ? null : nameOf(layers.upper),
    work: layers.work === null ? null : nameOf(layers.work),
    generic: [],
  }
  return formatOverlayOptions(named)
}

/** The deepest directory that all these lie in, or are. */
export function commonDirectory(paths: readonly OpenDirectory['realPath'][]): string {
  const [first = '/', ...others] = paths
  let common = first
  while (!others.every(path => isInside(path, common))) common = common.slice(0, common.lastIndexOf('/')) || '/'
  return common
}

/** A name that cannot be taken for an option or an absolute path. */
function relativeName(path: string, directory: string): string {
  if (path === directory) return '.'
  return directory === '/' ? path.slice(1) : path.slice(directory.length + 1)
}
