// One 512-byte header block → the fields it holds. Which format a block is in, and which fields count in it, follow
// Go's archive/tar: v7 has no owner names and devices, star a shorter prefix, GNU none at all.

import { decodeName } from '../path/index.ts'
import { type MutableTarHeader, type TarFormat, tarType } from './header.ts'
import { blockSize, type Field, field } from './layout.ts'
import { parseNumber } from './numbers.ts'
import { badTar } from './tar-error.ts'

/**
 * Decodes the header block at `start` of `block`; `offset` is where the block stands in the archive. The checksum is
 * verified by the caller; `offset` and `storedSize` of the result are those of a plain entry.
 *
 * Errors: BAD_TAR for a malformed number.
 */
export function decodeBlock(block: Uint8Array, start: number, offset: number): MutableTarHeader {
  const format = detectFormat(block, start)
  const isV7 = format === 'v7'
  const header: MutableTarHeader = {
    name: text(block, start, field.name),
    linkName: text(block, start, field.linkName),
    type: block[start + field.type.start] as number,
    mode: number(block, start, field.mode),
    uid: number(block, start, field.uid),
    gid: number(block, start, field.gid),
    size: number(block, start, field.size),
    mtimeSec: number(block, start, field.mtime),
    mtimeNsec: 0,
    userName: isV7 ? '' : text(block, start, field.userName),
    groupName: isV7 ? '' : text(block, start, field.groupName),
    devMajor: isV7 ? 0 : number(block, start, field.devMajor),
    devMinor: isV7 ? 0 : number(block, start, field.devMinor),
    pax: null,
    sparse: null,
    format,
    offset: offset + blockSize,
    storedSize: 0,
  }
  if (hasMalformedNumber(header)) throw badTar('malformed number in a header', offset)
  if (!isV7 && block[start + field.ustarPrefix.start] !== 0) prependPrefix(header, block, start)
  if (format === 'star' && hasBadStarTimes(block, start)) throw badTar('malformed time in a star header', offset)
  return header
}

/** True for types whose entries have no contents, whatever their size field says. */
export function isHeaderOnly(type: number): boolean {
  return type >= tarType.hardLink && type <= tarType.fifo
}

function detectFormat(block: Uint8Array, start: number): TarFormat {
  const magic = start + field.magic.start
  // "ustar"
  if (
    block[magic] !== 0x75 ||
    block[magic + 1] !== 0x73 ||
    block[magic + 2] !== 0x74 ||
    block[magic + 3] !== 0x61 ||
    block[magic + 4] !== 0x72
  ) {
    return 'v7'
  }
  if (block[magic + 5] === 0) return hasStarTrailer(block, start) ? 'star' : 'ustar'
  const isGnu = block[magic + 5] === 0x20 && block[magic + 6] === 0x20 && block[magic + 7] === 0
  return isGnu ? 'gnu' : 'v7'
}

function hasStarTrailer(block: Uint8Array, start: number): boolean {
  const at = start + field.starTrailer.start // "tar" NUL
  return block[at] === 0x74 && block[at + 1] === 0x61 && block[at + 2] === 0x72 && block[at + 3] === 0
}

function hasMalformedNumber(h: MutableTarHeader): boolean {
  return Number.isNaN(h.mode + h.uid + h.gid + h.size + h.mtimeSec + h.devMajor + h.devMinor)
}

function prependPrefix(header: MutableTarHeader, block: Uint8Array, start: number): void {
  if (header.format === 'gnu' && !hasPrefixInGnuHeader(block, start)) return
  const prefix = text(block, start, header.format === 'star' ? field.starPrefix : field.ustarPrefix)
  header.name = `${prefix}/${header.name}`
}

/**
 * GNU headers have times where ustar has the prefix. Old Go writers put a prefix there nevertheless, and Go's reader
 * takes it for one when the times make no sense and it is ASCII.
 */
function hasPrefixInGnuHeader(block: Uint8Array, start: number): boolean {
  if (!isBadOptionalTime(block, start, field.gnuAtime) && !isBadOptionalTime(block, start, field.gnuCtime)) return false
  const end = start + field.ustarPrefix.start + field.ustarPrefix.length
  for (let i = start + field.ustarPrefix.start; i < end && block[i] !== 0; i++) {
    if ((block[i] as number) > 0x7f) return false
  }
  return true
}

function isBadOptionalTime(block: Uint8Array, start: number, time: Field): boolean {
  return block[start + time.start] !== 0 && Number.isNaN(number(block, start, time))
}

function hasBadStarTimes(block: Uint8Array, start: number): boolean {
  return Number.isNaN(number(block, start, field.starAtime) + number(block, start, field.starCtime))
}

function number(block: Uint8Array, start: number, where: Field): number {
  return parseNumber(block, start + where.start, where.length)
}

/** A NUL-terminated (or full) text field. */
function text(block: Uint8Array, start: number, where: Field): string {
  const from = start + where.start
  if (block[from] === 0) return ''
  let end = from + 1
  const limit = from + where.length
  while (end < limit && block[end] !== 0) end++
  return decodeName(block, from, end)
}
