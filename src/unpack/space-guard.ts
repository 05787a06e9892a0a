// When the disk is full, the rest of the image is still parsed, without writing, so that the message can say how much
// is missing. (The alternative, a sum before writing, would decompress every layer twice.)

import { isCode } from '../errors/index.ts'
import type { Attributes, FileEntry, NodeEntry, RemovalCause, TreeSink } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'

const blockBytes = 4096

/** A sink that passes everything on until the file system is full, and from then on only counts. */
export class SpaceGuard implements TreeSink {
  readonly #sink: TreeSink
  /** The first thing that did not fit, and the error that said so. */
  full: { readonly path: LayerPath; readonly error: Error } | null = null
  /** Bytes of blocks that the rest would take, the unfinished file included. */
  missingBytes = 0
  #file: { readonly path: LayerPath; readonly size: number; written: number } | null = null

  constructor(sink: TreeSink) {
    this.#sink = sink
  }

  makeDirectory(path: LayerPath): void {
    this.#try({ path, bytes: blockBytes }, () => this.#sink.makeDirectory(path))
  }

  describeDirectory(path: LayerPath, attributes: Attributes): void {
    this.#try({ path, bytes: 0 }, () => this.#sink.describeDirectory(path, attributes))
  }

  makeFile(path: LayerPath, entry: FileEntry): void {
    this.#file = { path, size: entry.storedSize, written: 0 }
    this.#try({ path, bytes: blocks(entry.storedSize) }, () => this.#sink.makeFile(path, entry))
  }

  writeFile(chunk: Uint8Array, start: number, end: number, fileOffset: number): void {
    if (this.full !== null || this.#file === null) return
    const { path, size, written } = this.#file
    this.#try({ path, bytes: blocks(size - written) }, () => this.#sink.writeFile(chunk, start, end, fileOffset))
    this.#file.written += end - start
  }

  closeFile(): void {
    const path = this.#file?.path ?? ''
    this.#file = null
    this.#try({ path, bytes: 0 }, () => this.#sink.closeFile())
  }

  makeSymlink(path: LayerPath, attributes: Attributes, target: string): void {
    this.#try({ path, bytes: target.length > 60 ? blockBytes : 0 }, () =>
      this.#sink.makeSymlink(path, attributes, target),
    )
  }

  makeHardLink(path: LayerPath, target: LayerPath): void {
    this.#try({ path, bytes: 0 }, () => this.#sink.makeHardLink(path, target))
  }

  makeNode(path: LayerPath, entry: NodeEntry): void {
    this.#try({ path, bytes: 0 }, () => this.#sink.makeNode(path, entry))
  }

  remove(path: LayerPath, what: { readonly directory: boolean; readonly cause: RemovalCause }): void {
    this.#try({ path, bytes: 0 }, () => this.#sink.remove(path, what))
  }

  finishDirectory(path: LayerPath, attributes: Attributes): void {
    this.#try({ path, bytes: 0 }, () => this.#sink.finishDirectory(path, attributes))
  }

  #try({ path, bytes }: { readonly path: LayerPath; readonly bytes: number }, call: () => void): void {
    if (this.full === null) {
      try {
        return call()
      } catch (error) {
        if (!(error instanceof Error) || !(isCode(error, 'ENOSPC') || isCode(error, 'EDQUOT'))) throw error
        this.full = { path, error }
      }
    }
    this.missingBytes += bytes
  }
}

function blocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes
}
