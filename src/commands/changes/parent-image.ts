// The image that a bundle was unpacked from: where ovl.json says it is, or where the user says that it is now.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Bundle } from '../../bundle/index.ts'
import { isCode, OvlError, quote } from '../../errors/index.ts'
import { hostPath } from '../../host/index.ts'
import { type Image, openImage, standardInput } from '../../image/index.ts'
import type { ImageOptions } from '../image-options.ts'

/** How the image is looked for. */
export type ParentOptions = Omit<ImageOptions, 'ref'> & {
  /** An image argument; null for where ovl.json says. */
  readonly parent: string | null
  /** What cannot be done without it: "commit". */
  readonly verb: string
  readonly ref?: string
}

/**
 * Opens the image of a bundle; the caller closes it. By its digest, since its names may stand for others by now.
 *
 * Errors: INPUT_NOT_FOUND where it is not any more, DIFF_ID_MISMATCH for another image, those of `openImage`.
 */
export async function openParent(bundle: Bundle, { parent, verb, ...options }: ParentOptions): Promise<Image> {
  const image = parent === null ? await openOrigin(bundle, verb, options) : await openImage(parent, options)
  try {
    checkParent(bundle, image, verb)
    return image
  } catch (error) {
    image.close()
    throw error
  }
}

async function openOrigin({ directory, state }: Bundle, verb: string, options: ImageOptions): Promise<Image> {
  const { transport, location, manifest, config, platform } = state.image
  const gone = (fact: string, cause: unknown): OvlError =>
    new OvlError('INPUT_NOT_FOUND', `Cannot ${verb} ${quote(directory)}: ${fact}`, {
      hint: 'name the image that it was unpacked from: --parent IMAGE',
      data: { path: directory, image: location, digest: manifest ?? config },
      cause,
    })
  if (location === standardInput) throw gone('its image came from standard input', undefined)
  const path = resolve(location)
  if (!existsSync(hostPath(path))) throw gone(`its image is not at ${quote(location)} any more`, undefined)
  try {
    const ref = transport === 'dir' && manifest !== null ? {} : { ref: `@${manifest ?? config}` }
    return await openImage(`${transport}:${path}`, {
      ...options,
      ...ref,
      ...(platform.includes('unknown') ? {} : { platform }),
    })
  } catch (error) {
    const isGone = ['INPUT_NOT_FOUND', 'TAG_NOT_FOUND', 'NOT_AN_IMAGE'].some(code => isCode(error, code))
    throw isGone ? gone(`its image is not in ${quote(location)} any more`, error) : error
  }
}

/** Changes fit only upon the layers that they are compared with. */
function checkParent({ directory, state }: Bundle, image: Image, verb: string): void {
  const own = state.layers.map(({ diffID }) => diffID)
  const isSame =
    own.length === image.layers.length &&
    image.layers.every(({ diffID }, i) => diffID === null || own[i] === null || own[i] === diffID)
  if (isSame) return
  const fact = `${image.title} is not the image that it was unpacked from: it has other layers`
  throw new OvlError('DIFF_ID_MISMATCH', `Cannot ${verb} ${quote(directory)}: ${fact}`, {
    facts: [`the bundle was unpacked from ${own.length} layers, the top one ${own.at(-1) ?? 'unknown'}`],
    data: { path: directory, expected: own, got: image.layers.map(({ diffID }) => diffID) },
  })
}
