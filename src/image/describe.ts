// Says in words what a file is, so that "not an image" comes with what it is instead.

import { escapeControls, OvlError } from '../errors/index.ts'
import { detectCompression } from '../host/index.ts'
import { TarReader } from '../tar/index.ts'

/** How many bytes from the start of a file `describeBytes` wants to see. */
export const describeHeadBytes = 2048

/** True when these first bytes begin a tar archive: a header with the right checksum, or the end of an empty one. */
export function isTarHead(head: Uint8Array): boolean {
  if (head.length < 512) return false
  const handler = { entry() {}, data() {}, end() {} }
  try {
    new TarReader(handler).push(head, 0, 512)
    return true
  } catch {
    return false // whatever the reader has against it, it is no header
  }
}

/** True when these first bytes are the end mark of a tar archive: two blocks of zeros. */
export function isTarEnd(head: Uint8Array): boolean {
  return head.length >= 1024 && head.subarray(0, 1024).every(byte => byte === 0)
}

/** "a plain text file (6 bytes)", from the first bytes and the size. */
export function describeBytes(head: Uint8Array, sizeBytes: number | null): string {
  if (head.length === 0) return 'an empty file'
  const size = sizeBytes === null ? '' : ` (${sizeBytes} ${sizeBytes === 1 ? 'byte' : 'bytes'})`
  return `${kindOf(head)}${size}`
}

/** "tar archive without manifest.json or oci-layout (1 entry: text.txt)" */
export function describeArchive(names: readonly string[]): string {
  return `tar archive without manifest.json or oci-layout (${countAndSome(names, 'entry', 'entries')})`
}

/** "it is a directory without oci-layout or manifest.json (2 entries: a, b)" */
export function describeDirectory(names: readonly string[]): string {
  if (names.length === 0) return 'it is an empty directory'
  const has = (name: string): boolean => names.includes(name)
  if (has('config.json') && (has('rootfs') || has('merged')))
    return 'it is a runtime bundle, which was unpacked already'
  return `it is a directory without oci-layout or manifest.json (${countAndSome(names, 'entry', 'entries')})`
}

/** The refusal of an input that is something else. */
export function notAnImage(location: string, fact: string): OvlError {
  return new OvlError('NOT_AN_IMAGE', `Cannot open ${location} as an image: ${fact}`, {
    data: { path: location },
  })
}

function countAndSome(names: readonly string[], one: string, many: string): string {
  if (names.length === 0) return `no ${many}`
  const shown = names.slice(0, 3).map(escapeControls).join(', ')
  return `${names.length} ${names.length === 1 ? one : many}: ${shown}${names.length > 3 ? ', …' : ''}`
}

type Magic = { readonly at: number; readonly bytes: string; readonly kind: string }

const magics: readonly Magic[] = [
  { at: 0, bytes: '\x7fELF', kind: 'an ELF program or library' },
  { at: 0, bytes: 'PK\x03\x04', kind: 'a zip archive' },
  { at: 0, bytes: 'PK\x05\x06', kind: 'an empty zip archive' },
  { at: 0, bytes: '7z\xbc\xaf\x27\x1c', kind: 'a 7-Zip archive' },
  { at: 0, bytes: 'Rar!\x1a\x07', kind: 'a RAR archive' },
  { at: 0, bytes: '!<arch>\n', kind: 'an ar archive or Debian package' },
  { at: 0, bytes: '\xed\xab\xee\xdb', kind: 'an RPM package' },
  { at: 0, bytes: '070701', kind: 'a cpio archive' },
  { at: 0, bytes: '070707', kind: 'a cpio archive' },
  { at: 0, bytes: 'hsqs', kind: 'a squashfs file system' },
  { at: 1024, bytes: '\xe2\xe1\xf5\xe0', kind: 'an EROFS file system' },
  { at: 1080, bytes: '\x53\xef', kind: 'an ext2, ext3 or ext4 file system' },
  { at: 0, bytes: 'QFI\xfb', kind: 'a QEMU disk image' },
  { at: 510, bytes: '\x55\xaa', kind: 'a disk image with a boot sector' },
  { at: 0, bytes: '%PDF-', kind: 'a PDF document' },
  { at: 0, bytes: '\x89PNG\r\n\x1a\n', kind: 'a PNG picture' },
  { at: 0, bytes: '\xff\xd8\xff', kind: 'a JPEG picture' },
  { at: 0, bytes: 'SQLite format 3\0', kind: 'an SQLite database' },
  { at: 0, bytes: 'MZ', kind: 'a Windows program' },
  { at: 0, bytes: '\x04\x22\x4d\x18', kind: 'LZ4-compressed data, which is not supported' },
  { at: 0, bytes: '\x1f\x9d', kind: 'data compressed with compress(1), which is not supported' },
  { at: 0, bytes: 'LZIP', kind: 'lzip-compressed data, which is not supported' },
]

function kindOf(head: Uint8Array): string {
  const found = magics.find(magic => hasMagic(head, magic))
  if (found !== undefined) return found.kind
  const compression = detectCompression(head)
  if (compression !== 'none') return `${compression}-compressed data`
  if (isTarHead(head)) return 'a tar archive'
  const text = plainText(head)
  if (text === null) return head.every(byte => byte === 0) ? 'a file of zeros' : 'a binary file of unknown kind'
  if (text.startsWith('#!')) return 'a script'
  if (/^\s*[[{]/.test(text)) return 'a JSON or text file'
  if (/^(?:#.*\n|\s*\n)*FROM\s/i.test(text)) return 'a Dockerfile, which is built, not unpacked'
  return 'a plain text file'
}

function hasMagic(head: Uint8Array, { at, bytes }: Magic): boolean {
  if (head.length < at + bytes.length) return false
  for (let i = 0; i < bytes.length; i++) if (head[at + i] !== bytes.charCodeAt(i)) return false
  return true
}

/** The text, when the bytes are UTF-8 without control characters; the last character may be cut off. */
function plainText(head: Uint8Array): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    // oxlint-disable-next-line no-control-regex -- control characters are what tells binary from text
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f]/.test(text) ? null : text
  } catch {
    return null // not UTF-8
  }
}
