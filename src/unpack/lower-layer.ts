// One layer's own directory, lower/N: first its entries as they are, without knowledge of the layers below; later, when
// those are known, the marks for what it hides and the attributes of its directories.

import type { NotKept } from '../bundle/index.ts'
import { OvlError, type Warning } from '../errors/index.ts'
import type { System } from '../host/index.ts'
import type { Layer } from '../image/index.ts'
import {
  decodeTree,
  DirectoryNode,
  type EncodedTree,
  encodeTree,
  LayerApplier,
  type LayerPatch,
  nodeAt,
  walkDirectories,
} from '../layer/index.ts'
import { storedXattrName } from '../overlay/index.ts'
import { baseName, type LayerPath, parentPath } from '../path/index.ts'
import { FileCopier } from './file-copier.ts'
import { HostPaths } from './host-paths.ts'
import { type LayersTask, type LayerWritten, plainSystemError } from './layer-protocol.ts'
import { MarkWriter } from './mark-writer.ts'
import { createNotKeptLog, type NotKeptLog } from './not-kept-log.ts'
import { marksOf } from './overlay-form.ts'
import { readLayer } from './read-image-tree.ts'
import { RootfsSink } from './rootfs-sink.ts'
import { SpaceGuard } from './space-guard.ts'

/** Where a layer is written and with what. */
export type LowerOptions = Omit<LayersTask, 'workspace'> & {
  readonly number: number
  /** Prefix of the directory that holds `lower/`, as in `RootfsSinkOptions`. */
  readonly prefix: string
  readonly system: System
}

/** How far reading is, and what stops it. */
export type WriteLayerOptions = {
  readonly below: EncodedTree | null
  readonly signal: AbortSignal
  readonly onReading: (uncompressedBytes: number) => void
}

/** A layer's directory, which exists and is empty at first. */
export class LowerLayer {
  readonly #options: LowerOptions
  readonly #paths: HostPaths
  readonly #notKept: NotKeptLog = createNotKeptLog()
  readonly #warnings: Warning[] = []
  readonly #sink: RootfsSink
  /** The layer's own directories and files, as they were written. */
  #root: DirectoryNode | null = null

  constructor(options: LowerOptions) {
    const { prefix, number, umask, system, ownership, shownAs, form } = options
    this.#options = options
    const own = lowerPrefix(prefix, number)
    const marks = marksOf(form)
    this.#paths = new HostPaths(own)
    this.#sink = new RootfsSink({
      prefix: own,
      umask,
      system,
      ownership,
      shownAs: `${shownAs}/lower/${number}`,
      warn: warning => void this.#warnings.push({ layer: number, ...warning }),
      notKept: this.#notKept,
      nameXattr: name => storedXattrName(name, marks),
    })
  }

  /** The file that is being written, for the message when that fails. */
  get openPath(): LayerPath {
    return this.#sink.openFile?.path ?? ''
  }

  /** What was told so far and not fetched. */
  takeWarnings(): readonly Warning[] {
    return this.#warnings.splice(0)
  }

  /**
   * Reads the layer, verified, and writes what is its own. Errors: those of `streamLayer` and `LayerApplier`,
   * NeedsLayersBelow, and those of node:fs, after which the layer is incomplete.
   */
  async write(layer: Layer, { below, signal, onReading }: WriteLayerOptions): Promise<LayerWritten> {
    const { number, limits, flags } = this.#options
    const warn = (warning: Warning): void => void this.#warnings.push({ layer: number, ...warning })
    const guard = new SpaceGuard(this.#sink)
    const copyUp = (path: LayerPath, from: number): void => this.#copyUp(path, from)
    const isolation = { below: below === null ? null : decodeTree(below), copyUp }
    const applier = new LayerApplier(guard, { limits, ...flags, warn, isolation })
    const handler = applier.beginLayer(number)
    let regions = 0
    const stream = await readLayer(layer, handler, {
      limits,
      warn,
      signal,
      verb: 'unpack',
      beforeMore() {
        if (regions++ % regionsPerReport === 0) onReading((regions - 1) * regionBytes)
        return null
      },
    })
    const counts = applier.endLayer()
    const alone = applier.layerAlone()
    this.#root = alone.root
    const { full: stuck, missingBytes } = guard
    const full = stuck === null ? null : { path: stuck.path, missingBytes, error: plainSystemError(stuck.error) }
    const encoded = { ...alone, root: encodeTree(alone.root) }
    return { stream, counts, alone: encoded, warnings: this.takeWarnings(), full }
  }

  /** Marks what the layer hides, then gives all its directories their attributes, times last (rules 8 to 11, 15, 18). */
  finish(patches: readonly LayerPatch[]): NotKept {
    const root = this.#root
    if (root === null) throw new Error('a layer is finished before it is written')
    const marks = new MarkWriter(this.#paths, this.#options)
    for (const patch of patches) this.#apply(patch, { root, marks })
    marks.finish()
    walkDirectories({ directory: root, path: '' }, ({ directory, path }) =>
      this.#sink.finishDirectory(path, directory.attributes),
    )
    this.close()
    return this.#notKept.all()
  }

  close(): void {
    this.#sink.close()
    this.#paths.close()
  }

  #apply(patch: LayerPatch, { root, marks }: { readonly root: DirectoryNode; readonly marks: MarkWriter }): void {
    if (patch.kind === 'whiteout') return marks.whiteout(patch.path)
    if (patch.kind === 'opaque') return marks.opaque(patch.path)
    if (patch.kind === 'directory') {
      this.#sink.makeDirectory(patch.path)
      const parent = nodeAt(root, parentPath(patch.path))
      if (parent instanceof DirectoryNode) parent.children.set(baseName(patch.path), new DirectoryNode(0))
    }
    const directory = nodeAt(root, patch.path)
    if (directory instanceof DirectoryNode) directory.attributes = patch.attributes
  }

  /** A hard link of this layer leads to a file of a lower one (rule 19); all attributes stay as they are written there. */
  #copyUp(path: LayerPath, from: number): void {
    const { prefix, number, system, umask, stopFlag } = this.#options
    const copier = new FileCopier({
      from: lowerPrefix(prefix, from),
      to: lowerPrefix(prefix, number),
      system,
      umask,
      nameXattr: name => name,
      checkStop: stopCheck(stopFlag),
    })
    try {
      copier.copy(path, { alone: false })
    } finally {
      copier.close()
    }
  }
}

/** Throws once the flag is set. Errors: INTERRUPTED. */
export function stopCheck(stopFlag: LayersTask['stopFlag']): () => void {
  return () => {
    if (Atomics.load(stopFlag, 0) !== 0) throw new OvlError('INTERRUPTED', 'Cannot finish copying: interrupted')
  }
}

/** The prefix of a layer's directory. */
export function lowerPrefix(prefix: string, number: number): string {
  return `${prefix}lower/${number}/`
}

/** Bytes that are read at a time (`readLayer`); progress is told every megabyte. */
const regionBytes = 256 << 10
const regionsPerReport = 4
