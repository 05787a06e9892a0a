// The value of overlay.origin: a file handle with the file system it belongs to (fs/overlayfs/overlayfs.h: struct
// ovl_fb).

/** A file handle as overlayfs stores it. */
export type StoredHandle = {
  readonly type: number
  /** Of the file system. */
  readonly uuid: Uint8Array
  readonly bytes: Uint8Array
  /** It is of a file of the upperdir. */
  readonly isUpper: boolean
}

const headerBytes = 21
const magic = 0xfb
const flag = { bigEndian: 1, anyEndian: 2, upper: 4 } as const

/** Reads a value; `unknown` for the empty one, null for what the kernel cannot read. */
export function parseOrigin(value: Uint8Array): StoredHandle | 'unknown' | null {
  if (value.length === 0) return 'unknown'
  const [version, mark, length, flags = 0, type = 0] = value
  const isWhole = value.length > headerBytes && version === 0 && mark === magic && length === value.length
  if (!isWhole || (flags & ~(flag.bigEndian | flag.anyEndian | flag.upper)) !== 0) return null
  // Every processor that Linux and Node run on together is little-endian, but for s390x.
  if ((flags & flag.bigEndian) !== 0 && (flags & flag.anyEndian) === 0) return null
  return {
    type,
    uuid: value.subarray(5, headerBytes),
    bytes: value.subarray(headerBytes),
    isUpper: (flags & flag.upper) !== 0,
  }
}
