// The value of overlay.origin and overlay.upper: a file handle with the file system it belongs to
// (fs/overlayfs/overlayfs.h: struct ovl_fb; namei.c: ovl_check_fb_len(); rules 60, 63, 64).

/** A file handle as overlayfs stores it. */
export type StoredHandle = {
  readonly type: number
  /** Of the file system, 16 bytes; all zero where it has none and with uuid=off. */
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

/** The value that stands for a handle (rule 60). Handles have at most 128 bytes. */
export function formatOrigin({ type, uuid, bytes, isUpper }: StoredHandle): Uint8Array {
  const value = new Uint8Array(headerBytes + bytes.length)
  value.set([0, magic, value.length, isUpper ? flag.upper : 0, type])
  value.set(uuid, 5)
  value.set(bytes, headerBytes)
  return value
}

/** The name of an index entry: the value of overlay.origin in lowercase hexadecimal (rule 64). */
export function indexName(origin: Uint8Array): string {
  let name = ''
  for (const byte of origin) name += byte.toString(16).padStart(2, '0')
  return name
}

/** The value that an index entry is named by; null when the name is no hexadecimal. */
export function parseIndexName(name: string): Uint8Array | null {
  // Half of an odd length: the kernel leaves the last digit unread.
  const value = new Uint8Array(Math.floor(name.length / 2))
  if (!/^[\da-fA-F]*$/.test(name.slice(0, value.length * 2))) return null
  for (let i = 0; i < value.length; i++) value[i] = Number.parseInt(name.slice(i * 2, i * 2 + 2), 16)
  return value
}

/** True when two values are the same. */
export function isSameValue(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
