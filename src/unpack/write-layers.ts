// All layers of an image into directories of their own, as many at a time as there are cores, largest first. Merging
// their trees is cheap and goes base first on this thread, each as soon as it and all below it are written, so nothing
// in the result, warnings and errors included, depends on which thread was quicker.

import { availableParallelism } from 'node:os'
import type { NotKept } from '../bundle/index.ts'
import { defaultLimits, type Warning } from '../errors/index.ts'
import { diagnoseWriteError } from '../host/index.ts'
import type { Image, Layer } from '../image/index.ts'
import { decodeTree, DirectoryNode, encodeTree, type LayerPatch, mergeLayer, tooManyEntries } from '../layer/index.ts'
import { LayerPool } from './layer-pool.ts'
import type { LayersTask, LayerWritten, SpaceMissing } from './layer-protocol.ts'
import { RequestFailed } from './layer-threads.ts'
import { keptInTree } from './kept-in-tree.ts'
import type { OverlayForm } from './overlay-form.ts'
import { ownershipIn } from './ownership.ts'
import type { WriteOptions } from './write-rootfs.ts'

/** Where the layers go: `path` exists and holds the empty directory `lower`. */
export type LayersPlace = { readonly path: string; readonly shownAs: string; readonly form: OverlayForm }

/** How the layers are written. */
export type WriteLayersOptions = WriteOptions & {
  /** Threads that write; by default as many as there are cores, and not more than layers. */
  readonly threads?: number
}

/** Layers that are written but for what `finish` does. */
export type WrittenLayers = {
  /** The merged tree; a leaf's number is the layer that has the file. */
  readonly root: DirectoryNode
  /** Layers that make up the tree, base first. */
  readonly lowers: readonly number[]
  readonly task: LayersTask
  readonly pool: LayerPool
  /** Marks what layers hide and gives all directories their attributes; returns what could not be kept of the tree. */
  finish(): Promise<NotKept>
}

/**
 * Writes the layers of an image and gives them to `use` while the threads are there; they are stopped before this
 * returns or throws. Layers are reported through `onProgress`, base first.
 *
 * Errors: those of `streamLayer` and `LayerApplier` for the lowest layer that has one; NO_SPACE, NEEDS_PRIVILEGE,
 * WRITE_FAILED.
 */
export async function withLayers<T>(
  image: Image,
  { place, options }: { readonly place: LayersPlace; readonly options: WriteLayersOptions },
  use: (layers: WrittenLayers) => Promise<T>,
): Promise<T> {
  const task = describeTask(place, options)
  const pool = new LayerPool(task, {
    threads: Math.max(1, Math.min(options.threads ?? availableParallelism(), image.layers.length)),
    onReading(number, uncompressedBytes) {
      const layer = image.layers[number - 1]
      if (layer !== undefined) options.onProgress?.({ kind: 'reading', layer, uncompressedBytes })
    },
  })
  const stop = (): void => void pool.stop()
  options.signal?.addEventListener('abort', stop)
  try {
    return await use(await writeLayers(image, { task, pool, options }))
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error
    for (const warning of error.warnings) options.warn?.(warning)
    throw error.cause
  } finally {
    options.signal?.removeEventListener('abort', stop)
    await pool.stop()
  }
}

/** Throws NO_SPACE with what is missing in all, when anything is. */
export function throwIfFull(full: readonly (SpaceMissing | null)[], { shownAs, workspace }: LayersTask): void {
  const missing = full.filter(each => each !== null)
  const [first] = missing
  if (first === undefined) return
  const neededBytes = missing.reduce((sum, { missingBytes }) => sum + missingBytes, 0)
  throw diagnoseWriteError(Object.assign(new Error(first.error.message), first.error), {
    object: `${shownAs}/${first.path}`,
    path: workspace,
    neededBytes,
  })
}

type Run = { readonly task: LayersTask; readonly pool: LayerPool; readonly options: WriteLayersOptions }

async function writeLayers(image: Image, { task, pool, options }: Run): Promise<WrittenLayers> {
  const root = new DirectoryNode(0)
  const patches: (readonly LayerPatch[])[] = []
  const full: SpaceMissing[] = []
  let lowers: number[] = []
  let entries = 0
  const warn = (warning: Warning): void => options.warn?.(warning)
  const first = startAll(image, { task, pool, options })
  for (const layer of image.layers) {
    const alone = (await first.get(layer.number)) ?? null
    if (alone === null && full.length > 0) break // it needs files that are not all there
    const written = alone ?? (await pool.write(layer, encodeTree(root)))
    if (written === null) throw new Error(`layer ${layer.number} was not written`)
    for (const warning of written.warnings) warn(warning)
    entries += written.counts.entries
    if (entries > task.limits.entries) throw tooManyEntries(layer.number, task.limits.entries)
    if (written.full !== null) full.push({ ...written.full, path: `lower/${layer.number}/${written.full.path}` })
    const merged = mergeLayer(root, { ...written.alone, root: decodeTree(written.alone.root) }, { warn })
    patches.push(merged.patches)
    lowers = merged.hidesAllBelow ? [layer.number] : [...lowers, layer.number]
    report(layer, written, options)
  }
  throwIfFull(full, task)
  return { root, lowers, task, pool, finish: () => finishAll({ root, patches, pool, warn }) }
}

/** Largest first. With --keep-dirlinks, where an entry goes depends on the layers below, and nothing can start. */
function startAll(image: Image, { task, pool }: Run): ReadonlyMap<number, Promise<LayerWritten | null>> {
  if (task.flags.keepDirlinks) return new Map()
  const bySize = image.layers.toSorted((a, b) => b.blob.size - a.blob.size)
  return new Map(
    bySize.map(layer => {
      const written = pool.write(layer, null)
      written.catch(() => {}) // the lowest layer that fails is awaited first, and the others are not asked any more
      return [layer.number, written]
    }),
  )
}

function report(layer: Layer, { stream, counts }: LayerWritten, { onProgress }: WriteLayersOptions): void {
  const { digest, sizeBytes, diffID, uncompressedBytes } = stream
  if (diffID === null) throw new Error(`layer ${layer.number} was not hashed`)
  const { number } = layer
  onProgress?.({
    kind: 'layerDone',
    layer,
    unpacked: { number, digest, sizeBytes, diffID, uncompressedBytes, counts },
  })
}

async function finishAll({
  root,
  patches,
  pool,
  warn,
}: {
  readonly root: DirectoryNode
  readonly patches: readonly (readonly LayerPatch[])[]
  readonly pool: LayerPool
  readonly warn: (warning: Warning) => void
}): Promise<NotKept> {
  const finished = await Promise.all(patches.map((each, index) => pool.finish(index + 1, each)))
  for (const { warnings } of finished) for (const warning of warnings) warn(warning)
  return keptInTree(
    root,
    finished.map(({ notKept }) => notKept),
  )
}

function describeTask({ path, shownAs, form }: LayersPlace, options: WriteLayersOptions): LayersTask {
  const { limits = defaultLimits, keepDirlinks = false, strict = false, skipUnknown = false } = options
  return {
    workspace: path,
    shownAs,
    umask: process.umask(),
    form,
    ownership: ownershipIn(options.userNamespace ?? null),
    flags: { keepDirlinks, strict, skipUnknown },
    limits,
    stopFlag: new Int32Array(new SharedArrayBuffer(4)),
  }
}
