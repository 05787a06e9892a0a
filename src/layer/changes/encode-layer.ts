// The entries of a layer as the bytes of a tar archive, filled into buffers of the caller. The same entries give the
// same bytes everywhere: nothing is taken from clock, environment or the order of a directory, and the size of the
// buffers does not matter.
import { type FileType, majorOf, minorOf } from '../../fs/index.ts'
import { baseName, joinPath, opaqueMarker, parentPath, whiteoutPrefix } from '../../path/index.ts'
import {
  encodeTarHeader,
  endOfArchive,
  headerRoomBytes,
  paddingOf,
  type SparseSegment,
  storedBytesOf,
  type TarEntry,
  tarPadding,
  tarType,
  writeTarHeader,
} from '../../tar/index.ts'
import type { Xattrs } from '../attributes.ts'
import type { PlacedObject } from './compare-objects.ts'
import { findSegments } from './find-holes.ts'
import type { WrittenEntry } from './layer-entries.ts'
import { changedWhileRead, readFailure } from './read-failure.ts'
import type { ContentReader } from './tree-view.ts'

/** How entries become tar. */
export type EncodeOptions = {
  /** Times with nanoseconds (`ns`, a PAX record for each entry) or whole seconds. */
  readonly timePrecision?: 's' | 'ns'
  /** Later times become this: SOURCE_DATE_EPOCH. Seconds. */
  readonly latestTimeSec?: number
  /** Holes of files are left out (PAX sparse format 1.0), where they are data else. */
  readonly sparse?: boolean
}

/** Bytes of an archive, in pieces as large as the caller wants. */
export interface LayerEncoder {
  /** Fills `target` from its start; how many bytes, 0 at the end. Errors: those of reading files, READ_FAILED. */
  read(target: Uint8Array): number
  /** Closes what is open, after an error too. */
  close(): void
}

/** Encodes the entries of a layer. */
export function encodeLayer(entries: readonly WrittenEntry[], options: EncodeOptions = {}): LayerEncoder {
  return new Encoder(entries, options)
}

/** The whole archive at once, for small layers. */
export function encodeLayerBytes(entries: readonly WrittenEntry[], options: EncodeOptions = {}): Uint8Array {
  const encoder = encodeLayer(entries, options)
  const parts: Uint8Array[] = []
  try {
    for (;;) {
      const part = new Uint8Array(64 * 1024)
      const length = encoder.read(part)
      if (length === 0) break
      parts.push(part.subarray(0, length))
    }
  } finally {
    encoder.close()
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** The file whose bytes are being written: one segment of data after the other. */
type OpenContent = {
  readonly reader: ContentReader
  readonly path: string
  /** None is empty. */
  segments: readonly SparseSegment[]
  segment: number
  /** How far it is in the segment. */
  at: number
  storedBytes: number
}

class Encoder implements LayerEncoder {
  readonly #entries: readonly WrittenEntry[]
  readonly #options: EncodeOptions
  #next = 0
  /** A header that found no room in the buffer of the caller, or padding, or the end of the archive. */
  #ready: Uint8Array = nothing
  #readyAt = 0
  #file: OpenContent | null = null

  constructor(entries: readonly WrittenEntry[], options: EncodeOptions) {
    this.#entries = entries
    this.#options = options
  }

  read(target: Uint8Array): number {
    let filled = 0
    while (filled < target.length) {
      let count: number
      if (this.#readyAt < this.#ready.length) count = this.#takeReady(target, filled)
      else if (this.#file !== null) count = this.#readFile(this.#file, target, filled)
      else if (this.#next > this.#entries.length) break
      else count = this.#begin(target, filled)
      filled += count
    }
    return filled
  }

  close(): void {
    this.#file?.reader.close()
    this.#file = null
  }

  #takeReady(target: Uint8Array, at: number): number {
    const part = this.#ready.subarray(this.#readyAt, this.#readyAt + target.length - at)
    target.set(part, at)
    this.#readyAt += part.length
    return part.length
  }

  #putReady(bytes: Uint8Array): 0 {
    this.#ready = bytes
    this.#readyAt = 0
    return 0
  }

  /** Starts the next entry, or the end; how many bytes of it were written. */
  #begin(target: Uint8Array, at: number): number {
    const entry = this.#entries[this.#next++]
    if (entry === undefined) return this.#putReady(endOfArchive)
    try {
      return this.#write(entry, target, at)
    } catch (error) {
      throw readFailure(error, entry.path)
    }
  }

  #write(entry: WrittenEntry, target: Uint8Array, at: number): number {
    const header = tarEntry(entry, this.#options)
    const sparse = this.#openContent(entry, header.size ?? 0)
    if (sparse !== null) return this.#putReady(encodeTarHeader({ ...header, sparse }))
    if (target.length - at < headerRoomBytes) return this.#putReady(encodeTarHeader(header))
    const written = writeTarHeader(header, target, at)
    return typeof written === 'number' ? written : this.#putReady(written)
  }

  /** The segments of a file with holes that are to be left out. */
  #openContent(entry: WrittenEntry, sizeBytes: number): readonly SparseSegment[] | null {
    if (entry.kind !== 'object' || entry.object.object.type !== 'file' || sizeBytes === 0) return null
    const { view, object } = contentOf(entry.object)
    const segments = [{ offset: 0, length: sizeBytes }]
    const file = { reader: view.open(object), path: entry.path, segments, segment: 0, at: 0 }
    this.#file = { ...file, storedBytes: sizeBytes }
    const sparse = this.#options.sparse === true ? findSegments(file.reader, sizeBytes) : null
    if (sparse === null) return null
    this.#file = { ...file, segments: sparse, storedBytes: storedBytesOf(sparse) }
    if (sparse.length === 0) this.close()
    return sparse
  }

  #readFile(file: OpenContent, target: Uint8Array, at: number): number {
    const { offset, length } = file.segments[file.segment] as SparseSegment // closed behind the last one
    const end = Math.min(target.length, at + length - file.at)
    const count = readContent(file, target.subarray(at, end), offset + file.at)
    if (count === 0) throw changedWhileRead(file.path)
    file.at += count
    if (file.at < length) return count
    file.segment++
    file.at = 0
    return file.segment < file.segments.length ? count : this.#endFile(file, { target, at, count })
  }

  /** Pads the last bytes of a file to a whole block; how many bytes are in the buffer. */
  #endFile(
    { storedBytes }: OpenContent,
    { target, at, count }: { readonly target: Uint8Array; readonly at: number; readonly count: number },
  ): number {
    this.close()
    const padding = paddingOf(storedBytes)
    const paddedEnd = at + count + padding
    if (paddedEnd > target.length) return count + this.#putReady(tarPadding(storedBytes))
    target.fill(0, at + count, paddedEnd)
    return count + padding
  }
}

