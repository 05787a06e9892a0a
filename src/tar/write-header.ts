// Headers of large archives: `encodeTarHeader` into the caller's buffer, several times as fast, for what nearly all
// entries are (an ASCII name of at most 100 bytes, numbers that fit, a time with nanoseconds as the only PAX record).
// The bytes are the same; anything else is left to `encodeTarHeader`. Called once a file: measure before editing.
import { encodeTarHeader, type TarEntry } from './encode-header.ts'
import { tarType } from './header.ts'
import { blockSize, field } from './layout.ts'

/** Room that `writeTarHeader` wants; a header that needs more is handed over. */
export const headerRoomBytes: number = 3 * blockSize

/**
 * Writes what stands before an entry's contents to `target` from `at` on, where there are `headerRoomBytes`. Gives how
 * many bytes that were, or the header itself when there are more.
 *
 * Errors: those of `encodeTarHeader`.
 */
export function writeTarHeader(entry: TarEntry, target: Uint8Array, at: number): number | Uint8Array {
  const length = isUsual(entry) ? writeUsual(entry, target, at) : 0
  if (length > 0) return length
  const encoded = encodeTarHeader(entry)
  if (encoded.length > headerRoomBytes) return encoded
  target.set(encoded, at)
  return encoded.length
}

const { file, directory, symlink, hardLink, fifo } = tarType
const { name: nameField, linkName: linkField } = field
const [maxOwner, maxSize] = [8 ** (field.uid.length - 1), 8 ** (field.size.length - 1)]
const { start: typeAt } = field.type
/** Where the last digit of each number stands, before the byte or two that end it. */
const lastDigit = {
  mode: lastOf(field.mode),
  uid: lastOf(field.uid),
  gid: lastOf(field.gid),
  size: lastOf(field.size),
  mtime: lastOf(field.mtime),
  checksum: lastOf(field.checksum) - 1,
}

function lastOf({ start, length }: { readonly start: number; readonly length: number }): number {
  return start + length - 2
}

function isUsual(entry: TarEntry): boolean {
  const { name, linkName = '', uid, gid, size = 0, mtimeSec = 0, mtimeNsec = 0, devMajor = 0, devMinor = 0 } = entry
  return (
    name !== '' &&
    name.length < nameField.length && // room for a directory's slash
    linkName.length <= linkField.length &&
    (entry.xattrs === undefined || entry.xattrs.size === 0) &&
    isIn(uid, maxOwner) &&
    isIn(gid, maxOwner) &&
    isIn(size, maxSize) &&
    isIn(mtimeSec, maxSize) &&
    isIn(mtimeNsec, 1e9) &&
    devMajor === 0 &&
    devMinor === 0 &&
    usualTypes.has(entry.type) &&
    !entry.userName &&
    !entry.groupName &&
    !entry.sparse
  )
}

function isIn(value: number, limit: number): boolean {
  return value >= 0 && value < limit && Number.isInteger(value)
}

const usualTypes: ReadonlySet<number> = new Set([file, directory, symlink, hardLink, fifo])

/** 0 when a name is not ASCII after all. */
function writeUsual(entry: TarEntry, target: Uint8Array, at: number): number {
  const nsec = entry.mtimeNsec ?? 0
  const blockAt = nsec === 0 ? at : at + 2 * blockSize
  if (!writeBlock(entry, target, blockAt)) return 0
  if (nsec === 0) return blockSize
  writeTimeRecord(entry, target, at)
  return 3 * blockSize
}

function writeBlock(entry: TarEntry, target: Uint8Array, at: number): boolean {
  const { name, type, linkName = '' } = entry
  target.set(emptyBlock, at)
  let sum = emptySum + type
  target[at + typeAt] = type
  const nameSum = putAscii(name, target, at + nameField.start)
  const linkSum = putAscii(linkName, target, at + linkField.start)
  if (nameSum < 0 || linkSum < 0) return false
  sum += nameSum + linkSum
  if (type === directory && !name.endsWith('/')) {
    target[at + nameField.start + name.length] = slash
    sum += slash
  }
  const size = type === file ? (entry.size ?? 0) : 0
  sum += putOctal(entry.mode & 0o7777, target, at + lastDigit.mode)
  sum += putOctal(entry.uid, target, at + lastDigit.uid)
  sum += putOctal(entry.gid, target, at + lastDigit.gid)
  sum += putOctal(size, target, at + lastDigit.size)
  sum += putOctal(entry.mtimeSec ?? 0, target, at + lastDigit.mtime)
  putOctal(sum, target, at + lastDigit.checksum)
  return true
}

