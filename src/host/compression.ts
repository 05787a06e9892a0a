// Which compression a blob has is read from its first bytes (rule 27 of the layer rules); media types and file
// names are never asked, because registries and archives disagree with them too often.

/** How a blob is compressed. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** Bytes that `detectCompression` wants to see; with fewer it still answers, from what is there. */
export const compressionHeadBytes = 10

const gzip = [0x1f, 0x8b, 0x08] // RFC 1952: magic and the only method there is
const zstd = [0x28, 0xb5, 0x2f, 0xfd] // RFC 8878 3.1.1
const xz = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]
// bzip2: "BZh", the level, then the magic of a block or of the end (an empty stream). "BZh9" alone would also be a
// fine name for the first file of an uncompressed tar.
const bzip2Block = [0x31, 0x41, 0x59, 0x26, 0x53, 0x59]
const bzip2End = [0x17, 0x72, 0x45, 0x38, 0x50, 0x90]

/**
 * The compression of a blob, by the magic of its first bytes. A zstd stream may begin with a skippable frame
 * (0x184D2A50…5F), as those of seekable and chunked layers do. An empty or unknown head is 'none'.
 */
export function detectCompression(head: Uint8Array): Compression {
  if (startsWith(head, gzip)) return 'gzip'
  if (startsWith(head, zstd) || isSkippableMagic(head)) return 'zstd'
  if (startsWith(head, xz)) return 'xz'
  if (isBzip2(head)) return 'bzip2'
  return 'none'
}

/** The four little-endian bytes 0x184D2A50…0x184D2A5F (RFC 8878 3.1.2). */
function isSkippableMagic(head: Uint8Array): boolean {
  return head.length >= 4 && ((head[0] as number) & 0xf0) === 0x50 && startsWith(head.subarray(1), [0x2a, 0x4d, 0x18])
}

function isBzip2(head: Uint8Array): boolean {
  const level = head[3] ?? 0
  if (head[0] !== 0x42 || head[1] !== 0x5a || head[2] !== 0x68 || level < 0x31 || level > 0x39) return false
  const rest = head.subarray(4, 10)
  return [bzip2Block, bzip2End].some(magic => startsWith(rest, magic))
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return head.length >= magic.length && magic.every((byte, i) => head[i] === byte)
}
