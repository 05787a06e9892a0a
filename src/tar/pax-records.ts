// PAX extended header records, "LENGTH KEY=VALUE\n" (POSIX pax, "pax Extended Header"): parsing, and laying them over
// an entry's header. Values stay bytes; what is accepted and refused is what Go's archive/tar accepts and refuses.

import { decodeName } from '../path/index.ts'
import type { MutableTarHeader } from './header.ts'
import { parseDecimal, parsePaxTime } from './numbers.ts'
import { badTar } from './tar-error.ts'

/** PAX records by key, values as bytes. */
export type PaxRecords = ReadonlyMap<string, Uint8Array>

const smallestRecord = 5 // "5 k=\n" without its value: no record is shorter
const nameKeys: ReadonlySet<string> = new Set(['path', 'linkpath', 'uname', 'gname'])

/**
 * Parses the contents of an extended header. Values are views into `bytes`, which must not change afterwards. The
 * repeated keys of sparse format 0.0 (GNU.sparse.offset, GNU.sparse.numbytes) arrive as the GNU.sparse.map of 0.1.
 *
 * Errors: BAD_TAR with `offset`, the position of `bytes` in the archive.
 */
export function parsePaxRecords(bytes: Uint8Array, offset: number): PaxRecords {
  const records = new Map<string, Uint8Array>()
  const sparseNumbers: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const record = parseRecord(bytes, at, offset)
    if (record.key === 'GNU.sparse.offset' || record.key === 'GNU.sparse.numbytes') {
      const isOffset = record.key === 'GNU.sparse.offset'
      if (isOffset !== (sparseNumbers.length % 2 === 0) || record.value.includes(0x2c)) {
        throw badTar('malformed sparse map in a PAX header', offset + at)
      }
      sparseNumbers.push(record.value)
    } else records.set(record.key, record.value)
    at = record.end
  }
  if (sparseNumbers.length > 0) records.set('GNU.sparse.map', joinWithCommas(sparseNumbers))
  return records
}

/**
 * Lays records over the header they belong to and keeps them in `header.pax`. An empty value leaves the field of the
 * header block as it is.
 *
 * Errors: BAD_TAR for a malformed number or time.
 */
export function applyPaxRecords(header: MutableTarHeader, records: PaxRecords, offset: number): void {
  header.pax = records
  for (const [key, value] of records) {
    if (value.length > 0) applyRecord(header, key, value, offset)
  }
}

/**
 * The records in force for later entries after a global header: its records over those of earlier ones, an empty
 * value taking a record away. Left out are records that describe one file's name, extent or map: no writer means them
 * for all files, and a global size would make this reader see other entries than one that ignores global headers.
 */
export function mergeGlobalRecords(inForce: PaxRecords | null, records: PaxRecords): PaxRecords | null {
  const merged = new Map(inForce)
  for (const [key, value] of records) {
    if (describesOneFile(key)) continue
    if (value.length === 0) merged.delete(key)
    else merged.set(key, value)
  }
  return merged.size === 0 ? null : merged
}

/** Local records over global ones; null when there are neither. */
export function recordsInForce(global: PaxRecords | null, local: PaxRecords | null): PaxRecords | null {
  if (global === null || local === null) return local ?? global
  return new Map([...global, ...local])
}

type Record = { readonly key: string; readonly value: Uint8Array; readonly end: number }

function parseRecord(bytes: Uint8Array, start: number, offset: number): Record {
  let at = start
  let length = 0
  for (; at < bytes.length && isDigit(bytes[at] as number); at++) length = length * 10 + (bytes[at] as number) - 0x30
  const end = start + length
  const isFramed = at > start && bytes[at] === 0x20 && length >= smallestRecord && end <= bytes.length
  if (!isFramed || end - 1 <= at || bytes[end - 1] !== 0x0a) throw badTar('malformed PAX record', offset + start)
  const equals = bytes.indexOf(0x3d, at + 1)
  if (equals <= at + 1 || equals >= end - 1) throw badTar('PAX record without a key', offset + start)
  const key = decodeName(bytes, at + 1, equals)
  const value = bytes.subarray(equals + 1, end - 1)
  const hasNul = nameKeys.has(key) ? value.includes(0) : key.includes('\0')
  if (hasNul) throw badTar('NUL in a PAX record', offset + start)
  return { key, value, end }
}

function applyRecord(header: MutableTarHeader, key: string, value: Uint8Array, offset: number): void {
  switch (key) {
    case 'path':
      header.name = decodeName(value)
      return
    case 'linkpath':
      header.linkName = decodeName(value)
      return
    case 'uname':
      header.userName = decodeName(value)
      return
    case 'gname':
      header.groupName = decodeName(value)
      return
    case 'uid':
      header.uid = paxNumber(value, key, offset)
      return
    case 'gid':
      header.gid = paxNumber(value, key, offset)
      return
    case 'size':
      header.size = paxNumber(value, key, offset)
      return
    case 'mtime':
    case 'atime':
    case 'ctime': {
      const time = parsePaxTime(value)
      if (time === null) throw badTar(`malformed PAX ${key}`, offset)
      if (key !== 'mtime') return // not used, but checked: Go refuses such an archive
      header.mtimeSec = time.sec
      header.mtimeNsec = time.nsec
      return
    }
    default: // xattrs and vendors' records are read from `pax` by whoever wants them
  }
}

/** A decimal number of a record; BAD_TAR when it is none. */
export function paxNumber(value: Uint8Array, key: string, offset: number): number {
  const number = parseDecimal(value)
  if (Number.isNaN(number)) throw badTar(`malformed PAX ${key}`, offset)
  return number
}

function describesOneFile(key: string): boolean {
  return key === 'path' || key === 'linkpath' || key === 'size' || key.startsWith('GNU.sparse.')
}

function joinWithCommas(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, -1)).fill(0x2c)
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length + 1
  }
  return joined
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
