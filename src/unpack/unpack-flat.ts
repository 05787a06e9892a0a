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
  type UserNamespace,
} from '../bundle/index.ts'
import { defaultLimits, isCode, type Limits, OvlError, type Warn } from '../errors/index.ts'
import {
  type BlockTarget,
  diffIDMismatch,
  layerCompression,
  type Image,
  type Layer,
  type LayerStream,
  streamLayer,
} from '../image/index.ts'
import type { LayerCounts } from '../layer/index.ts'
import { type Digest, digestAlgorithm, formatPlatform } from '../oci/index.ts'
import { checkDestination, createWorkspace, discard, type Force, publish, type Workspace } from './destination.ts'
import { ownershipIn } from './ownership.ts'
import { type RingProducer, RingStopped, slotBytes } from './ring.ts'
import { startWriter, type Writer, type WrittenLayer } from './writer.ts'

export type UnpackOptions = {
  readonly force?: Force
  /** User namespace of the container; with `rootless`, owners are recorded instead of set. */
  readonly userNamespace?: UserNamespace | null
  readonly keepDirlinks?: boolean
  readonly strict?: boolean
  readonly skipUnknown?: boolean
  /** Write no config.json: only rootfs/ and ovl.json. */
  readonly noConfig?: boolean
  /** `process.terminal` of config.json. */
  readonly terminal?: boolean
  readonly limits?: Limits
  readonly warn?: Warn
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: UnpackProgress) => void
}

/** How far an unpack is; called often, from the reading side. */
export type UnpackProgress =
  | { readonly kind: 'reading'; readonly layer: Layer; readonly uncompressedBytes: number }
  | { readonly kind: 'layerDone'; readonly layer: Layer; readonly unpacked: UnpackedLayer }

export type UnpackedLayer = {
  readonly number: number
  /** Digest and size of the blob as stored; null where the source gives no digest. */
  readonly digest: Digest | null
  readonly sizeBytes: number
  readonly diffID: Digest
  readonly uncompressedBytes: number
  readonly counts: LayerCounts
}

export type UnpackResult = {
  readonly bundle: string
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
  const { force = 'no', warn = () => {} } = options
  const workspace = await createWorkspace(checkDestination(destination, force), { force, warn })
  const run: Run = { image, options, workspace, shownAs: destination, layers: [], handedOverBytes: 0 }
  try {
    const notKept = await writeRootfs(run)
    writeDocuments(run, notKept)
    options.signal?.throwIfAborted()
    await publish(workspace)
    return { bundle: destination, layers: run.layers, notKept }
  } catch (error) {
    await discard(workspace)
    throw isCode(error, 'INTERRUPTED') || options.signal?.aborted === true ? interrupted(run, error) : error
  }
}

/** One unpack, as far as it has come. */
type Run = {
  readonly image: Image
  readonly options: UnpackOptions
  readonly workspace: Workspace
  /** The destination as the user wrote it. */
  readonly shownAs: string
  readonly layers: UnpackedLayer[]
  /** Uncompressed bytes handed to the writer, for the message after an interruption. */
  handedOverBytes: number
}

const rootfsName = rootPathOf('flat')
// The package refers to itself, so that this works from wherever the code was built to.
const { version } = createRequire(import.meta.url)('ovl/package.json') as { readonly version: string }

async function writeRootfs(run: Run): Promise<NotKept> {
  const { image, options, workspace, shownAs } = run
  const { userNamespace = null, limits = defaultLimits, warn = () => {} } = options
  const rootfs = join(workspace.path, rootfsName)
  fs.mkdirSync(rootfs, 0o755)
  const read = new Map<number, LayerStream>()
  const writer = startWriter(
    {
      rootfs,
      shownAs: join(shownAs, rootfsName),
      umask: process.umask(),
      algorithms: image.layers.map(({ diffID }) => (diffID === null ? 'sha256' : digestAlgorithm(diffID))),
      ownership: ownershipIn(userNamespace),
      flags: {
        keepDirlinks: options.keepDirlinks ?? false,
        strict: options.strict ?? false,
        skipUnknown: options.skipUnknown ?? false,
      },
      limits,
    },
    { warn, onLayer: written => completeLayer(run, { written, read: read.get(written.number) }) },
  )
  try {
    for (const layer of image.layers)
      await feedLayer(run, { layer, writer, onRead: streamed => read.set(layer.number, streamed) })
    return await writer.finished
  } catch (error) {
    // Where the writer has stopped, what it says is the reason and the broken ring only a consequence.
    if (error instanceof RingStopped) await writer.finished
    throw error
  } finally {
    await writer.stop()
  }
}

