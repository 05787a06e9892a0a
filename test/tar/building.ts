// Archives made block by block, well-formed or not.

import { encodeTarHeader, endOfArchive, type TarEntry, tarPadding, tarType } from '../../src/tar/index.ts'

/** Bytes of text in which every character is one byte. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0))
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** Contents and the zeros that fill up their last block. */
export function padded(contents: Uint8Array | string): Uint8Array {
  const bytes = typeof contents === 'string' ? latin1(contents) : contents
  return concat(bytes, tarPadding(bytes.length))
}

export type Packed = { readonly entry: TarEntry; readonly contents?: Uint8Array }

/** A whole archive by ovl's writer. */
export function packTar(members: readonly Packed[]): Uint8Array {
  const parts = members.map(({ entry, contents = new Uint8Array() }) =>
    concat(encodeTarHeader({ ...entry, size: contents.length }), padded(contents)),
  )
  return concat(...parts, endOfArchive)
}

/** Where fields stand that tests overwrite. */
const fieldStart = {
  name: 0,
  mode: 100,
  uid: 108,
  gid: 116,
  size: 124,
  mtime: 136,
  type: 156,
  linkName: 157,
  magic: 257,
  userName: 265,
  prefix: 345,
  gnuSparse: 386,
  gnuIsExtended: 482,
  gnuRealSize: 483,
  starAtime: 476,
  starTrailer: 508,
} as const

export type RawFields = { readonly [Key in keyof typeof fieldStart]?: string }

/** A ustar file header with fields overwritten by raw text; the checksum is right, or summed over signed bytes. */
export function rawHeader(fields: RawFields, { signed = false } = {}): Uint8Array {
  const block = encodeTarHeader({ name: 'f', type: tarType.file, mode: 0o644, uid: 0, gid: 0 })
  for (const [key, text] of Object.entries(fields)) block.set(latin1(text), fieldStart[key as keyof RawFields])
  return fixChecksum(block, { signed })
}

/** Makes the checksum of a changed block right again. */
export function fixChecksum(block: Uint8Array, { signed = false } = {}): Uint8Array {
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + (signed && byte > 0x7f ? byte - 256 : byte), 0)
  block.set(latin1(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  return block
}

/** A file with contents under a raw header. */
export function rawFile(fields: RawFields, contents: Uint8Array | string = ''): Uint8Array {
  return concat(rawHeader({ size: octal(contents.length), ...fields }), padded(contents))
}

/** An extended header: 'x', 'g', 'L' or 'K' with its contents. */
export function extendedHeader(type: 'x' | 'g' | 'L' | 'K', contents: Uint8Array | string): Uint8Array {
  return rawFile({ name: 'extended', type }, contents)
}

/** PAX records in the order given, values as Latin-1. */
export function pax(type: 'x' | 'g', records: readonly (readonly [string, string])[]): Uint8Array {
  return extendedHeader(type, records.map(([key, value]) => paxRecord(key, value)).join(''))
}

export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  let length = rest.length + 1
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length
  return `${length}${rest}`
}

export function octal(value: number, width = 12): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}
