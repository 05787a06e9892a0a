// The entries of a layer as the bytes of a tar archive, filled into buffers of the caller. The same entries give the
// same bytes everywhere: nothing is taken from clock, environment or the order of a directory, and the size of the
// buffers does not matter.
import { OvlError, quote } from '../../errors/index.ts'
import { type FileType, majorOf, minorOf } from '../../fs/index.ts'
import { baseName, joinPath, opaqueMarker, parentPath, whiteoutPrefix } from '../../path/index.ts'
import { encodeTarHeader, endOfArchive, type TarEntry, tarPadding, tarType } from '../../tar/index.ts'
import type { Xattrs } from '../attributes.ts'
import type { PlacedObject } from './compare-objects.ts'
import type { WrittenEntry } from './layer-entries.ts'
import type { ContentReader } from './tree-view.ts'

/** How entries become tar. */
export type EncodeOptions = {
  /** Times with nanoseconds (`ns`, a PAX record for each entry) or whole seconds. */
  readonly timePrecision?: 's' | 'ns'
  /** Later times become this: SOURCE_DATE_EPOCH. Seconds. */
  readonly latestTimeSec?: number
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

/** The file whose bytes are being written. */
type OpenContent = { readonly reader: ContentReader; readonly sizeBytes: number; readonly path: string; at: number }

class Encoder implements LayerEncoder {
  readonly #entries: readonly WrittenEntry[]
  readonly #options: EncodeOptions
  #next = 0
  /** Bytes that are ready: a header, padding, the end of the archive. */
  #ready: Uint8Array = new Uint8Array()
  #readyAt = 0
  #file: OpenContent | null = null

  constructor(entries: readonly WrittenEntry[], options: EncodeOptions) {
    this.#entries = entries
    this.#options = options
  }

  read(target: Uint8Array): number {
    let filled = 0
    while (filled < target.length) {
      if (this.#readyAt < this.#ready.length) filled += this.#takeReady(target.subarray(filled))
      else if (this.#file !== null) filled += this.#readFile(target.subarray(filled), this.#file)
      else if (!this.#begin()) break
    }
    return filled
  }

  close(): void {
    this.#file?.reader.close()
    this.#file = null
  }

  #takeReady(target: Uint8Array): number {
    const part = this.#ready.subarray(this.#readyAt, this.#readyAt + target.length)
    target.set(part)
    this.#readyAt += part.length
    return part.length
  }

  #putReady(bytes: Uint8Array): void {
    this.#ready = bytes
    this.#readyAt = 0
  }

  /** Starts the next entry, or the end; false behind it. */
  #begin(): boolean {
    const entry = this.#entries[this.#next]
    if (entry === undefined) {
      if (this.#next++ > this.#entries.length) return false
      this.#putReady(endOfArchive)
      return true
    }
    this.#next++
    const header = tarEntry(entry, this.#options)
    this.#putReady(encodeTarHeader(header))
    if (
      entry.kind === 'object' &&
      entry.object.object.type === 'file' &&
      header.size !== undefined &&
      header.size > 0
    ) {
      const { view, object } = contentOf(entry.object)
      this.#file = { reader: view.open(object), sizeBytes: header.size, path: entry.path, at: 0 }
    }
    return true
  }

  #readFile(target: Uint8Array, file: OpenContent): number {
    const wanted = target.subarray(0, file.sizeBytes - file.at)
    const count = file.reader.read(wanted, file.at)
    if (count === 0) throw changedWhileRead(file.path)
    file.at += count
    if (file.at < file.sizeBytes) return count
    this.close()
    this.#putReady(tarPadding(file.sizeBytes))
    return count
  }
}

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
    const name = joinPath(parentPath(entry.path), `${whiteoutPrefix}${baseName(entry.path)}`)
    return { ...markerEntry, name }
  }
  const { object, xattrs } = entry.object
  if (entry.kind === 'opaque') return { ...markerEntry, name: joinPath(entry.path, opaqueMarker), mode: object.mode }
  const type = entry.kind === 'hardLink' ? tarType.hardLink : tarTypes[object.type]
  if (type === null) throw new Error('a socket is no entry of a layer')
  const name = entry.path === '' ? './' : entry.path
  const common = { name, type, mode: object.mode, uid: object.uid, gid: object.gid, ...timeOf(entry.object, options) }
  if (entry.kind === 'hardLink') return { ...common, linkName: entry.target }
  return { ...common, ...specifics(entry.object), ...(xattrs === null ? {} : { xattrs: withoutHosts(xattrs) }) }
}

/** Markers carry no metadata of their own: that of a whiteout on the disk says nothing, overlayfs shares their inode. */
const markerEntry = { type: tarType.file, mode: 0o600, uid: 0, gid: 0, size: 0, mtimeSec: 0 }

function specifics(placed: PlacedObject): Partial<TarEntry> {
  const { object, view } = placed
  if (object.type === 'file') return { size: contentOf(placed).object.sizeBytes }
  if (object.type === 'symlink') return { linkName: view.readlink(object) }
  if (object.rdev === 0) return {}
  return { devMajor: majorOf(object.rdev), devMinor: minorOf(object.rdev) }
}

function timeOf({ object }: PlacedObject, options: EncodeOptions): { mtimeSec: number; mtimeNsec: number } {
  const { latestTimeSec = Number.POSITIVE_INFINITY, timePrecision } = options
  const { mtimeSec, mtimeNsec } = object
  if (mtimeSec >= latestTimeSec) return { mtimeSec: latestTimeSec, mtimeNsec: 0 }
  return { mtimeSec, mtimeNsec: timePrecision === 's' ? 0 : mtimeNsec }
}

function withoutHosts(xattrs: Xattrs): Xattrs {
  if (![...xattrs.keys()].some(name => hostXattrs.has(name))) return xattrs
  return new Map([...xattrs].filter(([name]) => !hostXattrs.has(name)))
}

/** Where the bytes of a file are. */
function contentOf({ view, object, data }: PlacedObject): Pick<PlacedObject, 'view' | 'object'> {
  return data === null || data === 'missing' ? { view, object } : data
}

function changedWhileRead(path: string): OvlError {
  return new OvlError('READ_FAILED', `Cannot read ${quote(path)}: it became shorter while it was read`, {
    data: { path },
  })
}
