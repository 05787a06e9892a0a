// What differs between an object as it was and as it is: content byte by byte, metadata, extended attributes. Access
// and change times are no content of a tree.
import { majorOf, minorOf } from '../../fs/index.ts'
import { comparePaths } from '../../path/index.ts'
import type { Xattrs } from '../attributes.ts'
import type { BeforeAfter, Change, XattrChange } from './change.ts'
import { type ContentReader, readAll, type ViewObject, type TreeView } from './tree-view.ts'

/** An object in its tree, with the attributes that a program sees. */
export type PlacedObject = {
  readonly view: TreeView
  readonly object: ViewObject
  readonly xattrs: Xattrs | null
  /** Where its bytes are, when not in the object itself (metacopy). */
  readonly data: { readonly view: TreeView; readonly object: ViewObject } | 'missing' | null
}

/** What differs, as fields of a `Change`; null when nothing does. */
export type Difference = Omit<Change, 'path' | 'kind' | 'type'>

/** Compares two objects of one type; null when they are the same. */
export function compareObjects(before: PlacedObject, after: PlacedObject): Difference | null {
  const difference: { -readonly [Field in keyof Difference]: Difference[Field] } = {}
  const { object: was } = before
  const { object: is } = after
  const content = is.type === 'file' ? compareContent(before, after) : null
  if (content !== null) difference.content = content
  if (is.type === 'symlink') {
    const [target, targetBefore] = [after.view.readlink(is), before.view.readlink(was)]
    if (target !== targetBefore) difference.target = { before: targetBefore, after: target }
  }
  if (was.rdev !== is.rdev) difference.device = { before: deviceOf(was), after: deviceOf(is) }
  // Linux has no modes of symlinks: what is stored differs from one file system to the next.
  if (was.mode !== is.mode && is.type !== 'symlink') difference.mode = { before: was.mode, after: is.mode }
  if (was.uid !== is.uid || was.gid !== is.gid)
    difference.owner = { before: { uid: was.uid, gid: was.gid }, after: { uid: is.uid, gid: is.gid } }
  if (was.mtimeSec !== is.mtimeSec || was.mtimeNsec !== is.mtimeNsec)
    difference.time = { before: timeOf(was), after: timeOf(is) }
  const xattrs = compareXattrs(before.xattrs, after.xattrs)
  if (xattrs !== null) difference.xattrs = xattrs
  return Object.keys(difference).length === 0 ? null : difference
}

/** Names that differ; null when there are none. */
export function compareXattrs(before: Xattrs | null, after: Xattrs | null): XattrChange | null {
  if (before === null && after === null) return null
  const added: string[] = []
  const changed: string[] = []
  for (const [name, value] of after ?? []) {
    const known = before?.get(name)
    if (known === undefined) added.push(name)
    else if (!sameBytes(known, value)) changed.push(name)
  }
  const removed = [...(before?.keys() ?? [])].filter(name => after?.has(name) !== true)
  if (added.length + changed.length + removed.length === 0) return null
  return {
    added: added.toSorted(comparePaths),
    changed: changed.toSorted(comparePaths),
    removed: removed.toSorted(comparePaths),
  }
}

function compareContent(before: PlacedObject, after: PlacedObject): BeforeAfter<number> | null {
  if (before.data === 'missing' || after.data === 'missing') return null // metacopy: nobody can tell
  const was = before.data ?? before
  const is = after.data ?? after
  const sizes = { before: was.object.sizeBytes, after: is.object.sizeBytes }
  if (sizes.before !== sizes.after) return sizes
  if (sizes.after === 0) return null
  if (was.view === is.view && was.object.identity === is.object.identity) return null
  return sameContent(was, is) ? null : sizes
}

const windowBytes = 256 * 1024
const windows = { was: new Uint8Array(windowBytes), is: new Uint8Array(windowBytes) }

function sameContent(was: Readable, is: Readable): boolean {
  const wasFile = was.view.open(was.object)
  try {
    const isFile = is.view.open(is.object)
    try {
      return sameBytesOf(wasFile, isFile, is.object.sizeBytes)
    } finally {
      isFile.close()
    }
  } finally {
    wasFile.close()
  }
}

type Readable = { readonly view: TreeView; readonly object: ViewObject }

/** Holes that both files have are passed over. */
function sameBytesOf(was: ContentReader, is: ContentReader, sizeBytes: number): boolean {
  for (let at = 0; at < sizeBytes; ) {
    // What is a hole in one of them only is read there as zeros.
    const next = sizeBytes <= windowBytes ? at : Math.min(was.nextData(at), is.nextData(at))
    if (next >= sizeBytes) return true
    const length = Math.min(windowBytes, sizeBytes - next)
    const wasBytes = readAll(was, windows.was.subarray(0, length), next)
    const isBytes = readAll(is, windows.is.subarray(0, length), next)
    if (!sameBytes(wasBytes, isBytes)) return false
    if (isBytes.length === 0) return true // both shrank while they were read
    at = next + isBytes.length
  }
  return true
}

type NativeCompare = (this: Uint8Array, other: Uint8Array) => number
// Node compares with memcmp; a browser has nothing like it.
const native = (globalThis as { Buffer?: { prototype: { compare: NativeCompare } } }).Buffer?.prototype.compare

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  return native === undefined ? a.every((byte, at) => byte === b[at]) : native.call(a, b) === 0
}

function deviceOf({ rdev }: ViewObject): { readonly major: number; readonly minor: number } {
  return { major: majorOf(rdev), minor: minorOf(rdev) }
}

function timeOf({ mtimeSec, mtimeNsec }: ViewObject): { readonly sec: number; readonly nsec: number } {
  return { sec: mtimeSec, nsec: mtimeNsec }
}
