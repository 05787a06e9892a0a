// One header block in ustar format (POSIX pax, "ustar Interchange Format"). What a field cannot hold is the business
// of the PAX records beside it; here it is made to fit, for readers that know no PAX.

import { headerChecksum } from './checksum.ts'
import { blockSize, type Field, field } from './layout.ts'

/** The fields of a block, each as long or large as it really is. */
export type BlockFields = {
  readonly name: Uint8Array
  readonly prefix: Uint8Array
  readonly linkName: Uint8Array
  readonly userName: Uint8Array
  readonly groupName: Uint8Array
  readonly type: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeSec: number
  readonly devMajor: number
  readonly devMinor: number
}

const slash = 0x2f
const magicAndVersion = Uint8Array.of(0x75, 0x73, 0x74, 0x61, 0x72, 0, 0x30, 0x30) // "ustar" NUL "00"

/** Encodes a block. Text too long is cut, bytes above 0x7f become "_", numbers out of range become 0. */
export function encodeBlock(fields: BlockFields): Uint8Array {
  const block = new Uint8Array(blockSize)
  putText(block, field.name, fields.name)
  putNumber(block, field.mode, fields.mode)
  putNumber(block, field.uid, fields.uid)
  putNumber(block, field.gid, fields.gid)
  putNumber(block, field.size, fields.size)
  putNumber(block, field.mtime, fields.mtimeSec)
  block[field.type.start] = fields.type
  putText(block, field.linkName, fields.linkName)
  block.set(magicAndVersion, field.magic.start)
  putText(block, field.userName, fields.userName)
  putText(block, field.groupName, fields.groupName)
  putNumber(block, field.devMajor, fields.devMajor)
  putNumber(block, field.devMinor, fields.devMinor)
  putText(block, field.ustarPrefix, fields.prefix)
  putChecksum(block)
  return block
}

/** True when the field holds the text: ASCII and not too long. */
export function fitsText(where: Field, bytes: Uint8Array): boolean {
  return bytes.length <= where.length && isAscii(bytes)
}

/** True when the field holds the number in octal, which leaves its last byte to a NUL. */
export function fitsNumber(where: Field, value: number): boolean {
  return value >= 0 && value < 8 ** (where.length - 1)
}

/**
 * Splits a path at a slash so that its parts fit the prefix and name fields; null when there is no such slash. The
 * longest prefix is taken, as the other writers do.
 */
export function splitPath(path: Uint8Array): { readonly prefix: Uint8Array; readonly name: Uint8Array } | null {
  if (!isAscii(path)) return null
  const lastCut = Math.min(field.ustarPrefix.length, path.length - 2) // a directory's own slash stays in its name
  for (let cut = lastCut; cut > 0 && path.length - cut - 1 <= field.name.length; cut--) {
    if (path[cut] === slash) return { prefix: path.subarray(0, cut), name: path.subarray(cut + 1) }
  }
  return null
}

function putText(block: Uint8Array, where: Field, bytes: Uint8Array): void {
  const length = Math.min(bytes.length, where.length)
  for (let i = 0; i < length; i++) block[where.start + i] = (bytes[i] as number) > 0x7f ? 0x5f : (bytes[i] as number)
}

function putNumber(block: Uint8Array, where: Field, value: number): void {
  let rest = fitsNumber(where, value) ? value : 0
  for (let at = where.start + where.length - 2; at >= where.start; at--) {
    block[at] = 0x30 + (rest % 8)
    rest = Math.floor(rest / 8)
  }
}

/** Six digits, NUL, blank: the form that every reader knows. */
function putChecksum(block: Uint8Array): void {
  const { start, length } = field.checksum
  putNumber(block, { start, length: length - 1 }, headerChecksum(block, 0))
  block[start + length - 1] = 0x20
}

function isAscii(bytes: Uint8Array): boolean {
  return bytes.every(byte => byte <= 0x7f)
}
