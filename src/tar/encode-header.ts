// Tar entry → header bytes: plain ustar wherever every field fits, else a PAX header in front that carries exactly the
// fields that do not. Deterministic: the same entry gives the same bytes, nothing is taken from clock or environment.

import { defaultLimits, OvlError, quote } from '../errors/index.ts'
import { encodeName } from '../path/index.ts'
import { isHeaderOnly } from './decode-block.ts'
import { type BlockFields, encodeBlock, fitsNumber, fitsText, splitPath } from './encode-block.ts'
import { encodePaxRecords, formatPaxTime } from './encode-pax.ts'
import { areSegments, encodeSparseMap, sparseName, storedBytesOf } from './encode-sparse.ts'
import { type SparseSegment, tarType } from './header.ts'
import { blockSize, field, paddingOf } from './layout.ts'

/** An entry to write; every `TarHeader` of a type in `tarType` but `gnuSparse` is one. */
export type TarEntry = {
  /** Byte-exact name (see `path`), not empty. A directory's name gets a trailing slash when it has none. */
  readonly name: string
  readonly type: number
  /** Target of a hard link or symlink. */
  readonly linkName?: string
  /** Permission bits; bits above 0o7777 are not written. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of contents that the caller writes after the header; ignored for types without contents. */
  readonly size?: number
  readonly mtimeSec?: number
  /** Nanoseconds after `mtimeSec`, 0 ≤ n < 10⁹. */
  readonly mtimeNsec?: number
  readonly userName?: string
  readonly groupName?: string
  readonly devMajor?: number
  readonly devMinor?: number
  /** Extended attributes by full name (`security.capability`), values as bytes. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>
  /**
   * Where the data of a sparse file of `size` bytes is: the caller writes these bytes alone. Segments ascend, and all but
   * the last are whole blocks at multiples of a block.
   */
  readonly sparse?: readonly SparseSegment[] | null
}

/** The two zero blocks that end an archive. */
export const endOfArchive: Uint8Array = new Uint8Array(2 * blockSize)

/** The zeros that follow `sizeBytes` bytes of contents, up to the next block. */
export function tarPadding(sizeBytes: number): Uint8Array {
  return new Uint8Array(paddingOf(sizeBytes))
}

/**
 * Encodes everything of an entry that stands before its contents: one block, or a PAX header and one block; of a sparse
 * file also its map.
 *
 * Errors: BAD_ENTRY when tar cannot express the entry (a NUL in a name, no name, a negative or fractional number, "="
 * in the name of an extended attribute, an unknown type, a sparse map that is none), LIMIT_EXCEEDED when its PAX records are more than readers
 * accept.
 */
export function encodeTarHeader(entry: TarEntry): Uint8Array {
  if (entry.sparse) return encodeSparse(entry, entry.sparse)
  return encodePlain(entry, noRecords)
}

/** The stored bytes as a file of their own, and records that say what they are. */
function encodeSparse(entry: TarEntry, segments: readonly SparseSegment[]): Uint8Array {
  const { name, type, size = 0, sparse: _, ...rest } = entry
  if (type !== tarType.file || !areSegments(segments, size)) throw cannotWrite(entry, 'its sparse map does not fit')
  const map = encodeSparseMap(segments, size)
  const stored = { ...rest, name: sparseName(name), type, size: map.length + storedBytesOf(segments) }
  const records = new Map([
    ['GNU.sparse.major', encodeName('1')],
    ['GNU.sparse.minor', encodeName('0')],
    ['GNU.sparse.name', nameField(entry, 'name', name)],
    ['GNU.sparse.realsize', encodeName(`${numberField(entry, 'size', size)}`)],
  ])
  const header = encodePlain(stored, records)
  const encoded = new Uint8Array(header.length + map.length)
  encoded.set(header)
  encoded.set(map, header.length)
  return encoded
}

function encodePlain(entry: TarEntry, more: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const fields = fieldsOf(entry)
  const records = recordsOf(entry, fields)
  for (const [name, value] of more) records.set(name, value)
  if (more.has('GNU.sparse.name')) records.delete('path') // some readers would take this one
  const split = fitsText(field.name, fields.name) ? null : splitPath(fields.name)
  if (split !== null) records.delete('path')
  const block = encodeBlock(split === null ? fields : { ...fields, ...split })
  if (records.size === 0) return block
  const body = encodePaxRecords(records)
  checkPaxSize(entry, body.length)
  const encoded = new Uint8Array(blockSize + body.length + paddingOf(body.length) + blockSize)
  encoded.set(encodeBlock({ ...paxHeader, name: paxHeaderName(fields.name), size: body.length }))
  encoded.set(body, blockSize)
  encoded.set(block, encoded.length - blockSize)
  return encoded
}

const nothing = new Uint8Array()
const noRecords: ReadonlyMap<string, Uint8Array> = new Map()
const slash = 0x2f

const paxHeader: BlockFields = {
  name: nothing,
  prefix: nothing,
  linkName: nothing,
  userName: nothing,
  groupName: nothing,
  type: 0x78, // 'x'
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeSec: 0,
  devMajor: 0,
  devMinor: 0,
}

