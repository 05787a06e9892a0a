// Names are bytes (rule 1 of the layer rules). In a JavaScript string a byte that is not part of valid UTF-8 is
// carried as the lone surrogate U+DC00+byte (Python's "surrogateescape", PEP 383) and turned back at the system
// boundary, so every name survives unchanged and names compare with ===.

type FastDecoder = {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  utf8Slice(this: Uint8Array, start: number, end: number): string
}

// Node's native slicers are several times faster than a loop or TextDecoder for short names; a browser has neither.
const fast = (globalThis as { Buffer?: { prototype: FastDecoder } }).Buffer?.prototype
const fatalUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** Decodes the bytes [start, end) of a name. Total: every byte sequence has exactly one string. */
export function decodeName(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let at = start
  while (at < end && (bytes[at] as number) < 0x80) at++
  if (at === end) return decodeAscii(bytes, start, end)
  return decodeUtf8(bytes.subarray(start, end)) ?? decodeMixed(bytes, start, end)
}

/** The bytes of a name: the inverse of `decodeName`. */
export function encodeName(name: string): Uint8Array {
  if (name.isWellFormed()) return encoder.encode(name)
  const parts: Uint8Array[] = []
  let from = 0
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    if (unit >= 0xd800 && unit <= 0xdbff && isLowSurrogate(name.charCodeAt(i + 1))) i++
    else if (unit >= 0xdc80 && unit <= 0xdcff) {
      if (i > from) parts.push(encoder.encode(name.slice(from, i)))
      parts.push(Uint8Array.of(unit - 0xdc00))
      from = i + 1
    }
  }
  if (from < name.length) parts.push(encoder.encode(name.slice(from)))
  return concat(parts)
}

/** True when the name's bytes are valid UTF-8, so the string can be handed to any API as it is. */
export function isUtf8Name(name: string): boolean {
  return name.isWellFormed()
}

/** Length of a name in bytes, as NAME_MAX (255) and PATH_MAX (4096) count it. */
export function nameByteLength(name: string): number {
  let bytes = name.length
  for (let i = 0; i < name.length; i++) {
    const unit = name.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit >= 0xdc80 && unit <= 0xdcff && !isHighSurrogate(name.charCodeAt(i - 1))) continue // one raw byte
    bytes += unit < 0x800 || isHighSurrogate(unit) || isLowSurrogate(unit) ? 1 : 2
  }
  return bytes
}

/** How a path stands in JSON output: the string itself, or its bytes in base64 when they are no UTF-8. */
export function jsonName(name: string): string | { readonly base64: string } {
  return name.isWellFormed() ? name : { base64: base64(encodeName(name)) }
}

function decodeAscii(bytes: Uint8Array, start: number, end: number): string {
  if (fast !== undefined) return fast.latin1Slice.call(bytes, start, end)
  let out = ''
  for (let i = start; i < end; i++) out += String.fromCharCode(bytes[i] as number)
  return out
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return fatalUtf8.decode(bytes)
  } catch {
    return undefined // not valid UTF-8 as a whole: the caller decodes byte by byte
  }
}

/** Valid UTF-8 sequences become their characters, every other byte a lone surrogate. */
function decodeMixed(bytes: Uint8Array, start: number, end: number): string {
  let out = ''
  let valid = start // where the run of valid sequences before `at` begins
  for (let at = start; at < end; ) {
    const length = sequenceLength(bytes, at, end)
    if (length === 0) {
      if (at > valid) out += fatalUtf8.decode(bytes.subarray(valid, at))
      out += String.fromCharCode(0xdc00 + (bytes[at] as number))
      valid = at + 1
    }
    at += length === 0 ? 1 : length
  }
  return valid < end ? out + fatalUtf8.decode(bytes.subarray(valid, end)) : out
}

/**
 * Length of the well-formed UTF-8 sequence at `at`, 0 when there is none (Unicode standard, table 3-7). By hand, since
 * a decoder that throws for every stray byte makes a hostile name of 1 MiB take seconds.
 */
function sequenceLength(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at] as number
  if (lead < 0x80) return 1
  if (lead < 0xc2 || lead > 0xf4) return 0
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  if (at + length > end) return 0
  const second = bytes[at + 1] as number
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf
  if (second < least || second > most) return 0
  for (let i = at + 2; i < at + length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) return 0
  return length
}

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
