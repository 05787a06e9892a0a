// A FileSystem written down path by path, for comparing two of them.

import { createHash } from 'node:crypto'
import { type FileSystem, majorOf, minorOf } from '../../src/fs/index.ts'
import { type ContentReader, type ViewObject, type TreeView, viewFileSystem } from '../../src/layer/index.ts'
import { joinPath } from '../../src/path/index.ts'

/** What a listing may leave out. */
export type ListingOptions = {
  /** The root's time. */
  readonly withoutRootTime?: boolean
  readonly withoutTimes?: boolean
}

/** path → everything about it; names of one file name the first of them. */
export function listFileSystem(fileSystem: FileSystem, options: ListingOptions = {}): Record<string, string> {
  return listView(viewFileSystem(fileSystem), options)
}

/** The same of a tree that is only read. */
export function listView(view: TreeView, options: ListingOptions = {}): Record<string, string> {
  const listing: Record<string, string> = {}
  const links = new Map<string, string>()
  const visit = (path: string, object: ViewObject): void => {
    const isTimed = options.withoutTimes !== true && !(path === '' && options.withoutRootTime === true)
    const parts = [object.type, object.type === 'symlink' ? '' : object.mode.toString(8), `${object.uid}:${object.gid}`]
    if (isTimed) parts.push(`${object.mtimeSec}.${object.mtimeNsec}`)
    if (object.type !== 'dir' && object.nlink > 1) {
      const first = links.get(object.identity) ?? path
      links.set(object.identity, first)
      parts.push(`${object.nlink} links, first ${first}`)
    }
    parts.push(...detailsOf(view, object), ...xattrsOf(view, object))
    listing[path] = parts.join(' ')
    if (object.type === 'dir')
      for (const { name, object: child } of view.list(object)) visit(joinPath(path, name), child)
  }
  visit('', view.root)
  return listing
}

function detailsOf(view: TreeView, object: ViewObject): string[] {
  if (object.type === 'symlink') return [`-> ${view.readlink(object)}`]
  if (object.type === 'char' || object.type === 'block') return [`${majorOf(object.rdev)}:${minorOf(object.rdev)}`]
  if (object.type !== 'file') return []
  const reader = view.open(object)
  const content = readContent(reader, object.sizeBytes)
  reader.close()
  return [content.length <= 32 ? content.toString('latin1') : createHash('sha256').update(content).digest('hex')]
}

function readContent(reader: ContentReader, sizeBytes: number): Buffer {
  const content = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; ) {
    const count = reader.read(content.subarray(at), at)
    if (count === 0) throw new Error('the file is shorter than its size')
    at += count
  }
  return content
}

function xattrsOf(view: TreeView, object: ViewObject): string[] {
  return [...(view.xattrs(object) ?? [])]
    .map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
    .toSorted()
}
