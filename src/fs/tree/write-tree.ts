// Builds a tree literal on a file system. All objects first, then attributes, the deepest directories first: a setgid
// bit, a default ACL or a missing write permission of a directory must not decide about what is made in it, and making
// entries changes its times.
import { isErrno } from '../../errors/index.ts'
import { encodeName, parentPath } from '../../path/index.ts'
import type { FileHandle, FileSystem } from '../file-system.ts'
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from '../flags.ts'
import { typeBitsOf } from '../mode.ts'
import type { ParsedNode } from './parse-node.ts'
import { type ParsedTree, planTree } from './parse-tree.ts'
import type { Tree } from './tree.ts'

/** How overlayfs' own marks are spelled. */
export type WriteTreeOptions = {
  /** "user" for overlays mounted with userxattr; by default "trusted". */
  readonly xattrPrefix?: 'trusted' | 'user'
}

const defaultDirectoryMode = 0o755
const defaultFileMode = 0o644

/**
 * Makes the nodes of a tree in the directory `path`, which is made when it does not exist. Directories that exist
 * are taken, with the attributes that the tree gives them. Errors: BAD_SCENARIO; FsErrors, EEXIST where a name is taken.
 */
export function writeTree(fs: FileSystem, path: string, tree: Tree, options: WriteTreeOptions = {}): void {
  const plan = planTree(tree)
  const writer = { fs: fs.as({ ...fs.caller, umask: 0 }), base: path, prefix: options.xattrPrefix ?? 'trusted' }
  const made = new Set<string>()
  makeDirectory(writer, '')
  for (const [key, node] of plan) {
    makeParents(writer, key, made)
    makeObject(writer, key, node)
  }
  markParents(writer, plan)
  for (const [key, node] of [...plan].toSorted(([a], [b]) => depthOf(b) - depthOf(a))) {
    if (node.link === undefined) applyAttributes(writer, key, node)
  }
}

type Writer = { readonly fs: FileSystem; readonly base: string; readonly prefix: 'trusted' | 'user' }

function place({ base }: Writer, key: string): string {
  if (key === '') return base
  return base.endsWith('/') || base === '' ? base + key : `${base}/${key}`
}

function depthOf(path: string): number {
  return path === '' ? 0 : path.split('/').length
}

function makeParents(writer: Writer, key: string, made: Set<string>): void {
  const missing: string[] = []
  for (let path = parentPath(key); path !== '' && !made.has(path); path = parentPath(path)) missing.push(path)
  for (const path of missing.toReversed()) {
    made.add(path)
    makeDirectory(writer, path)
  }
}

function makeDirectory(writer: Writer, key: string): void {
  try {
    writer.fs.mkdir(place(writer, key), defaultDirectoryMode)
  } catch (error) {
    if (!isErrno(error, 'EEXIST', 'EISDIR') || !isDirectory(writer, key)) throw error
  }
}

function isDirectory(writer: Writer, key: string): boolean {
  return (writer.fs.stat(place(writer, key)).mode & typeBitsOf('dir')) === typeBitsOf('dir')
}

function makeObject(writer: Writer, key: string, node: ParsedNode): void {
  const { fs } = writer
  const at = place(writer, key)
  if (node.link !== undefined) fs.link(place(writer, node.link), at)
  else if (node.type === 'dir') makeDirectory(writer, key)
  else if (node.type === 'symlink') fs.symlink(node.target, at)
  else if (node.type === 'whiteout') fs.mknod(at, typeBitsOf('char'), 0)
  else if (node.type === 'file' || node.type === 'xwhiteout') makeFile(fs, at, node)
  else fs.mknod(at, typeBitsOf(node.type) | defaultFileMode, node.rdev)
}

function makeFile(fs: FileSystem, at: string, node: ParsedNode): void {
  const file = fs.open(at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, defaultFileMode)
  try {
    writeAll(file, node.content)
    if (node.sizeBytes !== undefined && node.sizeBytes !== node.content.length) file.truncate(node.sizeBytes)
  } finally {
    file.close()
  }
}

function writeAll(file: FileHandle, content: Uint8Array): void {
  let at = 0
  while (at < content.length) at += file.write(at === 0 ? content : content.subarray(at), at)
}

/** A directory with xwhiteouts says so, or readdir of an overlay does not look for them (rule 56). */
function markParents(writer: Writer, plan: ParsedTree): void {
  for (const [key, node] of plan) {
    if (node.type !== 'xwhiteout') continue
    setOverlayXattr(writer, key, { name: 'whiteout', value: 'y' })
    const parent = parentPath(key)
    if (plan.get(parent)?.opaque !== true) setOverlayXattr(writer, parent, { name: 'opaque', value: 'x' })
  }
}

function setOverlayXattr(writer: Writer, key: string, xattr: { readonly name: string; readonly value: string }): void {
  writer.fs.setxattr(place(writer, key), `${writer.prefix}.overlay.${xattr.name}`, encodeName(xattr.value))
}

/** Owner before attributes and mode: a change of owner takes capabilities and set-user-ID bits away. */
function applyAttributes(writer: Writer, key: string, node: ParsedNode): void {
  const { fs } = writer
  const at = place(writer, key)
  if (node.uid !== undefined || node.gid !== undefined) fs.lchown(at, node.uid ?? -1, node.gid ?? -1)
  if (node.opaque) setOverlayXattr(writer, key, { name: 'opaque', value: 'y' })
  for (const [name, value] of node.xattrs) fs.setxattr(at, name, value)
  const mode = modeOf(key, node)
  if (mode !== undefined) fs.chmod(at, mode)
  if (node.mtimeNs !== undefined) fs.utimens(at, { atime: 'omit', mtime: node.mtimeNs, follow: false })
}

/** Undefined: there is none to set, or (the root) it stays as it is. */
function modeOf(key: string, node: ParsedNode): number | undefined {
  if (node.type === 'symlink') return undefined
  if (node.mode !== undefined) return node.mode
  if (node.type === 'whiteout') return undefined
  if (node.type === 'dir') return key === '' ? undefined : defaultDirectoryMode
  return defaultFileMode
}
