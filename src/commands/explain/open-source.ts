// What `ovl explain SOURCE PATH` looks into: the layers of an image, a bundle, a mounted overlay or given directories.

import * as fs from 'node:fs'
import { isBundle, readBundle } from '../../bundle/index.ts'
import { OvlError, quote } from '../../errors/index.ts'
import type { ExplainedLayer } from '../../explain/index.ts'
import { type HostFs, hostPath, type Mount, openHostFs, readMounts } from '../../host/index.ts'
import { openImage } from '../../image/index.ts'
import { type OverlaySettings, parseOverlayOptions, splitLowerdir } from '../../overlay/index.ts'
import { openMergedImage } from '../../unpack/index.ts'
import { type ImageOptions, reportReading } from '../image-options.ts'

/** Layers to be explained; valid until `close`. */
export type ExplainSource = {
  readonly title: string
  readonly upper: ExplainedLayer | null
  /** Top-most first. */
  readonly lower: readonly ExplainedLayer[]
  readonly settings: OverlaySettings
  readonly close: () => void
}

/** Directories given by flags. */
export type SourceDirectories = {
  readonly upper: string | null
  /** Each in the form of `lowerdir=`. */
  readonly lower: readonly string[]
  readonly userxattr: boolean
}

/**
 * Opens an image, a bundle, or the mount point of an overlay. Errors: those of `openImage` and `readBundle`; UNSUPPORTED
 * for a flat bundle, whose layers are gone, and for overlays whose layers cannot be found by their names.
 */
export async function openSource(argument: string, options: ImageOptions): Promise<ExplainSource> {
  if (isBundle(argument)) return openBundle(argument)
  const mount = findOverlay(argument)
  return mount === null ? openImageSource(argument, options) : openMounted(mount)
}

/** Opens directories as the layers of an overlay. Errors: INPUT_NOT_FOUND, USAGE. */
export function openDirectories({ upper, lower, userxattr }: SourceDirectories): ExplainSource {
  const lowers = lower.flatMap(each => {
    const split = splitLowerdir(each)
    if (typeof split === 'string') throw new OvlError('USAGE', `Cannot read --lower ${quote(each)}: ${split}`)
    return split.lower
  })
  return openHostLayers('the overlay', { upper, lower: lowers, settings: userxattr ? { userxattr: true } : {} })
}

type HostLayers = {
  readonly upper: string | null
  readonly lower: readonly string[]
  readonly settings: OverlaySettings
  readonly labels?: readonly string[]
}

function openHostLayers(title: string, { upper, lower, settings, labels = [] }: HostLayers): ExplainSource {
  const opened: HostFs[] = []
  const close = (): void => {
    for (const each of opened) each.close()
  }
  const open = (label: string, path: string): ExplainedLayer => {
    const host = openDirectory(path)
    opened.push(host)
    return { label, fs: host, path: '/' }
  }
  try {
    return {
      title,
      upper: upper === null ? null : open('upper', upper),
      lower: lower.map((path, index) => open(labels[index] ?? path, path)),
      settings,
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

function openDirectory(path: string): HostFs {
  try {
    return openHostFs(path, { readOnly: true, noAtime: true })
  } catch (cause) {
    if (cause instanceof OvlError) throw cause
    throw new OvlError('INPUT_NOT_FOUND', `Cannot open layer ${quote(path)}: ${(cause as Error).message}`, {
      data: { path },
      cause,
    })
  }
}

function openBundle(directory: string): ExplainSource {
  const { overlay, layers } = readBundle(directory).state
  if (overlay === null) {
    throw new OvlError('UNSUPPORTED', `Cannot explain paths of ${quote(directory)}: it is flat, its layers are gone`, {
      hint: 'ask the image that it was unpacked from, or unpack that without --flat',
      data: { path: directory },
    })
  }
  const numbers = overlay.lowers.toReversed()
  return openHostLayers(directory, {
    upper: `${directory}/upper`,
    lower: numbers.map(number => `${directory}/lower/${number}`),
    labels: numbers.map(number => labelOf(number, layers[number - 1]?.diffID ?? null)),
    settings: overlay.xattrs === 'user' ? { userxattr: true } : {},
  })
}

async function openImageSource(argument: string, options: ImageOptions): Promise<ExplainSource> {
  const image = await openImage(argument, options)
  try {
    const reading = reportReading(image, options)
    const { layers, lowers, close } = await openMergedImage(image, { ...options, content: false, onLayer: reading })
    return {
      title: image.title,
      upper: null,
      lower: lowers.toReversed().flatMap(number => {
        const layer = layers[number - 1]
        const label = labelOf(number, image.layers[number - 1]?.diffID ?? null)
        return layer === undefined ? [] : [{ label, fs: layer, path: '/' }]
      }),
      settings: {},
      close() {
        close()
        image.close()
      },
    }
  } catch (error) {
    image.close()
    throw error
  }
}

function labelOf(number: number, diffID: string | null): string {
  return `layer ${number}${diffID === null ? '' : `  ${diffID.slice(diffID.indexOf(':') + 1).slice(0, 12)}`}`
}

/** The overlay that is mounted at a directory. */
function findOverlay(path: string): Mount | null {
  let real: string
  try {
    real = fs.realpathSync(hostPath(path))
  } catch {
    return null // no such path: what is wrong with it, opening it as an image will say
  }
  return readMounts().findLast(mount => mount.type === 'overlay' && mount.mountPoint === real) ?? null
}

function openMounted(mount: Mount): ExplainSource {
  const { lower, upper, settings } = parseOverlayOptions(mount.superOptions.join(','))
  const relative = [...lower, ...(upper === null ? [] : [upper])].find(path => !path.startsWith('/'))
  if (relative === undefined) return openHostLayers(mount.mountPoint, { upper, lower, settings })
  throw new OvlError(
    'UNSUPPORTED',
    `Cannot explain paths of ${quote(mount.mountPoint)}: it was mounted with the relative path ${quote(relative)}`,
    { hint: 'name its directories: ovl explain --lower DIR[:DIR…] --upper DIR PATH', data: { path: relative } },
  )
}
