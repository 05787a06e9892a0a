// Answers the requests of `layer-protocol.ts`, on whichever thread: writes layers, marks them, copies merged files.

import * as fs from 'node:fs'
import { isCode, unreachable } from '../errors/index.ts'
import { diagnoseWriteError, removeTree, type System } from '../host/index.ts'
import { type Layer, openPortableLayer } from '../image/index.ts'
import { type EncodedTree, type LayerPatch, NeedsLayersBelow } from '../layer/index.ts'
import { shownXattrName } from '../overlay/index.ts'
import type { LayerPath } from '../path/index.ts'
import { FileCopier } from './file-copier.ts'
import {
  type FilesCopied,
  type LayerAnswers,
  type LayerFinished,
  type LayerRequest,
  type LayersTask,
  type LayerWritten,
  type LinkGroup,
  type MergedFile,
  plainSystemError,
  type SpaceMissing,
} from './layer-protocol.ts'
import { LowerLayer, lowerPrefix, stopCheck } from './lower-layer.ts'
import { marksOf } from './overlay-form.ts'

/** Where the writer works and whom it tells. */
export type LayerWriterOptions = {
  readonly task: LayersTask
  readonly system: System
  /** Of the workspace: '' when it is the thread's working directory, otherwise absolute with a slash. */
  readonly prefix: string
  /** Bits that are taken from the modes of new files. */
  readonly umask: number
  readonly signal: AbortSignal
  readonly onReading: (number: number, uncompressedBytes: number) => void
}

/** The writer of some of a bundle's layers. */
export class LayerWriter {
  readonly #options: LayerWriterOptions
  readonly #layers: Map<number, LowerLayer> = new Map()
  readonly #copiers: Map<number, FileCopier> = new Map()

  constructor(options: LayerWriterOptions) {
    this.#options = options
  }

  /** Carries out one request. Errors: those of the request, write errors explained. */
  async answer(request: LayerRequest): Promise<LayerAnswers[keyof LayerAnswers]> {
    switch (request.kind) {
      case 'write': {
        const { layer, close } = openPortableLayer(request.layer)
        try {
          return await this.write(layer, request.below)
        } finally {
          close()
        }
      }
      case 'finish':
        return this.finish(request.number, request.patches)
      case 'copy':
        return this.copy(request.files)
      case 'link':
        return this.link(request.groups)
      default:
        return unreachable(request)
    }
  }

  /** Writes a layer's own entries. */
  async write(layer: Layer, below: EncodedTree | null): Promise<LayerWritten | null> {
    const { task, system, prefix, umask, signal, onReading } = this.#options
    const { number } = layer
    const directory = `${task.workspace}/lower/${number}`
    fs.mkdirSync(directory, 0o755)
    const lower = new LowerLayer({ ...task, umask, number, prefix, system })
    this.#layers.set(number, lower)
    try {
      return await lower.write(layer, { below, signal, onReading: bytes => onReading(number, bytes) })
    } catch (error) {
      lower.close()
      if (!(error instanceof NeedsLayersBelow)) throw this.#explain(error, `lower/${number}`, lower.openPath)
      this.#layers.delete(number)
      await removeTree(directory)
      return null
    }
  }

  /** What a layer that failed had to say before. */
  warningsOf(number: number): LayerFinished['warnings'] {
    return this.#layers.get(number)?.takeWarnings() ?? []
  }

  finish(number: number, patches: readonly LayerPatch[]): LayerFinished {
    const lower = this.#layers.get(number)
    if (lower === undefined) throw new Error(`layer ${number} is not this thread's`)
    try {
      const notKept = lower.finish(patches)
      this.#layers.delete(number)
      return { notKept, warnings: lower.takeWarnings() }
    } catch (error) {
      throw this.#explain(error, `lower/${number}`, '')
    }
  }

  copy(files: readonly MergedFile[]): FilesCopied {
    const linked: (MergedFile & { readonly inode: string })[] = []
    let bytes = 0
    const full = this.#copyEach(files, ({ path, layer }) => {
      const found = this.#copier(layer).copy(path, { alone: true })
      if ('inode' in found) linked.push({ path, layer, inode: found.inode })
      else bytes += found.bytes
    })
    return { linked, bytes, full }
  }

  link(groups: readonly LinkGroup[]): FilesCopied {
    const firsts = groups.map(({ layer, paths }) => ({ layer, path: paths[0] ?? '', others: paths.slice(1) }))
    let bytes = 0
    const full = this.#copyEach(firsts, ({ path, layer, others }) => {
      const copier = this.#copier(layer)
      const copied = copier.copy(path, { alone: false })
      bytes += 'bytes' in copied ? copied.bytes : 0
      for (const other of others) copier.link(other, path)
    })
    return { linked: [], bytes, full }
  }

  close(): void {
    for (const lower of this.#layers.values()) lower.close()
    for (const copier of this.#copiers.values()) copier.close()
    this.#copiers.clear()
  }

  /** Once the disk is full, what is left is only counted. */
  #copyEach<T extends MergedFile>(files: readonly T[], copy: (file: T) => void): SpaceMissing | null {
    for (const [index, file] of files.entries()) {
      const error = this.#tryCopy(file, copy)
      if (error === null) continue
      const left = files.slice(index).map(({ layer, path }) => this.#copier(layer).sizeOnDisk(path))
      return {
        path: file.path,
        error: plainSystemError(error),
        missingBytes: left.reduce((sum, bytes) => sum + bytes, 0),
      }
    }
    return null
  }

  /** The error of a full disk; null when the file was copied. */
  #tryCopy<T extends MergedFile>(file: T, copy: (file: T) => void): Error | null {
    try {
      copy(file)
      return null
    } catch (error) {
      if (error instanceof Error && (isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT'))) return error
      throw this.#explain(error, 'merged', file.path)
    }
  }

  #copier(layer: number): FileCopier {
    const { task, system, prefix, umask } = this.#options
    const known = this.#copiers.get(layer)
    if (known !== undefined) return known
    const marks = marksOf(task.form)
    const copier = new FileCopier({
      from: lowerPrefix(prefix, layer),
      to: `${prefix}merged/`,
      system,
      umask,
      nameXattr: name => shownXattrName(name, marks),
      checkStop: stopCheck(task.stopFlag),
    })
    this.#copiers.set(layer, copier)
    return copier
  }

  #explain(error: unknown, directory: string, path: LayerPath): unknown {
    const { workspace, shownAs } = this.#options.task
    return diagnoseWriteError(error, {
      object: `${shownAs}/${directory}${path === '' ? '' : `/${path}`}`,
      path: workspace,
    })
  }
}
