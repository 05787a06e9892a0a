// The canonical listing of a tree: what two file systems, or an emulator and a kernel, must agree on, and nothing that
// they may differ in (access and change times, numbers of inodes and devices, block counts).
import { FsError } from '../../errors/index.ts'
import { comparePaths, joinPath } from '../../path/index.ts'
import type { FileHandle, FileSystem } from '../file-system.ts'
import { O_NOFOLLOW, O_RDONLY } from '../flags.ts'
import { fileTypeOf, majorOf, minorOf } from '../mode.ts'
import type { Stat } from '../stat.ts'
import { type BytesJson, bytesToJson } from './bytes.ts'
import { Sha256 } from './sha256.ts'
import type { ListedNode, TreeListing } from './tree.ts'

/** What a listing holds besides the usual. */
export type ReadTreeOptions = {
  /**
   * Which modification times are listed; by default all. Times that a run made itself are not comparable: list those
   * before it began.
   */
  readonly mtime?: boolean | ((mtimeNs: bigint) => boolean)
  /** With overlayfs' bookkeeping as it is: values of origin and uuid, and the attributes impure and nlink. */
  readonly exact?: boolean
}

const longestContentBytes = 4096
const chunkBytes = 256 * 1024
/** What stands for a value that differs from run to run. */
const anyValue = '*'
// Labels and checksums that a security module of the machine adds by itself.
const foreignXattrs = ['security.selinux', 'security.ima', 'security.evm']

/** The tree below the directory `path`, which is the key "". Errors: those of reading that directory. */
export function readTree(fs: FileSystem, path: string, options: ReadTreeOptions = {}): TreeListing {
  const nodes: [string, ListedNode][] = []
  const reader: Reader = { fs, options, nodes, directories: [{ key: '', at: path }], digests: new Map() }
  nodes.push(['', describe(reader, path, fs.stat(path))])
  fs.readdir(path)
  for (let next = reader.directories.pop(); next !== undefined; next = reader.directories.pop()) {
    listDirectory(reader, next)
  }
  // Not by assignment: a file can be called "__proto__".
  return Object.fromEntries(nodes.toSorted(([a], [b]) => comparePaths(a, b)))
}

type Place = { readonly key: string; readonly at: string }
type Reader = {
  readonly fs: FileSystem
  readonly options: ReadTreeOptions
  readonly nodes: [string, ListedNode][]
  /** Still to be listed. */
  readonly directories: Place[]
  /** Of files with several names, which are read once. */
  readonly digests: Map<string, string>
}

function listDirectory(reader: Reader, { key, at }: Place): void {
  const entries = answer(() => reader.fs.readdir(at))
  if (entries instanceof FsError) {
    const own = reader.nodes.findIndex(([name]) => name === key)
    reader.nodes[own] = [key, { ...reader.nodes[own]?.[1], errno: entries.code }]
    return
  }
  // Looking at names can decide what they stand for (two redirects to one object): always in the same order.
  for (const name of entries.map(entry => entry.name).toSorted(comparePaths)) {
    listName(reader, { key: joinPath(key, name), at: at.endsWith('/') ? at + name : `${at}/${name}` })
  }
}

function listName(reader: Reader, place: Place): void {
  const stat = answer(() => reader.fs.lstat(place.at))
  if (stat instanceof FsError) {
    reader.nodes.push([place.key, { errno: stat.code }])
    return
  }
  reader.nodes.push([place.key, describe(reader, place.at, stat)])
  if (fileTypeOf(stat.mode) === 'dir') reader.directories.push(place)
}

function describe(reader: Reader, at: string, stat: Stat): ListedNode {
  const type = fileTypeOf(stat.mode)
  if (type === 'char' && stat.rdev === 0) return { type: 'whiteout' }
  return {
    type,
    ...(type !== 'symlink' && { mode: (stat.mode & 0o7777).toString(8).padStart(4, '0') }),
    uid: stat.uid,
    gid: stat.gid,
    ...(isListed(stat.mtimeNs, reader.options) && { mtime: timeText(stat.mtimeNs) }),
    ...(type === 'file' && contentOf(reader, at, stat)),
    ...(type === 'symlink' && targetOf(reader.fs, at)),
    ...((type === 'char' || type === 'block') && { rdev: `${majorOf(stat.rdev)}:${minorOf(stat.rdev)}` }),
    ...(type !== 'dir' && { nlink: stat.nlink }),
    ...xattrsOf(reader, at),
  }
}

