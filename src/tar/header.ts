/** Type flags of tar entries, as the byte in the header (POSIX pax, GNU tar). */
export const tarType = {
  file: 0x30, // '0', and NUL in old archives
  hardLink: 0x31,
  symlink: 0x32,
  charDevice: 0x33,
  blockDevice: 0x34,
  directory: 0x35,
  fifo: 0x36,
  contiguous: 0x37,
  gnuSparse: 0x53, // 'S'
} as const

/** A run of real data in a sparse file: `length` bytes at `offset` of the expanded file; all else is a hole. */
export type SparseSegment = { readonly offset: number; readonly length: number }

/** What a header block says of its notation; `pax` is ustar with a PAX header of its own. */
export type TarFormat = 'v7' | 'ustar' | 'pax' | 'gnu' | 'star'

/** One entry of an archive, every field as the archive has it: names byte-exact (see `path`), nothing resolved. */
export type TarHeader = {
  readonly name: string
  /** Target of a hard link or symlink, '' otherwise. */
  readonly linkName: string
  /** Type flag byte; see `tarType`. Old NUL flags arrive as file or, with a trailing slash, as directory. */
  readonly type: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Size of the expanded file in bytes (sparse files included). */
  readonly size: number
  /** Modification time: whole seconds (may be negative) and 0 ≤ nanoseconds < 10⁹ after them. */
  readonly mtimeSec: number
  readonly mtimeNsec: number
  readonly userName: string
  readonly groupName: string
  readonly devMajor: number
  readonly devMinor: number
  /** PAX records in force by key, local over global ones, values as bytes; null when there are none. */
  readonly pax: ReadonlyMap<string, Uint8Array> | null
  readonly sparse: readonly SparseSegment[] | null
  readonly format: TarFormat
  /**
   * Where the stored bytes start, counted from the start of the archive, and how many there are. Those of a sparse
   * file are its segments one after the other, without holes and without the map that may precede them.
   */
  readonly offset: number
  readonly storedSize: number
}

/** A header while it is put together. */
export type MutableTarHeader = { -readonly [Key in keyof TarHeader]: TarHeader[Key] }
