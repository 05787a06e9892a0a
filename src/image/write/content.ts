import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import type { Descriptor, Digest } from '../../oci/index.ts'
import type { ImageName } from './names.ts'
import type { OutputBlob, SendOptions } from './output-blob.ts'

/** What an OCI layout or OCI archive is to hold of an image. */
export type OciContent = {
  readonly form: 'oci'
  readonly names: readonly ImageName[]
  /** What the names stand for: entries of index.json, several where platforms are listed one by one. */
  readonly roots: readonly Descriptor[]
  /** Everything the roots lead to, themselves included; every digest once. */
  readonly blobs: readonly OutputBlob[]
}

/** What a docker-archive is to hold of an image. */
export type DockerContent = {
  readonly form: 'docker'
  readonly names: readonly ImageName[]
  readonly config: { readonly digest: Digest; readonly raw: Uint8Array }
  /** Uncompressed, base first. */
  readonly layers: readonly { readonly diffID: Digest; readonly content: OutputBlob }[]
}

/** What is written: how it is put together depends on the form of the destination. */
export type ImageContent = OciContent | DockerContent

/** A write on its way. */
export type Staging = {
  /** A directory for files on the way, on the file system of the destination; removed at the end. */
  readonly directory: string
  readonly signal: AbortSignal | undefined
  /** Told how far a blob is. */
  readonly onBytes: (blob: OutputBlob, sentBytes: number) => void
}

/** The options of `OutputBlob.send` for a blob of a write. */
export function sendOptions({ signal, onBytes }: Staging, blob: OutputBlob): SendOptions {
  return { signal, onBytes: sentBytes => onBytes(blob, sentBytes) }
}

/** A path for a new file in the workspace. */
export function stagedPath({ directory }: Staging): string {
  return join(directory, randomUUID())
}
