// The flat form of a bundle: config.json, rootfs/ and ovl.json. Layers are applied base first, in one pass over the
// archive; the next layer is decompressed while this one is written. Top first, skipping what is hidden, would need
// every layer's index before the first byte is written, and so every layer decompressed twice.

import * as fs from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'
import {
  type BundleState,
  configFileName,
  createRuntimeConfig,
  formatDocument,
  formatState,
  hostResolvConf,
  hostRootfs,
  type NotKept,
  rootPathOf,
  stateFileName,
} from '../bundle/index.ts'
import { isCode, OvlError } from '../errors/index.ts'
import { diagnoseWriteError } from '../host/index.ts'
import type { Image } from '../image/index.ts'
import { formatPlatform } from '../oci/index.ts'
import { checkDestination, createWorkspace, discard, type Force, publish, type Workspace } from './destination.ts'
import { type UnpackedLayer, type WriteOptions, writeRootfs } from './write-rootfs.ts'

/** How an image is unpacked, and what happens to an existing destination. */
export type UnpackOptions = WriteOptions & {
  /** Default 'no': an existing destination that is not empty is an error. */
  readonly force?: Force
  /** Write no config.json: only rootfs/ and ovl.json. */
  readonly noConfig?: boolean
  /** `process.terminal` of config.json. */
  readonly terminal?: boolean
}

/** What was unpacked. */
export type UnpackResult = {
  readonly bundle: string
  /** Base first. */
  readonly layers: readonly UnpackedLayer[]
  readonly notKept: NotKept
}

/**
 * Unpacks an image to a bundle with a flat rootfs.
 *
 * All or nothing: the bundle appears at `destination` complete and verified (digests, sizes, diff IDs), or not at
 * all. An abort of `signal` removes everything and throws INTERRUPTED.
 *
 * Errors: DEST_EXISTS, NEEDS_PRIVILEGE, NO_SPACE, those of `streamLayer` and `LayerApplier`, BAD_USER.
 */
export async function unpackFlat(
  image: Image,
  destination: string,
  options: UnpackOptions = {},
): Promise<UnpackResult> {
  const { force = 'no', warn = () => {}, signal } = options
  const workspace = await createWorkspace(checkDestination(destination, force), { force, warn })
  const run: Run = { image, options, workspace, layers: [] }
  try {
    const notKept = await fillWorkspace(run)
    signal?.throwIfAborted()
    await publish(workspace)
    return { bundle: destination, layers: run.layers, notKept }
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
  readonly layers: UnpackedLayer[]
}

const rootfsName = rootPathOf('flat')
// The package refers to itself, so that this works from wherever the code was built to.
const { version } = createRequire(import.meta.url)('ovl/package.json') as { readonly version: string }

async function fillWorkspace(run: Run): Promise<NotKept> {
  const { image, options, workspace, layers } = run
  const path = join(workspace.path, rootfsName)
  fs.mkdirSync(path, 0o755)
  const notKept = await writeRootfs(
    image,
    { path, shownAs: join(workspace.destination.shownAs, rootfsName) },
    {
      ...options,
      onProgress(progress) {
        if (progress.kind === 'layerDone') layers.push(progress.unpacked)
        options.onProgress?.(progress)
      },
    },
  )
  writeDocuments(run, notKept)
  return notKept
}

function writeDocuments(run: Run, notKept: NotKept): void {
  const { image, options, workspace } = run
  const { userNamespace = null, warn = () => {} } = options
  if (options.noConfig !== true) {
    const config = createRuntimeConfig(image.config.parsed, {
      rootPath: rootfsName,
      rootfs: hostRootfs(join(workspace.path, rootfsName)),
      terminal: options.terminal ?? false,
      userNamespace,
      hostMounts: userNamespace?.rootless === true ? hostResolvConf() : [],
      warn,
    })
    writeDocument(join(workspace.path, configFileName), formatDocument(config))
  }
  writeDocument(join(workspace.path, stateFileName), formatState(describeBundle(run, notKept)))
}

function describeBundle({ image, options, layers }: Run, notKept: NotKept): BundleState {
  const { source, names, platform, manifest, config } = image
  return {
    ovl: version,
    mode: 'flat',
    image: {
      transport: source.transport,
      location: source.location,
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
    overlay: null,
    userNamespace: options.userNamespace ?? null,
    notKept,
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
