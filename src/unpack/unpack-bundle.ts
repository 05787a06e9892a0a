// What all forms of a bundle have in common: a workspace beside the destination, config.json and ovl.json, and that the
// bundle appears complete or not at all.

import * as fs from 'node:fs'
import { basename, join, resolve } from 'node:path'
import {
  type BundleMode,
  type BundleOverlay,
  type BundleState,
  configFileName,
  createRuntimeConfig,
  formatDocument,
  formatState,
  hostResolvConf,
  type NotKept,
  type RootfsReader,
  rootPathOf,
  stateFileName,
} from '../bundle/index.ts'
import { isCode, OvlError, ovlVersion } from '../errors/index.ts'
import { diagnoseWriteError } from '../host/index.ts'
import { type Image, standardInput } from '../image/index.ts'
import { formatPlatform } from '../oci/index.ts'
import type { MergedCounts } from './copy-merged.ts'
import { checkDestination, createWorkspace, discard, type Force, publish, type Workspace } from './destination.ts'
import type { UnpackedLayer, WriteOptions } from './write-rootfs.ts'

/** How an image is unpacked, and what happens to an existing destination. */
export type UnpackOptions = WriteOptions & {
  /** Default 'no': an existing destination that is not empty is an error. */
  readonly force?: Force
  /** Write no config.json: only the files and ovl.json. */
  readonly noConfig?: boolean
  /** `process.terminal` of config.json. */
  readonly terminal?: boolean
}

/** What was unpacked. */
export type UnpackResult = {
  readonly bundle: string
  readonly mode: BundleMode
  /** Base first. */
  readonly layers: readonly UnpackedLayer[]
  readonly notKept: NotKept
  /** What is in `merged/`; null where it is not copied. */
  readonly merged: MergedCounts | null
}

/** The directory in which a bundle is built, and how messages call it. */
export type BundlePlace = { readonly path: string; readonly shownAs: string }

/** What a form has put into a bundle. */
export type FilledBundle = {
  readonly notKept: NotKept
  readonly overlay: BundleOverlay | null
  readonly merged: MergedCounts | null
  /** The tree, for users and groups that the image names. */
  readonly rootfs: RootfsReader
}

/** A form of bundle: what `mode` says in ovl.json, and how everything but the documents is written. */
export type BundleForm<O> = {
  readonly mode: BundleMode
  readonly fill: (image: Image, place: BundlePlace, options: O) => Promise<FilledBundle>
}

/**
 * Unpacks an image to a bundle of some form.
 *
 * All or nothing: the bundle appears at `destination` complete and verified (digests, sizes, diff IDs), or not at
 * all. An abort of `signal` removes everything and throws INTERRUPTED.
 *
 * Errors: DEST_EXISTS, NEEDS_PRIVILEGE, NO_SPACE, those of `streamLayer` and `LayerApplier`, BAD_USER.
 */
export async function unpackBundle<O extends UnpackOptions>(
  image: Image,
  { destination, form }: { readonly destination: string; readonly form: BundleForm<O> },
  options: O,
): Promise<UnpackResult> {
  const { force = 'no', warn = () => {}, signal } = options
  const workspace = await createWorkspace(checkDestination(destination, force), { force, warn })
  const run: Run = { image, options, workspace, mode: form.mode, layers: [] }
  try {
    const place = { path: workspace.path, shownAs: workspace.destination.shownAs }
    const { notKept, merged, ...filled } = await form.fill(image, place, { ...options, onProgress: collectLayers(run) })
    writeDocuments(run, { notKept, ...filled })
    signal?.throwIfAborted()
    await publish(workspace)
    return { bundle: destination, mode: form.mode, layers: run.layers, notKept, merged }
  } catch (error) {
    await discard(workspace, warn)
    if (isCode(error, 'INTERRUPTED') || signal?.aborted === true) throw interrupted(run, error)
    throw diagnoseWriteError(error, { object: `bundle ${destination}`, path: workspace.path })
  }
}

/** One unpack, as far as it has come. */
type Run = {
  readonly image: Image
  readonly options: UnpackOptions
  readonly workspace: Workspace
  readonly mode: BundleMode
  readonly layers: UnpackedLayer[]
}

function collectLayers({ options, layers }: Run): NonNullable<WriteOptions['onProgress']> {
  return progress => {
    if (progress.kind === 'layerDone') layers.push(progress.unpacked)
    options.onProgress?.(progress)
  }
}

function writeDocuments(run: Run, { rootfs, ...filled }: Omit<FilledBundle, 'merged'>): void {
  const { image, options, workspace, mode } = run
  const { userNamespace = null, warn = () => {} } = options
  if (options.noConfig !== true) {
    const config = createRuntimeConfig(image.config.parsed, {
      rootPath: rootPathOf(mode),
      rootfs,
      terminal: options.terminal ?? false,
      userNamespace,
      hostMounts: userNamespace?.rootless === true ? hostResolvConf() : [],
      warn,
    })
    writeDocument(join(workspace.path, configFileName), formatDocument(config))
  }
  writeDocument(join(workspace.path, stateFileName), formatState(describeBundle(run, filled)))
}

function describeBundle(
  { image, options, mode, layers }: Run,
  { notKept, overlay }: Pick<FilledBundle, 'notKept' | 'overlay'>,
): BundleState {
  const { source, names, platform, manifest, config } = image
  return {
    ovl: ovlVersion,
    mode,
    image: {
      transport: source.transport,
      location: source.location === standardInput ? source.location : resolve(source.location),
      names,
      platform: formatPlatform(platform),
      manifest: manifest?.digest ?? null,
      config: config.digest,
    },
    layers: layers.map(({ number, digest, sizeBytes, diffID, uncompressedBytes, counts }) => {
      const { entries, whiteouts, opaques } = counts
      const mediaType = image.layers[number - 1]?.mediaType ?? null
      return { number, diffID, digest, mediaType, sizeBytes, uncompressedBytes, entries, whiteouts, opaques }
    }),
    overlay,
    userNamespace: options.userNamespace ?? null,
    notKept,
    saved: null,
  }
}

/** Documents are flushed to the disk: after the rename a crash must not leave an empty one. */
function writeDocument(path: string, text: string): void {
  fs.writeFileSync(path, text, { mode: 0o644, flag: 'wx', flush: true })
}

function interrupted(run: Run, cause: unknown): OvlError {
  const { image, layers, workspace } = run
  const current = Math.min(layers.length + 1, image.layers.length)
  const message = `interrupted while unpacking layer ${current} of ${image.layers.length}; removed ${basename(workspace.path)}`
  return new OvlError('INTERRUPTED', message, {
    data: { layer: current, workspace: workspace.path },
    cause,
  })
}
