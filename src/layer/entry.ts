// Decoding: one tar entry becomes one statement about the tree, or nothing. What stands in the archive is judged
// here alone, without looking at other entries or layers (rules 1 to 6, 12, 21, 25, 26 of docs/layers.md).

import { type Limits, OvlError, quote, type Warn } from '../errors/index.ts'
import {
  baseName,
  cleanLayerPath,
  joinPath,
  type LayerPath,
  nameByteLength,
  parentPath,
  parseLayerName,
} from '../path/index.ts'
import { type SparseSegment, type TarHeader, tarType } from '../tar/index.ts'
import { type Attributes, readAttributes } from './attributes.ts'

/** What one tar entry says about the tree. Paths are clean; '' is the root. */
export type LayerEntry =
  | { readonly kind: 'directory'; readonly path: LayerPath; readonly attributes: Attributes }
  | FileEntry
  | { readonly kind: 'symlink'; readonly path: LayerPath; readonly attributes: Attributes; readonly target: string }
  | { readonly kind: 'hardLink'; readonly path: LayerPath; readonly target: LayerPath }
  | NodeEntry
  /** Hides `path` of every layer below. */
  | { readonly kind: 'whiteout'; readonly path: LayerPath }
  /** Hides everything that layers below have in the directory `path`. */
  | { readonly kind: 'opaque'; readonly path: LayerPath }

/** A regular file; its content follows in the stream. */
export type FileEntry = {
  readonly kind: 'file'
  readonly path: LayerPath
  readonly attributes: Attributes
  readonly size: number
  readonly sparse: readonly SparseSegment[] | null
  /** Where the stored bytes are in the uncompressed layer. */
  readonly offset: number
  readonly storedSize: number
}

/** A device or a FIFO; a FIFO has the number 0:0. */
export type NodeEntry = {
  readonly kind: 'charDevice' | 'blockDevice' | 'fifo'
  readonly path: LayerPath
  readonly attributes: Attributes
  readonly major: number
  readonly minor: number
}

/** Limits, where warnings go, and how strict to be. */
export type DecodeOptions = {
  readonly limits: Limits
  readonly warn: Warn
  /** ".." in a name is an error, not a warning. */
  readonly strict?: boolean
  /** An unknown type flag is a warning, not an error. */
  readonly skipUnknown?: boolean
}

/** AUFS keeps the other names of hard links here; links into it are honoured, the directory itself never shows. */
export const aufsLinkDirectory = '.wh..wh.plnk'

/**
 * Decodes one tar entry; null when it says nothing about the tree (AUFS' bookkeeping, a skipped type).
 *
 * Errors: BAD_ENTRY, BAD_WHITEOUT, UNSAFE_PATH (strict), LIMIT_EXCEEDED, all naming the entry.
 */
export function decodeEntry(header: TarHeader, options: DecodeOptions): LayerEntry | null {
  const path = readPath(header, options)
  if (path === '') return decodeRoot(header, options)
  const base = baseName(path)
  if (base.startsWith('.wh.') || path.startsWith('.wh..wh.')) {
    const marker = decodeMarker(path, options)
    if (marker !== 'plain') {
      // A marker's own name may be longer than NAME_MAX: it never becomes a file, the name it hides does.
      if (marker !== null) checkLength(marker.path, options.limits)
      return marker
    }
  }
  checkLength(path, options.limits)
  return decodePlain(header, path, options)
}

function readPath(header: TarHeader, { strict, warn }: DecodeOptions): LayerPath {
  const { path, dotdot } = cleanLayerPath(header.name)
  if (dotdot && strict)
    throw new OvlError(
      'UNSAFE_PATH',
      `Cannot apply ${quote(header.name)}: ".." in a name is refused by --strict`,
      at(header.name),
    )
  if (dotdot)
    warn({
      code: 'DOTDOT_PATH',
      message: `".." in ${quote(header.name)} is resolved inside the root`,
      path: header.name,
    })
  if (path.includes('\0')) throw new OvlError('BAD_ENTRY', `Cannot apply ${quote(path)}: NUL in a name`, at(path))
  return path
}

const nameMax = 255 // bytes, as every Linux file system that matters has it

function checkLength(path: LayerPath, limits: Limits): void {
  if (path.length * 3 <= nameMax) return // a code unit is at most three bytes
  if (nameByteLength(path) > limits.pathBytes) {
    throw new OvlError(
      'LIMIT_EXCEEDED',
      `Cannot apply ${quote(`${path.slice(0, 64)}…`)}: its path is longer than ${limits.pathBytes} bytes`,
      {
        hint: `--limit path=${nameByteLength(path)}`,
        data: { limit: 'path', value: limits.pathBytes },
      },
    )
  }
  for (const name of path.split('/')) {
    if (name.length * 3 > nameMax && nameByteLength(name) > nameMax) {
      throw new OvlError(
        'BAD_ENTRY',
        `Cannot apply ${quote(`${name.slice(0, 64)}…`)}: a name of ${nameByteLength(name)} bytes is longer than ${nameMax}`,
        at(path),
      )
    }
  }
}

