// Where the fields of a 512-byte header block stand (POSIX pax, "ustar Interchange Format"; GNU tar's <tar.h> for the
// old GNU sparse fields; star's manual for the xstar prefix and times). Shared by reader and writer.

/** Bytes of a block: everything in an archive starts at a multiple of it. */
export const blockSize = 512

/** A field's place in its block, in bytes. */
export type Field = { readonly start: number; readonly length: number }

/** The fields of the header formats; those of different formats overlap. */
export const field = {
  name: { start: 0, length: 100 },
  mode: { start: 100, length: 8 },
  uid: { start: 108, length: 8 },
  gid: { start: 116, length: 8 },
  size: { start: 124, length: 12 },
  mtime: { start: 136, length: 12 },
  checksum: { start: 148, length: 8 },
  type: { start: 156, length: 1 },
  linkName: { start: 157, length: 100 },
  magic: { start: 257, length: 8 },
  userName: { start: 265, length: 32 },
  groupName: { start: 297, length: 32 },
  devMajor: { start: 329, length: 8 },
  devMinor: { start: 337, length: 8 },
  ustarPrefix: { start: 345, length: 155 },
  starPrefix: { start: 345, length: 131 },
  starAtime: { start: 476, length: 12 },
  starCtime: { start: 488, length: 12 },
  starTrailer: { start: 508, length: 4 },
  gnuAtime: { start: 345, length: 12 },
  gnuCtime: { start: 357, length: 12 },
  gnuRealSize: { start: 483, length: 12 },
} as const satisfies Record<string, Field>

/** Old GNU sparse maps: pairs of 12-byte numbers, four in the header, 21 in each extension block. */
export const gnuSparse = {
  pairLength: 24,
  numberLength: 12,
  headerStart: 386,
  headerPairs: 4,
  headerMoreFlag: 482,
  extensionPairs: 21,
  extensionMoreFlag: 504,
} as const

/** Bytes that fill up the last block of `size` bytes. */
export function paddingOf(size: number): number {
  return -size & (blockSize - 1)
}
