// What the marks of an upperdir say about its objects: overlayfs' extended attributes and whiteouts (rules 54 to 66 of
// the kernel's overlayfs), what fuse-overlayfs writes beside them, and AUFS' names, which are those of a layer.
import { OvlError, quote } from '../../errors/index.ts'
import { type MarkNames, markNames, shownXattrName } from '../../overlay/index.ts'
import { comparePaths, decodeName, type LayerPath, parseLayerName, whiteoutPrefix } from '../../path/index.ts'
import type { Xattrs } from '../attributes.ts'
import type { WhiteoutForm } from './change.ts'
import { fusePrefix } from './find-style.ts'
import type { NamedObject, ViewObject, TreeView } from './tree-view.ts'

/** Who wrote the marks; `none` for a tree that has none. */
export type MarkStyle = 'overlay' | 'fuse-overlayfs' | 'aufs' | 'none'

/** The marks of one object, and the attributes that a program sees. */
export type UpperMarks = {
  /** Null: it is no whiteout. */
  readonly whiteout: WhiteoutForm | null
  readonly isOpaque: boolean
  /** A name in the same directory of the lower layers, or a path from their roots that begins with a slash. */
  readonly redirect: string | null
  readonly isMetacopy: boolean
  /** It was copied up, or merges with a lower directory. */
  readonly hasOrigin: boolean
  /** The names of a lower hard link share it (index=on). */
  readonly isIndexed: boolean
  readonly xattrs: Xattrs | null
}

/** A name in a directory of an upperdir: an object, a marker for it, or both. */
export type UpperName = {
  readonly name: string
  readonly object: ViewObject | null
  /** There is a file ".wh.NAME". */
  readonly hasMarker?: boolean
}

/** Names of a directory, sorted, and whether one more makes it opaque. */
export type UpperListing = { readonly names: readonly UpperName[]; readonly isOpaque: boolean }

/** Reads an upperdir. */
export interface MarkReader {
  readonly style: MarkStyle
  /** What was seen and means something in another style: names that begin with ".wh.", fuse-overlayfs' attributes. */
  readonly seen: { markerNames: boolean; fuseXattrs: boolean }
  /** Errors: BAD_ENTRY for a redirect that overlayfs refuses. */
  read(object: ViewObject, path: LayerPath): UpperMarks
  list(directory: ViewObject): UpperListing
}

/** Reads marks of one style; `userxattr` says which prefix overlayfs' own have. */
export function markReader(view: TreeView, style: MarkStyle, userxattr: boolean): MarkReader {
  const prefixes = style === 'overlay' ? [markNames(userxattr)] : style === 'fuse-overlayfs' ? fusePrefixes : []
  const seen = { markerNames: false, fuseXattrs: false }
  return {
    style,
    seen,
    read: (object, path) => {
      const stored = view.xattrs(object)
      if (stored !== null && !seen.fuseXattrs && hasFuseXattr(stored)) seen.fuseXattrs = true
      return readMarks(object, path, { style, prefixes, stored })
    },
    list: directory => {
      const listed = view.list(directory)
      if (!listed.some(({ name }) => name.startsWith(whiteoutPrefix))) return { names: listed, isOpaque: false }
      seen.markerNames = true
      return style === 'aufs' || style === 'fuse-overlayfs'
        ? withoutMarkers(listed)
        : { names: listed, isOpaque: false }
    },
  }
}

function hasFuseXattr(stored: Xattrs): boolean {
  for (const name of stored.keys()) if (name.startsWith(fusePrefix)) return true
  return false
}

/** fuse-overlayfs writes the first it may, and reads all three. */
const fusePrefixes = [markNames(false), markNames(true), prefixed(fusePrefix)]

function prefixed(prefix: string): MarkNames {
  const names = markNames(true)
  const short = (name: string): string => `${prefix}${name.slice(names.prefix.length)}`
  return Object.fromEntries(Object.entries(names).map(([mark, name]) => [mark, short(name)])) as MarkNames
}

type Reading = {
  readonly style: MarkStyle
  readonly prefixes: readonly MarkNames[]
  readonly stored: Xattrs | null
}

