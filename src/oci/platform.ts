// Platforms: image-spec image-index.md, "platform"; spelling and matching as containerd's platforms package does it.

import { escapeControls, OvlError, quote } from '../errors/index.ts'
import { type Field, optionalText, property, texts } from './field.ts'

/** What an image runs on. An empty string means "not given". */
export type Platform = {
  readonly os: string
  readonly architecture: string
  readonly variant: string
  readonly osVersion: string
  readonly osFeatures: readonly string[]
}

/** The `platform` object of a descriptor. Errors: BAD_DOCUMENT. */
export function parsePlatform(field: Field): Platform {
  return {
    os: optionalText(property(field, 'os')) ?? '',
    architecture: optionalText(property(field, 'architecture')) ?? '',
    variant: optionalText(property(field, 'variant')) ?? '',
    osVersion: optionalText(property(field, 'os.version')) ?? '',
    osFeatures: texts(property(field, 'os.features')),
  }
}

const specifier = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/**
 * Reads what a user writes: `os/architecture[/variant]`, or one word, which is an architecture unless it is a known
 * operating system. Missing parts come from `defaults`. The result is normalised. Errors: USAGE.
 */
export function parsePlatformName(text: string, defaults: Platform): Platform {
  const parts = text.split('/')
  if (parts.length > 3 || !parts.every(part => specifier.test(part))) {
    throw new OvlError('USAGE', `Cannot use platform ${quote(text)}: it is not os/architecture[/variant]`, {
      hint: 'write for example linux/amd64 or linux/arm/v7',
    })
  }
  const [first = '', second, third] = parts
  if (second !== undefined) return platform(first, second, third)
  return operatingSystems.has(normalOs(first))
    ? platform(first, defaults.architecture, defaults.variant)
    : platform(defaults.os, first)
}

/** A normalised platform from its parts. */
export function platform(os: string, architecture: string, variant = ''): Platform {
  return normalisePlatform({ os, architecture, variant, osVersion: '', osFeatures: [] })
}

/** One spelling for every platform: `x86_64` is amd64, arm without variant is v7, arm64/v8 and amd64/v1 need none. */
export function normalisePlatform(given: Platform): Platform {
  const name = given.architecture.toLowerCase()
  const [architecture, implied] = aliases.get(name) ?? [name, '']
  const variant = given.variant.toLowerCase() || implied
  return { ...given, os: normalOs(given.os), architecture, variant: normalVariant(architecture, variant) }
}

/** `os/architecture[/variant]` as the platform has it, safe to print; "unknown" stands for what is not given. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return escapeControls(`${os || 'unknown'}/${architecture || 'unknown'}${variant === '' ? '' : `/${variant}`}`)
}

/**
 * How well an image for `offered` serves `wanted`: 0 is exact, larger is worse, null is not at all. Lower variants of
 * the same architecture serve higher ones; with `emulated`, what the processor also runs does too (386 on amd64, arm
 * on arm64). An `os.version` counts only when it is wanted.
 */
export function matchPlatform(
  wanted: Platform,
  offered: Platform,
  options: { readonly emulated?: boolean } = {},
): number | null {
  const want = normalisePlatform(wanted)
  const offer = normalisePlatform(offered)
  if (want.os !== offer.os) return null
  if (want.osVersion !== '' && want.osVersion !== offer.osVersion) return null
  const rank = acceptable(want, options.emulated === true).indexOf(`${offer.architecture}/${offer.variant}`)
  return rank < 0 ? null : rank
}

const operatingSystems = new Set(
  'aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows zos'.split(
    ' ',
  ),
)

const aliases: ReadonlyMap<string, readonly [string, string]> = new Map([
  ['x86_64', ['amd64', '']],
  ['x86-64', ['amd64', '']],
  ['i386', ['386', '']],
  ['i486', ['386', '']],
  ['i586', ['386', '']],
  ['i686', ['386', '']],
  ['aarch64', ['arm64', '']],
  ['armhf', ['arm', 'v7']],
  ['armel', ['arm', 'v6']],
])

function normalOs(os: string): string {
  const name = os.toLowerCase()
  return name === 'macos' ? 'darwin' : name
}

function normalVariant(architecture: string, variant: string): string {
  const versioned = /^[0-9]/.test(variant) ? `v${variant}` : variant
  if (architecture === 'arm' && versioned === '') return 'v7'
  if (architecture === 'arm64' && versioned === 'v8') return ''
  if (architecture === 'amd64' && versioned === 'v1') return ''
  return versioned
}

/** `architecture/variant` in order of preference. */
function acceptable({ architecture, variant }: Platform, emulated: boolean): readonly string[] {
  const level = /^v([0-9])$/.exec(variant)?.[1]
  if (architecture === 'amd64') {
    const levels = level === undefined ? [variant] : [...levelsDown(Number(level), 2), '']
    return [...levels.map(each => `amd64/${each}`), ...(emulated ? ['386/'] : [])]
  }
  if (architecture === 'arm' && level !== undefined) return levelsDown(Number(level), 5).map(each => `arm/${each}`)
  if (architecture === 'arm64') {
    const levels = level === undefined ? [variant] : [...levelsDown(Number(level), 9), '']
    return [...levels.map(each => `arm64/${each}`), ...(emulated ? levelsDown(8, 5).map(each => `arm/${each}`) : [])]
  }
  return [`${architecture}/${variant}`]
}

/** `v7 v6 v5` for 7 and 5. */
function levelsDown(from: number, to: number): readonly string[] {
  return Array.from({ length: Math.max(0, from - to + 1) }, (_, i) => `v${from - i}`)
}
