// Opening images in tests: a scratch directory, collected warnings, the error of a promise, all bytes of a layer.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OvlError, type Warning } from '../../src/errors/index.ts'
import {
  type Image,
  type Layer,
  openImage,
  type OpenImageOptions,
  type StreamOptions,
  streamLayer,
} from '../../src/image/index.ts'

/** A scratch directory for the tests of the current suite, removed after them. */
export function scratch(): { readonly path: (...names: string[]) => string } {
  let directory = ''
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'ovl-image-test-'))
  })
  after(() => rmSync(directory, { recursive: true, force: true }))
  return { path: (...names) => join(directory, ...names) }
}

export type Opened = { readonly image: Image; readonly warnings: readonly Warning[] }

/** Opens an image, hands it over and closes it. */
export async function withImage<T>(
  argument: string,
  use: (opened: Opened) => T | Promise<T>,
  options: OpenImageOptions = {},
): Promise<T> {
  const warnings: Warning[] = []
  const image = await openImage(argument, { warn: warning => void warnings.push(warning), ...options })
  try {
    return await use({ image, warnings })
  } finally {
    image.close()
  }
}

/** The OvlError that opening (and `use`) ends with. */
export async function errorOf(promise: Promise<unknown>): Promise<OvlError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
  throw new Error('it succeeded')
}

/** The error of opening an image. */
export function openError(argument: string, options: OpenImageOptions = {}): Promise<OvlError> {
  return errorOf(withImage(argument, () => undefined, options))
}

/** The uncompressed bytes of a layer, verified, through regions of an awkward size. */
export async function layerBytes(
  layer: Layer,
  options: StreamOptions & { readonly regionBytes?: number } = {},
): Promise<Buffer> {
  const parts: Buffer[] = []
  const region = new Uint8Array(options.regionBytes ?? 1000)
  await streamLayer(
    layer,
    { space: () => region, commit: length => void parts.push(Buffer.from(region.subarray(0, length))) },
    options,
  )
  return Buffer.concat(parts)
}

/** Names of the files in the layers, which tell test images apart. */
export async function layerFiles(image: Image): Promise<readonly string[]> {
  const names: string[] = []
  for (const layer of image.layers)
    names.push((await layerBytes(layer)).subarray(0, 100).toString().replace(/\0.*$/s, ''))
  return names
}

/** Which image an argument opens: the names of the files in its layers. */
export async function opened(argument: string, options: OpenImageOptions = {}): Promise<string> {
  return (await withImage(argument, ({ image }) => layerFiles(image), options)).join()
}
