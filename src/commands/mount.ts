// `ovl mount`: an overlay of directories, or of a bundle, checked before the kernel sees it.

import { readBundle } from '../bundle/index.ts'
import { OvlError } from '../errors/index.ts'
import {
  bundleOverlay,
  mountCommand,
  type MountMethod,
  mountOverlay,
  type MountPlan,
  type OpenLayer,
  preflight,
  readOptions,
  runInUserNamespace,
} from '../mount/index.ts'
import { type OverlayNote, type OverlayOptions } from '../overlay/index.ts'

/** What `ovl mount` was told besides the directory. */
export type MountCommandOptions = {
  /** Values of -o, in order. */
  readonly options: readonly string[]
  /** Values of --lower, top-most first: taken as they stand. */
  readonly lower: readonly string[]
  readonly upper?: string
  readonly work?: string
  readonly dryRun: boolean
  readonly userns: boolean
}

/** A directory of the overlay. */
export type MountedLayer = {
  readonly role: string
  readonly path: string
  readonly realPath: string
  readonly type: string | null
  readonly source: string | null
  readonly mount: number | null
}

/** An overlay that was mounted, or could be. */
export type MountReport = {
  /** As the user named it. */
  readonly target: string
  readonly mountPoint: string
  readonly dryRun: boolean
  readonly isReadOnly: boolean
  readonly layers: readonly MountedLayer[]
  /** For a shell; null when no string of mount(8) can hold it. */
  readonly command: string | null
  /** Null in a dry run. */
  readonly method: MountMethod | null
  readonly mount: number | null
  readonly notes: readonly OverlayNote[]
}

/**
 * Mounts an overlay on `argument`; with no directory in the options `argument` is a bundle.
 *
 * Errors: those of `readOptions`, `bundleOverlay`, `preflight` and `mountOverlay`; INPUT_NOT_FOUND, USAGE.
 */
export function mount(argument: string, options: MountCommandOptions): MountReport {
  const { overlay, target } = resolveOverlay(argument, options)
  const plan = preflight(overlay, target, options.userns ? { hasTrustedXattrs: false } : {})
  try {
    return options.dryRun ? describePlan(plan) : describeMounted(plan)
  } finally {
    plan.close()
  }
}

/** How to run a command where the overlay is mounted. */
export type MountedCommandOptions = MountCommandOptions & {
  readonly command: readonly string[]
  /** Words that start ovl itself. */
  readonly self: readonly string[]
}

/**
 * Runs a command in a user namespace where the overlay is mounted, and resolves to its exit status. The command of a
 * bundle starts in the bundle's directory.
 */
export function runMounted(argument: string, options: MountedCommandOptions): Promise<number> {
  const { lower, upper, work, self, command } = options
  const isBundle = isBundleCall(options)
  const words = [
    ...options.options.flatMap(value => ['-o', value]),
    ...(options.options.some(value => /(?:^|,)userxattr(?:,|$)/.test(value)) ? [] : ['-o', 'userxattr']),
    ...lower.flatMap(value => ['--lower', value]),
    ...(upper === undefined ? [] : ['--upper', upper]),
    ...(work === undefined ? [] : ['--work', work]),
  ]
  if (isBundle) bundleOverlay(readBundle(argument), { extra: settingsOf(argument, options), inUserNamespace: true })
  return runInUserNamespace({
    prepare: [...self, 'mount', ...words, isBundle ? '.' : notAFlag(argument)],
    command,
    ...(isBundle ? { cwd: argument } : {}),
  })
}

/** Words behind "--" would be the command. */
function notAFlag(path: string): string {
  return path.startsWith('-') ? `./${path}` : path
}

type Resolved = { readonly overlay: OverlayOptions; readonly target: string }

function resolveOverlay(argument: string, options: MountCommandOptions): Resolved {
  if (!isBundleCall(options)) return { overlay: withFlags(argument, options), target: argument }
  const extra = settingsOf(argument, options)
  const inUserNamespace = options.userns ? { inUserNamespace: true } : {}
  const { options: overlay, target } = bundleOverlay(readBundle(argument), { extra, ...inUserNamespace })
  return { overlay, target }
}

/** Directories make a plain mount of it; settings alone may be meant for a bundle. */
function isBundleCall(options: MountCommandOptions): boolean {
  if (options.lower.length > 0 || options.upper !== undefined || options.work !== undefined) return false
  return !/(?:^|,)(?:lowerdir|datadir|upperdir|workdir)\b/.test(options.options.join(','))
}

function settingsOf(argument: string, { options }: MountCommandOptions): OverlayOptions {
  return readOptions(options.join(','), argument)
}

function withFlags(target: string, { options, lower, upper, work, userns }: MountCommandOptions): OverlayOptions {
  const read = readOptions(options.join(','), target)
  const twice = [
    lower.length > 0 && read.lower.length > 0 ? '--lower' : null,
    upper !== undefined && read.upper !== null ? '--upper' : null,
    work !== undefined && read.work !== null ? '--work' : null,
  ].find(flag => flag !== null)
  if (twice !== undefined) throw new OvlError('USAGE', `${twice} and -o give the same directory`)
  return {
    ...read,
    lower: lower.length > 0 ? lower : read.lower,
    upper: upper ?? read.upper,
    work: work ?? read.work,
    settings: userns ? { userxattr: true, ...read.settings } : read.settings,
  }
}

function describePlan(plan: MountPlan): MountReport {
  return {
    target: plan.target.path,
    mountPoint: plan.target.realPath,
    dryRun: true,
    isReadOnly: plan.isReadOnly,
    layers: describeLayers(plan),
    command: mountCommand(plan),
    method: null,
    mount: null,
    notes: plan.notes,
  }
}

function describeMounted(plan: MountPlan): MountReport {
  const { method, mount: made, isReadOnly, notes } = mountOverlay(plan)
  return { ...describePlan(plan), dryRun: false, isReadOnly, method, mount: made?.id ?? null, notes }
}

function describeLayers({ layers: { lower, data, upper, work } }: MountPlan): MountedLayer[] {
  const all: readonly (OpenLayer | null)[] = [...lower, ...data, upper, work]
  return all.flatMap(layer => {
    if (layer === null) return []
    const { role, path: name, realPath, mount: on } = layer
    return { role, path: name, realPath, type: on?.type ?? null, source: on?.source ?? null, mount: on?.id ?? null }
  })
}
