// Operations of case tables and of random trees, made on any FileSystem.

import { type FileSystem, fileTypeOf, S_IFSOCK } from '../../src/fs/index.ts'

/** An operation as cases/upstream.json has it. */
export type TreeOp =
  | { readonly op: 'write'; readonly path: string; readonly content: string; readonly mode: string }
  | { readonly op: 'mkdirAll'; readonly path: string; readonly mode: string }
  | { readonly op: 'link'; readonly from: string; readonly path: string }
  | { readonly op: 'rename'; readonly from: string; readonly path: string }
  | { readonly op: 'remove' | 'removeAll'; readonly path: string }
  | { readonly op: 'chmod' | 'socket'; readonly path: string; readonly mode: string }
  | { readonly op: 'symlink'; readonly target: string; readonly path: string }
  | { readonly op: 'mtime'; readonly path: string; readonly time: string }
  | { readonly op: 'lutimes'; readonly path: string; readonly atime: string; readonly mtime: string }

/** Makes the operations in their order, as the programs do whose tests they are from. */
export function applyOps(fs: FileSystem, ops: readonly TreeOp[]): void {
  for (const op of ops) applyOp(fs, op)
}

function applyOp(fs: FileSystem, op: TreeOp): void {
  switch (op.op) {
    case 'write':
      // Go's WriteFile: the mode counts for a new file; then chmod, as the helpers of those tests do.
      fs.writeFile(op.path, op.content, 0o600)
      return fs.chmod(op.path, modeOf(op.mode))
    case 'mkdirAll':
      return makeDirectories(fs, op.path, modeOf(op.mode))
    case 'link':
      return fs.link(op.from, op.path)
    case 'rename':
      return fs.rename(op.from, op.path)
    case 'remove':
      return isDirectory(fs, op.path) ? fs.rmdir(op.path) : fs.unlink(op.path)
    case 'removeAll':
      return removeAll(fs, op.path)
    case 'chmod':
      return fs.chmod(op.path, modeOf(op.mode))
    case 'socket':
      return fs.mknod(op.path, S_IFSOCK | modeOf(op.mode))
    case 'symlink':
      return fs.symlink(op.target, op.path)
    case 'mtime':
      return fs.utimens(op.path, { atime: 'omit', mtime: timeOf(op.time), follow: false })
    case 'lutimes':
      return fs.utimens(op.path, { atime: timeOf(op.atime), mtime: timeOf(op.mtime), follow: false })
  }
}

/** Removes a tree; nothing when there is none. */
export function removeAll(fs: FileSystem, path: string): void {
  if (!exists(fs, path)) return
  if (!isDirectory(fs, path)) return fs.unlink(path)
  for (const { name } of fs.readdir(path)) removeAll(fs, `${path}/${name}`)
  fs.rmdir(path)
}

function makeDirectories(fs: FileSystem, path: string, mode: number): void {
  const names = path.split('/').filter(name => name !== '')
  for (let count = 1; count <= names.length; count++) {
    const directory = `/${names.slice(0, count).join('/')}`
    if (exists(fs, directory)) continue
    fs.mkdir(directory, mode)
    fs.chmod(directory, mode)
  }
}

/** "T", "T+5ns", "now+1s", or seconds with nanoseconds. T is a whole second. */
function timeOf(text: string): bigint {
  const [seconds, fraction] = /^\d/.test(text) ? text.split('.') : []
  if (seconds !== undefined) return BigInt(seconds) * 1_000_000_000n + BigInt(fraction ?? 0)
  const base = text.startsWith('now') ? BigInt(Date.now()) * 1_000_000n : 1_600_000_000_000_000_000n
  const offset = /\+(\d+)(ns|s)$/.exec(text)
  if (offset === null) return base
  return base + BigInt(offset[1] ?? 0) * (offset[2] === 's' ? 1_000_000_000n : 1n)
}

function modeOf(octal: string): number {
  return Number.parseInt(octal, 8)
}

function exists(fs: FileSystem, path: string): boolean {
  try {
    fs.lstat(path)
    return true
  } catch {
    return false // whatever the reason, there is nothing to remove or to keep
  }
}

function isDirectory(fs: FileSystem, path: string): boolean {
  return fileTypeOf(fs.lstat(path).mode) === 'dir'
}
