// `ovl unpack`: an image becomes a bundle that a runtime starts.

import { dirname, join, resolve } from 'node:path'
import { type NotKept, type UserNamespace, userNamespace } from '../bundle/index.ts'
import { isCode, OvlError } from '../errors/index.ts'
import { ownWorkspaces, probePrivileges, removeTree } from '../host/index.ts'
import type { Image } from '../image/index.ts'
import type { Digest, Platform } from '../oci/index.ts'
import {
  type Force,
  type MergedCounts,
  type UnpackedLayer,
  unpackFlat,
  unpackLayers,
  type UnpackLayersOptions,
  type UnpackProgress,
  type UnpackResult,
} from '../unpack/index.ts'
import type { ImageOptions } from './image-options.ts'
import { withImage } from './with-image.ts'

/** How to unpack: the flags of `ovl unpack`. */
export type UnpackCommandOptions = ImageOptions & {
  readonly mode: UnpackMode
  /** Marks of overlayfs as `user.overlay.*`, for mounts with `userxattr`. */
  readonly userxattr: boolean
  readonly force: Force
  readonly rootless: boolean
  /** `CONTAINER:HOST:SIZE`, any number of times. */
  readonly uidMap: readonly string[]
  readonly gidMap: readonly string[]
  readonly keepDirlinks: boolean
  readonly noConfig: boolean
  readonly strict: boolean
  readonly skipUnknown: boolean
  /** A terminal for the container. */
  readonly terminal: boolean
  /** Called once, when the image is open and before anything is written. */
  readonly onImage?: (image: UnpackedImage) => void
  readonly onProgress?: (progress: UnpackProgress) => void
}

/** `flat`: one directory; otherwise one for each layer, and the merged tree as a copy or as a mount. */
export type UnpackMode = 'flat' | 'emulated' | 'native'

/** The image that was unpacked. */
export type UnpackedImage = {
  readonly transport: string
  readonly location: string
  readonly names: readonly string[]
  readonly platform: Platform
  readonly manifest: Digest | null
  readonly config: Digest
  readonly layerCount: number
  /** Bytes of all layers as stored. */
  readonly storedBytes: number
}

/** What was written. */
export type UnpackReport = {
  readonly image: UnpackedImage
  readonly bundle: string
  readonly mode: UnpackMode
  /** What is in `merged/`, where it is a copy. */
  readonly merged: MergedCounts | null
  readonly hasConfig: boolean
  readonly rootless: boolean
  readonly layers: readonly UnpackedLayer[]
  /** What this machine or this user could not keep; ovl.json has it too. */
  readonly notKept: NotKept
}

/**
 * Unpacks an image to a new bundle; in the native form also mounts it. Errors: USAGE, those of `openImage`,
 * `unpackFlat`, `unpackLayers` and `mount`.
 */
export function unpackImage(
  argument: string,
  destination: string,
  options: UnpackCommandOptions,
): Promise<UnpackReport> {
  const namespace = readUserNamespace(options)
  if (options.mode === 'native') checkMayMount(destination)
  return withImage(argument, options, async image => {
    const described = describeUnpacked(image)
    options.onImage?.(described)
    const { bundle, layers, notKept, merged } = await unpackAndExplain(image, destination, {
      ...options,
      userNamespace: namespace,
    })
    if (options.mode === 'native') await mountBundle(destination)
    return {
      image: described,
      bundle,
      mode: options.mode,
      merged,
      hasConfig: !options.noConfig,
      rootless: options.rootless,
      layers,
      notKept,
    }
  })
}

function checkMayMount(destination: string): void {
  if (probePrivileges().canMount) return
  throw new OvlError(
    'NEEDS_PRIVILEGE',
    `Cannot mount bundle ${destination}: not permitted for uid ${process.geteuid?.()}`,
    {
      hint: `leave --native out; then: ovl mount --userns ${destination} -- COMMAND`,
      data: { path: destination },
    },
  )
}

/** All or nothing: what cannot be mounted does not stay either. */
async function mountBundle(destination: string): Promise<void> {
  const { mount } = await import('./mount.ts') // a good deal of code that other forms do not need
  try {
    mount(destination, { options: [], lower: [], dryRun: false, userns: false })
  } catch (error) {
    await removeTree(resolve(destination))
    throw error
  }
}

/** Unpacks; an error that ends the work in the middle also tells what became of it. */
async function unpackAndExplain(
  image: Image,
  destination: string,
  { mode, ...options }: UnpackLayersOptions & { readonly mode: UnpackMode },
): Promise<UnpackResult> {
  const bytesOfLayer = new Map<number, number>()
  const onProgress = (event: UnpackProgress): void => {
    if (event.kind === 'reading') bytesOfLayer.set(event.layer.number, event.uncompressedBytes)
    options.onProgress?.(event)
  }
  try {
    if (mode === 'flat') return await unpackFlat(image, destination, { ...options, onProgress })
    return await unpackLayers(image, destination, { ...options, native: mode === 'native', onProgress })
  } catch (error) {
    if (isCode(error, 'NO_SPACE')) throw sayNothingIsLeft(error, destination)
    if (!(error instanceof OvlError) || error.code !== 'INTERRUPTED') throw error
    const unpackedBytes = [...bytesOfLayer.values()].reduce((sum, bytes) => sum + bytes, 0)
    throw new OvlError('INTERRUPTED', error.message, { data: { ...error.data, unpackedBytes }, cause: error.cause })
  }
}

/** The user namespace that the flags ask for. Errors: USAGE. */
export function readUserNamespace({
  rootless,
  uidMap,
  gidMap,
}: Pick<UnpackCommandOptions, 'rootless' | 'uidMap' | 'gidMap'>): UserNamespace | null {
  if (process.geteuid === undefined || process.getegid === undefined) {
    throw new OvlError('UNSUPPORTED', 'Cannot unpack to a bundle: this system has no user ids')
  }
  return userNamespace({ rootless, uidMap, gidMap, euid: process.geteuid(), egid: process.getegid() })
}

/** What is said about an image before and after it is unpacked. */
export function describeUnpacked({ source, names, platform, manifest, config, layers }: Image): UnpackedImage {
  return {
    transport: source.transport,
    location: source.location,
    names,
    platform,
    manifest: manifest?.digest ?? null,
    config: config.digest,
    layerCount: layers.length,
    storedBytes: layers.reduce((sum, layer) => sum + layer.blob.size, 0),
  }
}

/** Whoever has a full disk wants to know whether to clean up. */
function sayNothingIsLeft(error: unknown, destination: string): unknown {
  if (!(error instanceof OvlError) || ownWorkspaces(destination).length > 0) return error
  const { code, message, facts, hint, data, cause } = error
  const left = `nothing was left behind in ${join(dirname(destination), '/')}`
  return new OvlError(code, message, {
    facts: [...facts, left],
    data,
    cause,
    ...(hint === undefined ? {} : { hint }),
  })
}