type Feed = { readonly layer: Layer; readonly writer: Writer; readonly onRead: (streamed: LayerStream) => void }

/** Reads, verifies and decompresses one layer into the ring. */
async function feedLayer(run: Run, { layer, writer, onRead }: Feed): Promise<void> {
  const { limits, warn, signal, onProgress } = run.options
  const { ring } = writer
  // Of an uncompressed blob one hash is digest and diff ID at once; otherwise the writer hashes what it gets.
  const isCompressed = layerCompression(layer) !== 'none'
  ring.beginLayer({ hash: isCompressed })
  let uncompressedBytes = 0
  const target = untilStopped(ring, length => {
    uncompressedBytes += length
    run.handedOverBytes += length
    onProgress?.({ kind: 'reading', layer, uncompressedBytes })
  })
  const streamed = await streamLayer(layer, target, {
    verb: 'unpack',
    hashUncompressed: !isCompressed,
    ...(limits === undefined ? {} : { limits }),
    ...(warn === undefined ? {} : { warn }),
    ...(signal === undefined ? {} : { signal }),
  })
  onRead(streamed)
  await ring.endLayer()
}

/**
 * The ring as a target. When the writer has stopped, the rest of the layer goes nowhere but is still read and
 * verified: that a blob does not match its digest says more than the broken tar entry that the writer met.
 */
function untilStopped(ring: RingProducer, onCommit: (length: number) => void): BlockTarget {
  let nowhere: Uint8Array | null = null
  const stopped = (error: unknown): Uint8Array => {
    if (!(error instanceof RingStopped)) throw error
    nowhere = Buffer.allocUnsafeSlow(slotBytes)
    return nowhere
  }
  return {
    space() {
      if (nowhere !== null) return nowhere
      const region = ring.space()
      return region instanceof Promise ? region.catch(stopped) : region
    },
    commit(length) {
      if (nowhere === null) ring.commit(length)
      onCommit(length)
    },
  }
}

/** Joins what the reading and the writing side know of a layer; compares the diff ID where the writer has hashed. */
function completeLayer(
  run: Run,
  { written, read }: { readonly written: WrittenLayer; readonly read: LayerStream | undefined },
): void {
  const layer = run.image.layers[written.number - 1]
  if (layer === undefined || read === undefined)
    throw new Error(`layer ${written.number} was written before it was read`)
  const { diffID: expected, number } = layer
  const algorithm = expected === null ? 'sha256' : digestAlgorithm(expected)
  const diffID = written.hash === null ? read.diffID : (`${algorithm}:${written.hash}` as Digest)
  if (diffID === null) throw new Error(`layer ${number} was not hashed`)
  if (expected !== null && diffID !== expected)
    throw diffIDMismatch(layer, { got: diffID, uncompressedBytes: read.uncompressedBytes, verb: 'unpack' })
  const { digest, sizeBytes, uncompressedBytes } = read
  const unpacked = { number, digest, sizeBytes, diffID, uncompressedBytes, counts: written.counts }
  run.layers.push(unpacked)
  run.options.onProgress?.({ kind: 'layerDone', layer, unpacked })
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
    userNamespace: options.userNamespace ?? null,
    notKept,
  }
}

/** Documents are flushed to the disk: after the rename a crash must not leave an empty one. */
function writeDocument(path: string, text: string): void {
  fs.writeFileSync(path, text, { mode: 0o644, flag: 'wx', flush: true })
}

function interrupted(run: Run, cause: unknown): OvlError {
  const { image, layers, workspace, handedOverBytes } = run
  const current = Math.min(layers.length + 1, image.layers.length)
  const message = `interrupted while unpacking layer ${current} of ${image.layers.length}; removed ${basename(workspace.path)}`
  return new OvlError('INTERRUPTED', message, {
    data: { layer: current, writtenBytes: handedOverBytes, workspace: workspace.path },
    cause,
  })
}