const unmarked: UpperMarks = {
  whiteout: null,
  isOpaque: false,
  redirect: null,
  isMetacopy: false,
  hasOrigin: false,
  isIndexed: false,
  xattrs: null,
}
const whiteoutDevice: UpperMarks = { ...unmarked, whiteout: 'device' }

function readMarks(object: ViewObject, path: LayerPath, { style, prefixes, stored }: Reading): UpperMarks {
  if (object.type === 'char' && object.rdev === 0 && style !== 'none') return whiteoutDevice
  if (stored === null) return unmarked
  const mark = (name: keyof MarkNames): Uint8Array | undefined => {
    for (const names of prefixes) if (stored.has(names[name])) return stored.get(names[name])
    return undefined
  }
  const isOpaque = object.type === 'dir' && isYes(mark('opaque'))
  const isKernels = style === 'overlay' // fuse-overlayfs knows neither redirect nor metacopy
  const isMetacopy = isKernels && object.type === 'file' && mark('metacopy') !== undefined
  // A file keeps its redirect when its data was copied up; it means nothing then (rule 107).
  const isRedirected = isKernels && ((object.type === 'dir' && !isOpaque) || isMetacopy)
  return {
    whiteout: object.type === 'file' && object.sizeBytes === 0 && mark('whiteout') !== undefined ? 'xattr' : null,
    isOpaque,
    redirect: isRedirected ? parseRedirect(mark('redirect'), path) : null,
    isMetacopy,
    hasOrigin: mark('origin') !== undefined,
    isIndexed: mark('nlink') !== undefined,
    xattrs: prefixes.length === 0 ? stored : visible(stored, prefixes),
  }
}

function isYes(value: Uint8Array | undefined): boolean {
  return value?.length === 1 && value[0] === 0x79
}

/** Rule 58; what the kernel answers with EINVAL or EACCES cannot be seen in any mount. */
function parseRedirect(value: Uint8Array | undefined, path: LayerPath): string | null {
  if (value === undefined) return null
  const redirect = decodeName(value)
  const names = redirect.startsWith('/') ? redirect.slice(1).split('/') : [redirect]
  const isValid = names.every(name => name !== '' && name !== '.' && name !== '..' && !name.includes('/'))
  if (isValid) return redirect
  throw new OvlError('BAD_ENTRY', `Cannot compare ${quote(path)}: its redirect ${quote(redirect)} leads nowhere`, {
    hint: 'ovl doctor --overlay finds all such marks',
    data: { path, redirect },
  })
}

/** The attributes that a program sees: without marks, and those that were put under the prefix by a program unescaped. */
function visible(stored: Xattrs, prefixes: readonly MarkNames[]): Xattrs | null {
  const seen = new Map<string, Uint8Array>()
  for (const [name, value] of stored) {
    const marks = prefixes.find(({ prefix }) => name.startsWith(prefix))
    const shown = marks === undefined ? name : shownXattrName(name, marks)
    if (shown !== null) seen.set(shown, value)
  }
  return seen.size === 0 ? null : seen
}

/** Takes names that begin with ".wh." as what they say. Errors: BAD_WHITEOUT. */
function withoutMarkers(listed: readonly NamedObject[]): UpperListing {
  let isOpaque = false
  const names = new Map<string, UpperName>()
  for (const { name: stored, object } of listed) {
    const meaning = parseLayerName(stored)
    if (meaning.kind === 'opaque') isOpaque = true
    // fuse-overlayfs leaves a whiteout ".wh..opq" beside the opaque marker; AUFS keeps links and settings in ".wh..wh.*"
    if (meaning.kind === 'opaque' || meaning.kind === 'reserved' || stored === '.wh..opq') continue
    const name = meaning.kind === 'whiteout' ? meaning.hides : stored
    const known = names.get(name)
    if (meaning.kind === 'whiteout') names.set(name, { name, object: known?.object ?? null, hasMarker: true })
    else names.set(name, { name, object, ...(known?.hasMarker === true ? { hasMarker: true } : {}) })
  }
  return { names: [...names.values()].toSorted((a, b) => comparePaths(a.name, b.name)), isOpaque }
}