function readContent({ reader, path }: OpenContent, target: Uint8Array, position: number): number {
  try {
    return reader.read(target, position)
  } catch (error) {
    throw readFailure(error, path)
  }
}

const nothing = new Uint8Array()

const tarTypes: Readonly<Record<FileType, number | null>> = {
  file: tarType.file,
  dir: tarType.directory,
  symlink: tarType.symlink,
  char: tarType.charDevice,
  block: tarType.blockDevice,
  fifo: tarType.fifo,
  socket: null,
}

/** Labels of the host's policy and of another protocol's ACL, which no layer is applied with (rule 23). */
const hostXattrs: ReadonlySet<string> = new Set(['security.selinux', 'system.nfs4_acl'])

/** The entry as tar has it. */
export function tarEntry(entry: WrittenEntry, options: EncodeOptions): TarEntry {
  if (entry.kind === 'whiteout') {
    return markerEntry(joinPath(parentPath(entry.path), `${whiteoutPrefix}${baseName(entry.path)}`), 0o600)
  }
  const placed = entry.object
  const { object } = placed
  if (entry.kind === 'opaque') return markerEntry(joinPath(entry.path, opaqueMarker), object.mode)
  const isLink = entry.kind === 'hardLink'
  const type = isLink ? tarType.hardLink : tarTypes[object.type]
  if (type === null) throw new Error('a socket is no entry of a layer')
  const { latestTimeSec = Number.POSITIVE_INFINITY, timePrecision } = options
  const isClamped = object.mtimeSec >= latestTimeSec
  return {
    name: entry.path === '' ? './' : entry.path,
    type,
    linkName: isLink ? entry.target : object.type === 'symlink' ? placed.view.readlink(object) : '',
    mode: object.mode,
    uid: object.uid,
    gid: object.gid,
    size: object.type === 'file' && !isLink ? contentOf(placed).object.sizeBytes : 0,
    mtimeSec: isClamped ? latestTimeSec : object.mtimeSec,
    mtimeNsec: isClamped || timePrecision === 's' ? 0 : object.mtimeNsec,
    devMajor: isLink ? 0 : majorOf(object.rdev),
    devMinor: isLink ? 0 : minorOf(object.rdev),
    xattrs: placed.xattrs === null || isLink ? noXattrs : withoutHosts(placed.xattrs),
  }
}

const noXattrs: Xattrs = new Map()

/** Markers carry no metadata of their own: that of a whiteout on the disk says nothing, overlayfs shares their inode. */
function markerEntry(name: string, mode: number): TarEntry {
  return { name, type: tarType.file, mode, uid: 0, gid: 0 }
}

function withoutHosts(xattrs: Xattrs): Xattrs {
  if (![...xattrs.keys()].some(name => hostXattrs.has(name))) return xattrs
  return new Map([...xattrs].filter(([name]) => !hostXattrs.has(name)))
}

/** Where the bytes of a file are. */
export function contentOf({ view, object, data }: PlacedObject): Pick<PlacedObject, 'view' | 'object'> {
  return data === null || data === 'missing' ? { view, object } : data
}
