// Numbers of header blocks and PAX records, accepted and refused exactly as Go's archive/tar does, because the
// container world reads layers with it. Malformed numbers are NaN: the caller knows the offset to report.
// Values are doubles: exact up to 2^53, which the callers that need exactness (sizes) enforce.

const minusSign = 0x2d
const plusSign = 0x2b
const int64Limit = 2 ** 63

/** Reads a numeric header field: octal, or base-256 when the first byte has its high bit set. */
export function parseNumber(block: Uint8Array, start: number, length: number): number {
  return (block[start] as number) > 0x7f ? parseBase256(block, start, length) : parseOctal(block, start, length)
}

/** Reads octal digits between blanks and NULs; an empty field is 0. */
export function parseOctal(block: Uint8Array, start: number, length: number): number {
  let at = start
  let end = start + length
  while (at < end && isBlank(block[at] as number)) at++
  while (end > at && isBlank(block[end - 1] as number)) end--
  let value = 0
  for (; at < end; at++) {
    const byte = block[at] as number
    if (byte === 0) break
    if (byte < 0x30 || byte > 0x37) return Number.NaN
    value = value * 8 + (byte - 0x30)
  }
  return value
}

/** Two's complement, big endian, first bit dropped; NaN beyond 64 bits. */
function parseBase256(block: Uint8Array, start: number, length: number): number {
  const inversion = ((block[start] as number) & 0x40) === 0 ? 0 : 0xff
  let value = 0
  for (let i = 0; i < length; i++) {
    let byte = (block[start + i] as number) ^ inversion
    if (i === 0) byte &= 0x7f
    const isBeyondInt64 = i < length - 8 ? byte !== 0 : i === length - 8 && byte > 0x7f
    if (isBeyondInt64) return Number.NaN
    value = value * 256 + byte
  }
  return inversion === 0 ? value : -value - 1
}

/** Reads the decimal integer in [start, end), with an optional sign; NaN when malformed or beyond 64 bits. */
export function parseDecimal(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  const isNegative = bytes[start] === minusSign
  let at = isNegative || bytes[start] === plusSign ? start + 1 : start
  if (at >= end) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const byte = bytes[at] as number
    if (byte < 0x30 || byte > 0x39) return Number.NaN
    value = value * 10 + (byte - 0x30)
  }
  if (value >= int64Limit) return Number.NaN
  return isNegative ? 0 - value : value
}

/** A time as whole seconds, negative before 1970, and 0 ≤ `nsec` < 10⁹ nanoseconds after them. */
export type TarTime = { readonly sec: number; readonly nsec: number }

/**
 * Reads a PAX time, decimal seconds with an optional fraction, rounded down to nanoseconds of magnitude; normalised
 * so that 0 ≤ nsec < 10⁹ also before 1970. Null when malformed.
 */
export function parsePaxTime(value: Uint8Array): TarTime | null {
  const dot = value.indexOf(0x2e)
  const sec = parseDecimal(value, 0, dot < 0 ? value.length : dot)
  if (Number.isNaN(sec)) return null
  let nsec = 0
  let unit = 100_000_000
  for (let at = dot < 0 ? value.length : dot + 1; at < value.length; at++) {
    const byte = value[at] as number
    if (byte < 0x30 || byte > 0x39) return null
    nsec += (byte - 0x30) * unit
    unit = Math.trunc(unit / 10)
  }
  if (value[0] !== minusSign || nsec === 0) return { sec, nsec }
  return { sec: sec - 1, nsec: 1_000_000_000 - nsec }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0
}