/** The PAX header with the time alone, and its block. */
function writeTimeRecord({ name, mtimeSec = 0, mtimeNsec = 0 }: TarEntry, target: Uint8Array, at: number): void {
  target.set(emptyPax, at)
  const lengthBytes = writeTime(mtimeSec, mtimeNsec, target, at + blockSize)
  const end = name.endsWith('/') ? name.length - 1 : name.length
  const start = name.lastIndexOf('/', end - 1) + 1
  // The name is cut where the field ends, as that of any block.
  const room = nameField.length - paxPrefix.length
  const sum =
    emptyPaxSum +
    putAscii(name, target, at + paxPrefix.length, { start, end: Math.min(end, start + room) }) +
    putOctal(lengthBytes, target, at + lastDigit.size)
  putOctal(sum, target, at + lastDigit.checksum)
}

/** Puts the digits of a record, nanoseconds not being 0, into `emptyTime`; how long it is. */
function writeTime(sec: number, nsec: number, target: Uint8Array, at: number): number {
  let [fraction, digits] = [nsec, 9]
  for (; fraction % 10 === 0; digits--) fraction /= 10
  let secondsDigits = 1
  for (let limit = 10; sec >= limit; limit *= 10) secondsDigits++
  const point = at + emptyTime.length + secondsDigits
  const length = point + 1 + digits + 1 - at // between 10 and 99, as the two digits for it say
  putDecimal(length, 2, target, at + 1)
  putDecimal(sec, secondsDigits, target, point - 1)
  target[point] = 0x2e
  putDecimal(fraction, digits, target, point + digits)
  target[point + 1 + digits] = 0x0a
  return length
}

const slash = 0x2f
const zero = 0x30
const paxPrefix = 'PaxHeaders.0/'
const emptyTime = '00 mtime='

/** Blocks without a name, all numbers 0: what is put in is added to their sums. */
const emptyBlock = blankBlock({ name: 'x', type: file })
const emptySum = sumOf(emptyBlock) - file
const emptyPax = paxBlocks()
const emptyPaxSum = sumOf(emptyPax.subarray(0, blockSize))

function blankBlock({ name, type }: { readonly name: string; readonly type: number }): Uint8Array {
  const block = encodeTarHeader({ name, type, mode: 0, uid: 0, gid: 0 })
  block.fill(0, nameField.start, nameField.start + nameField.length)
  clearNumber(block, field.checksum.start, field.checksum.length - 2)
  return block
}

/** The header of a record and the record without digits; taken from one, so that both notations stay the same. */
function paxBlocks(): Uint8Array {
  const entry = { name: 'x', type: file, mode: 0, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 1 }
  const blocks = encodeTarHeader(entry).slice(0, 2 * blockSize)
  blocks[paxPrefix.length] = 0
  clearNumber(blocks, field.size.start, field.size.length - 1)
  clearNumber(blocks, field.checksum.start, field.checksum.length - 2)
  blocks.fill(0, blockSize)
  putAscii(emptyTime, blocks, blockSize)
  return blocks
}

function clearNumber(block: Uint8Array, start: number, digits: number): void {
  block.fill(zero, start, start + digits)
}

/** As the checksum counts it: its own field is blanks. Digits that are put in later count for what they exceed "0". */
function sumOf(block: Uint8Array): number {
  const { start, length } = field.checksum
  let sum = 0x20 * length
  for (const [at, byte] of block.entries()) if (at < start || at >= start + length) sum += byte
  return sum
}

/** Sum of the bytes, or -1 when one of them is not ASCII or NUL. */
function putAscii(
  text: string,
  target: Uint8Array,
  at: number,
  { start, end }: { readonly start: number; readonly end: number } = { start: 0, end: text.length },
): number {
  let sum = 0
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i)
    if (code === 0 || code > 0x7f) return -1
    target[at + i - start] = code
    sum += code
  }
  return sum
}

/** Writes digits up to the last one, over zeros; how much more than those they sum up to. */
function putOctal(value: number, target: Uint8Array, last: number): number {
  let sum = 0
  let at = last
  let rest = value
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 8)) {
    const digit = rest % 8
    target[at--] = zero + digit
    sum += digit
  }
  for (; rest > 0; rest >>= 3) {
    const digit = rest & 7
    target[at--] = zero + digit
    sum += digit
  }
  return sum
}

/** Writes so many digits up to the last one. */
function putDecimal(value: number, count: number, target: Uint8Array, last: number): void {
  let rest = value
  for (let at = last; at > last - count; at--) {
    const digit = rest % 10
    target[at] = zero + digit
    rest = (rest - digit) / 10
  }
}
