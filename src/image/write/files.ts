import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hostPath } from '../../host/index.ts'
import type { BlockTarget } from '../types.ts'
import type { OutputBlob, SendOptions } from './output-blob.ts'

/** A new file that bytes are appended to. */
export type FileSink = {
  write(bytes: Uint8Array): void
  /** The sink as the target of a stream. */
  readonly target: BlockTarget
  /** Flushed to the disk and closed: after the rename a crash must not leave an empty file. */
  finish(): void
  /** Closed as it is, if it is open. */
  abandon(): void
}

/** Makes a file that must not exist yet. Errors: those of node:fs. */
export function createFile(path: string): FileSink {
  const fd = openSync(hostPath(path), 'wx', 0o644)
  let isOpen = true
  const close = (): void => {
    if (isOpen) closeSync(fd)
    isOpen = false
  }
  const buffer = Buffer.allocUnsafeSlow(256 << 10)
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  }
  return {
    write,
    target: { space: () => buffer, commit: length => write(buffer.subarray(0, length)) },
    finish() {
      try {
        fsyncSync(fd)
      } finally {
        close()
      }
    },
    abandon: close,
  }
}

/** Writes a blob, verified, to a new file. Errors: those of `OutputBlob.send` and of node:fs. */
export async function writeBlobFile(path: string, blob: OutputBlob, options: SendOptions): Promise<void> {
  const file = createFile(path)
  try {
    await blob.send(file.target, options)
  } catch (error) {
    file.abandon()
    throw error
  }
  file.finish()
}

/** Replaces a file at once: whoever reads it sees the old one or the new one. */
export function replaceFile(path: string, bytes: Uint8Array, workspace: string): void {
  const temporary = join(workspace, 'document')
  const file = createFile(temporary)
  try {
    file.write(bytes)
  } catch (error) {
    file.abandon()
    throw error
  }
  file.finish()
  renameSync(hostPath(temporary), hostPath(path))
}
