// What every source of images gives: the same shape whether the image came from a docker-archive, an OCI layout, an
// OCI archive, a skopeo directory or a pipe.

import type { Limits, Warn } from '../errors/index.ts'
import type { SparseSegment } from '../tar/index.ts'
import type { Descriptor, Digest, HistoryEntry, ImageConfig, ImageIndex, Manifest, Platform } from '../oci/index.ts'

/** The forms that are recognised; also the prefixes that an image argument may carry. */
export type Transport = 'docker-archive' | 'oci-archive' | 'oci' | 'dir'

/** Bytes that can be read at any position, any number of times, until the image is closed. */
export interface Blob {
  /** Size in bytes. */
  readonly size: number
  /** Where the bytes are, for messages: a path, or "member in archive". */
  readonly location: string
  /** Reads up to `end - start` bytes at `position` into `target`; returns how many, 0 only at the end. */
  read(target: Uint8Array, start: number, end: number, position: number): number
  /** How another thread of this process reads the same bytes; absent where only this thread can. */
  readonly origin?: BlobOrigin
}

/** Where the bytes of a blob are, as plain values that can be sent to another thread. */
export type BlobOrigin =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** An open file, which whoever opened the image closes. */
  | { readonly kind: 'descriptor'; readonly fd: number }
  /** A file by its path (byte-exact, see `path`). */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'slice'; readonly whole: PortableBlob; readonly offset: number }
  | { readonly kind: 'sparse'; readonly stored: PortableBlob; readonly segments: readonly SparseSegment[] }

/** A blob without its methods. */
export type PortableBlob = { readonly size: number; readonly location: string; readonly origin: BlobOrigin }

/** Where blobs are found by digest. */
export interface BlobSource {
  /** Null when the blob is not there. */
  find(digest: Digest): Blob | null
  /** What messages call it: "the layout", "the archive". */
  readonly name: string
}

/** One layer of an image: what the documents say of it, and its stored bytes. */
export interface Layer {
  /** 1 is the base layer. */
  readonly number: number
  /** How many layers the image has. */
  readonly count: number
  /** What messages call the image. */
  readonly image: string
  /** Digest of the uncompressed bytes; null in archives older than diff IDs (docker save before 1.10). */
  readonly diffID: Digest | null
  /** What the manifest says about the blob; null in a docker-archive, where only the diff ID is known. */
  readonly descriptor: Descriptor | null
  readonly blob: Blob
  readonly mediaType: string | null
  /** The history entry that made this layer, when the history fits the layers. */
  readonly history: HistoryEntry | null
}

/** A verified JSON document: the bytes as stored, their digest, and what they say. */
export type ImageDocument<T> = { readonly raw: Uint8Array; readonly digest: Digest; readonly parsed: T }

/** An opened image: documents read and verified, layers located. `close` releases the input. */
export interface Image {
  readonly source: {
    readonly transport: Transport
    /** The path as given, or "standard input". */
    readonly location: string
    /** Size of the archive file in bytes; null for directories. */
    readonly archiveBytes: number | null
  }
  /** Every name that the source gives this image, in its order; empty when it has none. */
  readonly names: readonly string[]
  /** What messages call the image: the location, and the name when one was asked for or is the only one. */
  readonly title: string
  readonly platform: Platform
  /** The indexes passed on the way to the manifest, outermost first (index.json of a layout). */
  readonly indexes: readonly ImageDocument<ImageIndex>[]
  readonly manifest: ImageDocument<Manifest> | null
  readonly config: ImageDocument<ImageConfig>
  /** Base first. */
  readonly layers: readonly Layer[]
  /** Every blob of the source by digest, not only those of this image; null where none is named by its digest. */
  readonly blobs: BlobSource | null
  /** Frees what the image holds open. Blobs cannot be read after it. */
  close(): void
}

/** Where the uncompressed bytes of a layer go, region by region, without copies. */
export interface BlockTarget {
  /** A region to fill, never empty. A promise when the consumer is behind. */
  space(): Uint8Array | Promise<Uint8Array>
  /** The first `length` bytes of the last `space()` are filled. Called once per `space()`, with length > 0. */
  commit(length: number): void
}

/** Which image of the input, within which limits, and who hears warnings. */
export type OpenImageOptions = {
  /** Tag or name, `@N` for the N-th image, or a digest; as after the location in an image argument. */
  readonly ref?: string
  /** `os/architecture[/variant]`; the default is the machine's. */
  readonly platform?: string
  readonly limits?: Limits
  readonly warn?: Warn
  /** File descriptor that "-" reads; 0 when not given. A pipe or a socket is closed when it was read, unless it is 0. */
  readonly stdin?: number
  /** Open an image whose layer blobs are not all there; reading one of those throws BLOB_MISSING. */
  readonly allowMissingLayers?: boolean
  readonly signal?: AbortSignal
}

/** How a layer is streamed: who hashes, within which limits, what stops it. */
export type StreamOptions = {
  /** False: the caller hashes what it receives and compares with `layer.diffID` itself. Default true. */
  readonly hashUncompressed?: boolean
  /** What the caller does with the layer, for messages: "Cannot unpack …". Default "read". */
  readonly verb?: string
  readonly limits?: Limits
  readonly warn?: Warn
  readonly signal?: AbortSignal
}

/** The `location` of an image that came from there. */
export const standardInput = 'standard input'
