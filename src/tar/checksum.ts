import { blockSize, field } from './layout.ts'
import { parseOctal } from './numbers.ts'

const blanks = field.checksum.length * 0x20

/**
 * True when the stored checksum is that of the block: the sum of its bytes, the checksum field counted as blanks.
 * Some old writers summed signed bytes; every reader accepts that.
 */
export function hasValidChecksum(block: Uint8Array, start: number): boolean {
  const stored = parseOctal(block, start + field.checksum.start, field.checksum.length)
  const sum = headerChecksum(block, start)
  return stored === sum || stored === sum - 256 * highBytes(block, start)
}

/** Sum of the bytes of a header block, the checksum field counted as blanks. */
export function headerChecksum(block: Uint8Array, start: number): number {
  const fieldStart = start + field.checksum.start
  const fieldEnd = fieldStart + field.checksum.length
  const end = start + blockSize
  let sum = blanks
  for (let i = start; i < fieldStart; i++) sum += block[i] as number
  for (let i = fieldEnd; i < end; i++) sum += block[i] as number
  return sum
}

/** True when all 512 bytes are zero. */
export function isZeroBlock(block: Uint8Array, start: number): boolean {
  for (let i = start; i < start + blockSize; i++) if (block[i] !== 0) return false
  return true
}

/** Bytes above 0x7f outside the checksum field: each counts 256 less in a signed sum. */
function highBytes(block: Uint8Array, start: number): number {
  const fieldStart = start + field.checksum.start
  const fieldEnd = fieldStart + field.checksum.length
  let count = 0
  for (let i = start; i < start + blockSize; i++) {
    if ((block[i] as number) > 0x7f && (i < fieldStart || i >= fieldEnd)) count++
  }
  return count
}
