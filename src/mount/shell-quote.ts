import { encodeName, isUtf8Name } from '../path/index.ts'

/** One word for a POSIX shell; for bytes that are no UTF-8, and control characters, in the $'…' form of newer shells. */
export function shellQuote(word: string): string {
  if (/^[\w./:=,@%+-]+$/.test(word)) return word
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  if (isUtf8Name(word) && !/[\u0000-\u001f\u007f]/.test(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`
  const bytes = [...encodeName(word)].map(byte => {
    if (byte === 0x27 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  })
  return `$'${bytes.join('')}'`
}
