// Bytes in JSON: text where they are UTF-8, else base64.
import { encodeName } from '../../path/index.ts'

/** Text, or bytes in base64. */
export type BytesJson = string | { readonly base64: string }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
// Arguments of one call of String.fromCharCode; engines allow some ten thousand.
const sliceBytes = 8192

/** The bytes that a document means; a lone surrogate U+DC00+byte in text is that byte. */
export function bytesFromJson(json: BytesJson): Uint8Array {
  return typeof json === 'string' ? encodeName(json) : Uint8Array.from(atob(json.base64), char => char.charCodeAt(0))
}

/** How bytes stand in a document. */
export function bytesToJson(bytes: Uint8Array): BytesJson {
  try {
    return utf8.decode(bytes)
  } catch {
    return { base64: toBase64(bytes) } // not UTF-8: the only thing a decoder refuses
  }
}

/** True for text and for an object with valid base64 and nothing else. */
export function isBytesJson(value: unknown): value is BytesJson {
  if (typeof value === 'string') return true
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false
  return isBase64((value as { base64?: unknown }).base64)
}

/** True for base64 with its padding. */
export function isBase64(value: unknown): value is string {
  return typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += sliceBytes) {
    binary += String.fromCharCode(...bytes.subarray(at, at + sliceBytes))
  }
  return btoa(binary)
}
