// What the caller wants of an input, worked out once and handed to every reader; and the sentences that all of them
// say when it is not there.

import { type ErrorCode, escapeControls, type Limits, OvlError, quote, type Warn } from '../errors/index.ts'
import { type Digest, formatPlatform, matchPlatform, parseReference, type Platform, platform } from '../oci/index.ts'
import type { Selector } from './argument.ts'

/** Which image of an input is wanted, and how strictly: the argument and the options of `openImage` in one. */
export type Request = {
  /** The input's path as given, or "standard input". */
  readonly path: string
  readonly selector: Selector
  readonly platform: Platform
  /** True when the user asked for the platform, false when it is the machine's. */
  readonly platformAsked: boolean
  readonly allowMissingLayers: boolean
  readonly limits: Limits
  readonly warn: Warn
}

const architectures: ReadonlyMap<string, string> = new Map([
  ['x64', 'amd64'],
  ['ia32', '386'],
  ['arm', 'arm'],
  ['arm64', 'arm64'],
  ['ppc64', 'ppc64le'],
  ['loong64', 'loong64'],
  ['mipsel', 'mipsle'],
])

/** The platform whose images this machine runs: always Linux, because other systems run them in a Linux machine. */
export function hostPlatform(): Platform {
  return platform('linux', architectures.get(process.arch) ?? process.arch)
}

/** How well `offered` serves the request; null is not at all. A platform of which nothing is known serves any. */
export function platformRank(request: Request, offered: Platform): number | null {
  if (offered.architecture === '') return 1000
  const complete = offered.os === '' ? { ...offered, os: 'linux' } : offered
  return matchPlatform(request.platform, complete, { emulated: !request.platformAsked })
}

/** A single image for another platform than the machine's is opened with a warning, than one asked for refused. */
export function checkOnlyPlatform(request: Request, offered: Platform, title: string): void {
  if (platformRank(request, offered) !== null) return
  if (request.platformAsked) throw platformNotFound(request, [offered], title)
  request.warn({
    code: 'IMAGE_DOCUMENT',
    message: `${title} is for ${formatPlatform(offered)}, this machine is ${formatPlatform(request.platform)}`,
  })
}

/** Row 8 of the error table. */
export function platformNotFound(request: Request, offered: readonly Platform[], title: string): OvlError {
  const names = [...new Set(offered.map(formatPlatform))]
  const wanted = formatPlatform(request.platform)
  return new OvlError('PLATFORM_NOT_FOUND', `Cannot find platform ${wanted} in ${title}: it has ${listed(names)}`, {
    ...(request.platformAsked || names[0] === undefined ? {} : { hint: `choose one: --platform ${names[0]}` }),
    data: { platform: wanted, available: names },
  })
}

/** One image of an input, as far as its name goes. */
export type Named = {
  readonly names: readonly string[] /** How a list shows it when it has no name. */
  readonly fallback: string
}

/** Row 7 of the error table: no image of that name, number or digest. */
export function tagNotFound(
  selector: Selector,
  place: { readonly form: string; readonly location: string; readonly images: readonly Named[] },
): OvlError {
  const { form, location, images } = place
  const wanted =
    selector.digest !== null
      ? `digest ${selector.digest}`
      : selector.position !== null
        ? `image @${selector.position}`
        : `tag ${quote(selector.name ?? '')}`
  const names = images.flatMap(nameOrFallback)
  return new OvlError('TAG_NOT_FOUND', `Cannot find ${wanted} in ${form} ${location}: it has ${listed(names)}`, {
    data: { path: location, wanted: selector.name ?? selector.digest ?? selector.position, available: names },
  })
}

/** Several images and none named, or a name that fits several. */
export function ambiguous(location: string, images: readonly Named[]): OvlError {
  const names = images.flatMap(nameOrFallback)
  const first = names[0] ?? '@0'
  const suffix = first.startsWith('sha') ? `@${first}` : `:${first}`
  return imageError('IMAGE_AMBIGUOUS', `Cannot choose an image of ${location}: it has ${listed(names)}`, {
    hint: `name one, for example ${location}${escapeControls(suffix)}`,
    available: names,
  })
}

function imageError(
  code: ErrorCode,
  message: string,
  more: { readonly hint: string; readonly available: readonly string[] },
): OvlError {
  return new OvlError(code, message, { hint: more.hint, data: { available: more.available } })
}

function nameOrFallback({ names, fallback }: Named): readonly string[] {
  return names.length > 0 ? names.slice(0, 1) : [fallback]
}

/** At most ten of a list, and how many more there are. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const shown = names.slice(0, 10).map(escapeControls).join(', ')
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown
}

/**
 * How well an image's name fits the wanted one: 0 the same text, 1 the same Docker reference (`busybox` is
 * `docker.io/library/busybox:latest`), 2 the same tag; null is not at all.
 */
export function nameRank(wanted: string, name: string): number | null {
  if (wanted === name) return 0
  const offered = parseReference(name)
  if (offered === null) return null
  const reference = parseReference(wanted)
  const sameName = reference !== null && reference.domain === offered.domain && reference.path === offered.path
  if (sameName && (reference.tag ?? 'latest') === (offered.tag ?? 'latest')) return 1
  return offered.tag === wanted ? 2 : null
}

/** The images whose names fit best; empty when none fits. */
export function bestNamed<T extends Named>(wanted: string, images: readonly T[]): readonly T[] {
  const ranked = images.map(image => ({
    image,
    rank: Math.min(...image.names.map(name => nameRank(wanted, name) ?? 9)),
  }))
  const best = Math.min(9, ...ranked.map(({ rank }) => rank))
  return best === 9 ? [] : ranked.filter(({ rank }) => rank === best).map(({ image }) => image)
}

/** What the images of a docker archive are chosen by. */
export type Choice<T extends Named> = {
  readonly selector: Selector
  readonly location: string
  /** Whether an image has this digest. */
  readonly hasDigest: (image: T, digest: Digest) => boolean
  /** What is the same for the same image under two names. */
  readonly identity: (image: T) => string
}

/** The image that a selector means, of those listed. Errors: TAG_NOT_FOUND, IMAGE_AMBIGUOUS, and those of `hasDigest`. */
export function chooseImage<T extends Named>(images: readonly T[], choice: Choice<T>): T {
  const { selector, location, hasDigest, identity } = choice
  const { name, position, digest } = selector
  const notFound = (): OvlError => tagNotFound(selector, { form: 'docker archive', location, images })
  if (position !== null) {
    const found = images[position]
    if (found === undefined) throw notFound()
    return found
  }
  const named = name === null ? images : bestNamed(name, images)
  const fitting = digest === null ? named : named.filter(image => hasDigest(image, digest))
  const [first] = fitting
  if (first === undefined) throw notFound()
  if (new Set(fitting.map(identity)).size > 1) throw ambiguous(location, fitting)
  return first
}