const writableTypes: ReadonlySet<number> = new Set(Object.values(tarType).filter(type => type !== tarType.gnuSparse))

function fieldsOf(entry: TarEntry): BlockFields {
  if (!writableTypes.has(entry.type)) throw cannotWrite(entry, `type ${entry.type} is unknown`)
  if (entry.name === '') throw cannotWrite(entry, 'it has no name')
  const needsSlash = entry.type === tarType.directory && !entry.name.endsWith('/')
  const isDevice = entry.type === tarType.charDevice || entry.type === tarType.blockDevice
  return {
    name: nameField(entry, 'name', needsSlash ? `${entry.name}/` : entry.name),
    prefix: nothing,
    linkName: nameField(entry, 'link name', entry.linkName),
    userName: nameField(entry, 'user name', entry.userName),
    groupName: nameField(entry, 'group name', entry.groupName),
    type: entry.type,
    mode: entry.mode & 0o7777,
    uid: numberField(entry, 'uid', entry.uid),
    gid: numberField(entry, 'gid', entry.gid),
    size: isHeaderOnly(entry.type) ? 0 : numberField(entry, 'size', entry.size),
    mtimeSec: timeField(entry),
    devMajor: isDevice ? deviceField(entry, entry.devMajor) : 0,
    devMinor: isDevice ? deviceField(entry, entry.devMinor) : 0,
  }
}

/** The records for what the block cannot hold, and for what it has no field. */
function recordsOf(entry: TarEntry, fields: BlockFields): Map<string, Uint8Array> {
  const records = new Map<string, Uint8Array>()
  if (!fitsText(field.name, fields.name)) records.set('path', fields.name)
  if (!fitsText(field.linkName, fields.linkName)) records.set('linkpath', fields.linkName)
  if (!fitsText(field.userName, fields.userName)) records.set('uname', fields.userName)
  if (!fitsText(field.groupName, fields.groupName)) records.set('gname', fields.groupName)
  if (!fitsNumber(field.uid, fields.uid)) records.set('uid', encodeName(`${fields.uid}`))
  if (!fitsNumber(field.gid, fields.gid)) records.set('gid', encodeName(`${fields.gid}`))
  if (!fitsNumber(field.size, fields.size)) records.set('size', encodeName(`${fields.size}`))
  const time = { sec: fields.mtimeSec, nsec: entry.mtimeNsec ?? 0 }
  if (time.nsec !== 0 || !fitsNumber(field.mtime, time.sec)) records.set('mtime', encodeName(formatPaxTime(time)))
  for (const [name, value] of entry.xattrs ?? []) {
    if (!isXattrName(name)) throw cannotWrite(entry, `tar has no notation for extended attribute ${quote(name)}`)
    records.set(`SCHILY.xattr.${name}`, value)
  }
  return records
}

/** A name for the PAX header itself, seen only by readers that know no PAX. */
function paxHeaderName(name: Uint8Array): Uint8Array {
  const end = name.at(-1) === slash ? name.length - 1 : name.length
  const base = name.subarray(name.lastIndexOf(slash, end - 1) + 1, end)
  return Uint8Array.of(...encodeName('PaxHeaders.0/'), ...base.subarray(0, field.name.length))
}

function nameField(entry: TarEntry, what: string, name = ''): Uint8Array {
  if (name.includes('\0')) throw cannotWrite(entry, `its ${what} has a NUL`)
  return encodeName(name)
}

function numberField(entry: TarEntry, what: string, value = 0): number {
  if (!Number.isSafeInteger(value) || value < 0) throw cannotWrite(entry, `its ${what} is ${value}`)
  return value
}

/** Linux has 12 bits of major and 20 of minor number; PAX has no records for more than the fields hold. */
function deviceField(entry: TarEntry, value = 0): number {
  if (!fitsNumber(field.devMajor, numberField(entry, 'device number', value))) {
    throw cannotWrite(entry, `its device number is ${value}`)
  }
  return value
}

function timeField(entry: TarEntry): number {
  const { mtimeSec = 0, mtimeNsec = 0 } = entry
  const isTime = Number.isSafeInteger(mtimeSec) && Number.isInteger(mtimeNsec) && mtimeNsec >= 0 && mtimeNsec < 1e9
  if (!isTime) throw cannotWrite(entry, `its time is ${mtimeSec} s and ${mtimeNsec} ns`)
  return mtimeSec
}

function isXattrName(name: string): boolean {
  return name !== '' && !name.includes('=') && !name.includes('\0')
}

function checkPaxSize(entry: TarEntry, sizeBytes: number): void {
  const limitBytes = defaultLimits.paxBytes
  if (sizeBytes <= limitBytes) return
  throw new OvlError('LIMIT_EXCEEDED', `Cannot write tar entry ${quote(entry.name)}: its PAX records are too large`, {
    facts: [`they have ${sizeBytes} bytes; readers accept ${limitBytes}`],
    data: { path: entry.name, sizeBytes, limitBytes },
  })
}

function cannotWrite(entry: TarEntry, fact: string): OvlError {
  return new OvlError('BAD_ENTRY', `Cannot write tar entry ${quote(entry.name)}: ${fact}`, {
    data: { path: entry.name },
  })
}