function decodeRoot(header: TarHeader, options: DecodeOptions): LayerEntry {
  if (header.type === tarType.directory)
    return { kind: 'directory', path: '', attributes: readAttributes(header, options.warn) }
  throw new OvlError(
    'BAD_ENTRY',
    `Cannot apply ${quote(header.name)}: the root of a layer must be a directory`,
    at(header.name),
  )
}

function decodeMarker(path: LayerPath, { warn }: DecodeOptions): LayerEntry | null | 'plain' {
  const insideReserved = path.includes('/') && path.startsWith('.wh..wh.')
  if (insideReserved && path.startsWith(`${aufsLinkDirectory}/`)) return 'plain'
  const name = parseLayerName(baseName(path))
  if (insideReserved || name.kind === 'reserved') {
    warn({ code: 'AUFS_METADATA', message: `${quote(path)} is bookkeeping of AUFS and left out`, path })
    return null
  }
  if (name.kind === 'opaque') return { kind: 'opaque', path: parentPath(path) }
  if (name.kind === 'whiteout') return { kind: 'whiteout', path: joinPath(parentPath(path), name.hides) }
  return 'plain'
}

function decodePlain(header: TarHeader, path: LayerPath, options: DecodeOptions): LayerEntry | null {
  const { warn } = options
  switch (header.type) {
    case tarType.file:
    case tarType.contiguous:
    case tarType.gnuSparse:
      return fileEntry(header, path, warn)
    case tarType.directory:
      return { kind: 'directory', path, attributes: readAttributes(header, warn) }
    case tarType.symlink:
      return { kind: 'symlink', path, attributes: readAttributes(header, warn), target: symlinkTarget(header, path) }
    case tarType.hardLink:
      return { kind: 'hardLink', path, target: hardLinkTarget(header, path, options) }
    case tarType.charDevice:
    case tarType.blockDevice:
      return deviceEntry(header, path, warn)
    case tarType.fifo:
      return { kind: 'fifo', path, attributes: readAttributes(header, warn), major: 0, minor: 0 }
    default:
      return unknownEntry(header, path, options)
  }
}

function fileEntry(header: TarHeader, path: LayerPath, warn: Warn): FileEntry {
  const { size, sparse, offset, storedSize } = header
  // Only a hole can be that large, and no file system takes it: off_t and doubles end there or soon after.
  if (size > Number.MAX_SAFE_INTEGER)
    throw new OvlError(
      'BAD_ENTRY',
      `Cannot make file ${quote(path)}: ${size} bytes are more than a file can have`,
      at(path),
    )
  return { kind: 'file', path, attributes: readAttributes(header, warn), size, sparse, offset, storedSize }
}

const symlinkMax = 4095 // PATH_MAX without its NUL: symlink(2) takes no more

function symlinkTarget({ linkName }: TarHeader, path: LayerPath): string {
  const bytes = nameByteLength(linkName)
  const fault =
    bytes === 0 ? 'it has no target' : bytes > symlinkMax ? `its target is longer than ${symlinkMax} bytes` : ''
  if (fault !== '') throw new OvlError('BAD_ENTRY', `Cannot make symlink ${quote(path)}: ${fault}`, at(path))
  return linkName
}

function hardLinkTarget({ linkName }: TarHeader, path: LayerPath, { strict }: DecodeOptions): LayerPath {
  const { path: target, dotdot } = cleanLayerPath(linkName)
  if (dotdot && strict)
    throw new OvlError(
      'UNSAFE_PATH',
      `Cannot link ${quote(path)}: ".." in its target ${quote(linkName)} is refused by --strict`,
      at(path),
    )
  return target
}

function deviceEntry(header: TarHeader, path: LayerPath, warn: Warn): LayerEntry {
  const { devMajor: major, devMinor: minor } = header
  const kind = header.type === tarType.charDevice ? 'charDevice' : 'blockDevice'
  if (major === 0 && minor === 0 && kind === 'charDevice') {
    warn({ code: 'CHAR_DEVICE_WHITEOUT', message: `character device 0:0 ${quote(path)} is taken as a whiteout`, path })
    return { kind: 'whiteout', path }
  }
  // The kernel's dev_t has 12 bits of major and 20 of minor number; it would silently cut the rest.
  if (!(major >= 0 && major <= 0xfff && minor >= 0 && minor <= 0xfffff)) {
    throw new OvlError(
      'BAD_ENTRY',
      `Cannot make device ${quote(path)}: the number ${major}:${minor} is out of range`,
      at(path),
    )
  }
  return { kind, path, attributes: readAttributes(header, warn), major, minor }
}

function unknownEntry(header: TarHeader, path: LayerPath, { skipUnknown, warn }: DecodeOptions): null {
  const type = quote(String.fromCharCode(header.type))
  if (!skipUnknown) {
    throw new OvlError('BAD_ENTRY', `Cannot apply ${quote(path)}: unknown entry type ${type}`, {
      ...at(path),
      hint: 'add --skip-unknown to leave such entries out',
    })
  }
  warn({ code: 'UNKNOWN_ENTRY_TYPE', message: `${quote(path)} of unknown type ${type} is left out`, path })
  return null
}

function at(path: string): { data: { path: string } } {
  return { data: { path } }
}
