// The index of an archive: one pass over its headers by seeking, contents left out, so that a 10 GB archive costs a
// read per member.

import { escapeControls, type Limits, OvlError, quote, type Warn } from '../errors/index.ts'
import { cleanLayerPath } from '../path/index.ts'
import { type SparseSegment, type TarHeader, TarReader, tarType } from '../tar/index.ts'
import { pause, pauseTimer } from './pause.ts'
import type { Blob } from './types.ts'

/** One file of an archive. */
export type Member = {
  /** Clean path: no leading slash, no "." or "..". */
  readonly path: string
  readonly type: number
  readonly linkName: string
  /** Where the stored bytes start, and how many there are. */
  readonly offset: number
  readonly storedSize: number
  /** Size with holes. */
  readonly size: number
  readonly sparse: readonly SparseSegment[] | null
}

/** What indexing an archive needs to know: how messages call it, its limits, who hears warnings. */
export type IndexOptions = { readonly location: string; readonly limits: Limits; readonly warn: Warn }

const windowBytes = 64 << 10
const blockBytes = 512

/** An archive of images has members by the hundreds; past this it is something else, or an attack on memory. */
const maxMembers = 1_000_000

/**
 * Reads the headers of an archive. The last of several members of one name counts, with a warning.
 * Errors: BAD_TAR; TRUNCATED naming the member that is cut off; LIMIT_EXCEEDED.
 */
export async function indexArchive(archive: Blob, options: IndexOptions): Promise<ReadonlyMap<string, Member>> {
  const { location, limits } = options
  const members = new Map<string, Member>()
  const seen: { header: TarHeader | null } = { header: null }
  const handler = { entry: (header: TarHeader) => void (seen.header = header), data: ignore, end: ignore }
  const reader = new TarReader(handler, { paxBytes: limits.paxBytes })
  const window = headerWindow(archive)
  const timer = pauseTimer()
  for (let at = 0; at < archive.size && !reader.ended; ) {
    const block = window(at)
    if (block.length === 0) break
    pushBlock(reader, block, { at, location })
    at += block.length
    const { header } = seen
    if (header !== null) {
      seen.header = null
      checkEnd(header, archive, { location, members })
      add(members, header, options)
      at += reader.skipContents()
    }
    if (timer.due()) await pause()
  }
  if (!reader.ended) finish(reader, archive, location)
  return members
}

function ignore(): void {
  // contents are left out, so there is nothing to do with them
}

/** Header blocks by position, read in larger pieces because headers of small members stand close together. */
function headerWindow(archive: Blob): (at: number) => Uint8Array {
  const window = new Uint8Array(windowBytes)
  let start = 0
  let end = 0
  return at => {
    if (at < start || at + blockBytes > end) {
      start = at
      end = at + archive.read(window, 0, windowBytes, at)
    }
    return window.subarray(at - start, Math.min(at - start + blockBytes, end - start))
  }
}

function pushBlock(
  reader: TarReader,
  block: Uint8Array,
  place: { readonly at: number; readonly location: string },
): void {
  try {
    reader.push(block)
  } catch (cause) {
    if (!(cause instanceof OvlError)) throw cause
    const { at, location } = place
    throw new OvlError(cause.code, `Cannot read ${location}: it is no sound tar archive`, {
      facts: [cause.message],
      data: { ...cause.data, archive: location, offset: at },
      cause,
    })
  }
}

function finish(reader: TarReader, archive: Blob, location: string): void {
  try {
    reader.finish()
  } catch (cause) {
    throw new OvlError('TRUNCATED', `Cannot read ${location}: the archive ends inside a header`, {
      data: { archive: location, sizeBytes: archive.size },
      cause,
    })
  }
}

/** Row 3 of the error table: which member is cut off, and by how much. */
function checkEnd(
  header: TarHeader,
  archive: Blob,
  context: { readonly location: string; readonly members: ReadonlyMap<string, Member> },
): void {
  const there = Math.max(0, archive.size - header.offset)
  if (there >= header.storedSize) return
  const { location, members } = context
  const { path } = cleanLayerPath(header.name)
  const layer = savedLayer.test(path) ? ` (layer ${[...members.keys()].filter(isSavedLayer).length + 1} of ?)` : ''
  throw new OvlError('TRUNCATED', `Cannot read ${location}: the archive ends inside ${escapeControls(path)}${layer}`, {
    facts: [
      `this member needs ${header.storedSize} bytes, ${there} are there; ${header.storedSize - there} are missing`,
    ],
    data: { archive: location, path, neededBytes: header.storedSize, gotBytes: there },
  })
}

/** How skopeo and podman name the layers of a docker-archive, base first. */
const savedLayer = /^[0-9a-f]{64}\.tar$/

function isSavedLayer(path: string): boolean {
  return savedLayer.test(path)
}

function add(members: Map<string, Member>, header: TarHeader, { location, warn }: IndexOptions): void {
  const { path } = cleanLayerPath(header.name)
  if (path === '') return
  if (members.size >= maxMembers) {
    throw new OvlError('LIMIT_EXCEEDED', `Cannot read ${location}: it has more than ${maxMembers} members`, {
      data: { limit: maxMembers },
    })
  }
  const earlier = members.get(path)
  const { type, linkName, offset, storedSize, size, sparse } = header
  if (earlier !== undefined && earlier.type === type && type === tarType.file) {
    warn({
      code: 'DUPLICATE_ENTRY',
      message: `${location} holds ${quote(path)} more than once; the last one counts`,
      path,
    })
  }
  members.set(path, { path, type, linkName, offset, storedSize, size, sparse })
}