function isListed(mtimeNs: bigint, { mtime = true }: ReadTreeOptions): boolean {
  return typeof mtime === 'boolean' ? mtime : mtime(mtimeNs)
}

/** "SECONDS", or with nine digits behind the point. */
function timeText(ns: bigint): string {
  const sign = ns < 0n ? '-' : ''
  const size = ns < 0n ? -ns : ns
  const part = size % 1_000_000_000n
  const seconds = `${sign}${size / 1_000_000_000n}`
  return part === 0n ? seconds : `${seconds}.${part.toString().padStart(9, '0')}`
}

function contentOf({ fs, digests }: Reader, at: string, { sizeBytes, nlink, dev, ino }: Stat): ListedNode {
  const size = { size: sizeBytes }
  const identity = `${dev}:${ino}`
  const known = digests.get(identity)
  if (known !== undefined) return { ...size, sha256: known }
  const content = answer(() => readContent(fs, at, sizeBytes))
  if (nlink > 1 && 'sha256' in content && content.sha256 !== undefined) digests.set(identity, content.sha256)
  if (content instanceof FsError) return { ...size, errno: content.code }
  return { ...size, ...content }
}

function readContent(fs: FileSystem, at: string, sizeBytes: number): ListedNode {
  const file = fs.open(at, O_RDONLY | O_NOFOLLOW)
  try {
    if (sizeBytes > longestContentBytes) return { sha256: digestOf(file) }
    const bytes = new Uint8Array(sizeBytes)
    const json = bytesToJson(bytes.subarray(0, fill(file, bytes, 0)))
    return typeof json === 'string' ? { content: json } : json
  } finally {
    file.close()
  }
}

function digestOf(file: FileHandle): string {
  const hash = new Sha256()
  const chunk = new Uint8Array(chunkBytes)
  for (let at = 0; ; ) {
    const length = fill(file, chunk, at)
    hash.update(chunk.subarray(0, length))
    at += length
    if (length < chunkBytes) return hash.hex()
  }
}

function fill(file: FileHandle, target: Uint8Array, position: number): number {
  let at = 0
  while (at < target.length) {
    const length = file.read(at === 0 ? target : target.subarray(at), position + at)
    if (length === 0) break
    at += length
  }
  return at
}

function targetOf(fs: FileSystem, at: string): ListedNode {
  const target = answer(() => fs.readlink(at))
  return target instanceof FsError ? { errno: target.code } : { target }
}

function xattrsOf({ fs, options }: Reader, at: string): ListedNode {
  // Some kinds of objects, and some file systems, have none.
  const names = answer(() => fs.listxattr(at))
  if (names instanceof FsError) return names.code === 'EOPNOTSUPP' ? {} : { errno: names.code }
  const listed: [string, BytesJson][] = []
  for (const name of names.toSorted(comparePaths)) {
    const value = xattrJson(name, options, () => bytesToJson(valueOf(fs, at, name)))
    if (value !== null) listed.push([name, value])
  }
  return listed.length === 0 ? {} : { xattrs: Object.fromEntries(listed) }
}

/** The kernel takes a capability of no bytes, and then does not want to read it. */
function valueOf(fs: FileSystem, at: string, name: string): Uint8Array {
  const value = answer(() => fs.getxattr(at, name))
  if (!(value instanceof FsError)) return value
  if (value.code === 'EINVAL' && name === 'security.capability') return new Uint8Array(0)
  throw value
}

/** Null: left out. */
function xattrJson(name: string, { exact = false }: ReadTreeOptions, read: () => BytesJson): BytesJson | null {
  if (exact) return read()
  if (foreignXattrs.includes(name)) return null
  const [, mark] = /^(?:trusted|user)\.overlay\.(.*)$/s.exec(name) ?? []
  if (mark === 'impure' || mark === 'nlink') return null
  // An empty origin is worth telling from one: it stands for "unknown".
  if (mark === 'origin' || mark === 'uuid') return read() === '' ? '' : anyValue
  return read()
}

/** What a file system answers, be it a refusal. */
function answer<T>(ask: () => T): T | FsError {
  try {
    return ask()
  } catch (error) {
    if (error instanceof FsError) return error
    throw error
  }
}
