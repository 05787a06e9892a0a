// Calls on a FileSystem as data: made by fast-check or written in a table, performed on any of them, with outcomes that
// compare: an errno, or what the call answered without what differs from run to run (inode numbers, the present).

import { FsError } from '../../src/errors/index.ts'
import {
  type Credentials,
  type FileHandle,
  type FileSystem,
  fileTypeOf,
  type Stat,
  type TimeChange,
} from '../../src/fs/index.ts'

/** One call: who makes it, and its name with arguments. Calls on handles name a slot. */
export type FileSystemCall =
  | {
      readonly op: 'lstat' | 'stat' | 'readlink' | 'readdir' | 'unlink' | 'rmdir' | 'listxattr' | 'readFile'
      readonly path: string
    }
  | { readonly op: 'access' | 'mkdir' | 'chmod' | 'truncate'; readonly path: string; readonly number: number }
  | { readonly op: 'mknod'; readonly path: string; readonly mode: number; readonly rdev: number }
  | { readonly op: 'symlink' | 'link'; readonly existing: string; readonly path: string }
  | { readonly op: 'rename'; readonly path: string; readonly to: string; readonly flags: number }
  | { readonly op: 'chown' | 'lchown'; readonly path: string; readonly uid: number; readonly gid: number }
  | {
      readonly op: 'utimens'
      readonly path: string
      readonly atime: TimeChange
      readonly mtime: TimeChange
      readonly follow: boolean
    }
  | { readonly op: 'getxattr' | 'removexattr'; readonly path: string; readonly name: string }
  | {
      readonly op: 'setxattr'
      readonly path: string
      readonly name: string
      readonly value: Uint8Array
      readonly flags: number
    }
  | { readonly op: 'writeFile'; readonly path: string; readonly content: string }
  | { readonly op: 'open'; readonly slot: number; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly op: 'close' | 'fstat' | 'freaddir' | 'flistxattr' | 'getFlags'; readonly slot: number }
  | { readonly op: 'read' | 'fchmod' | 'ftruncate' | 'setFlags'; readonly slot: number; readonly number: number }
  | { readonly op: 'write'; readonly slot: number; readonly content: string; readonly position: number | undefined }
  | { readonly op: 'seek'; readonly slot: number; readonly offset: number; readonly whence: 'set' | 'current' | 'end' }
  | {
      readonly op: 'fallocate'
      readonly slot: number
      readonly mode: number
      readonly position: number
      readonly lengthBytes: number
    }
  | { readonly op: 'fchown'; readonly slot: number; readonly uid: number; readonly gid: number }
  | { readonly op: 'futimens'; readonly slot: number; readonly atime: TimeChange; readonly mtime: TimeChange }
  | { readonly op: 'fgetxattr' | 'fremovexattr'; readonly slot: number; readonly name: string }
  | {
      readonly op: 'fsetxattr'
      readonly slot: number
      readonly name: string
      readonly value: Uint8Array
      readonly flags: number
    }
  | { readonly op: 'linkAs'; readonly slot: number; readonly path: string }

/** A call and its caller. */
export type CallAs = { readonly as: Credentials; readonly call: FileSystemCall }

type Handles = Map<number, { readonly handle: FileHandle; readonly opener: Credentials }>

/** Performs calls one after the other; slots are shared by all callers. */
export class CallRunner {
  readonly #fs: FileSystem
  readonly #handles: Handles = new Map()

  constructor(fs: FileSystem) {
    this.#fs = fs
  }

  /** What came of the call: `ok …` or the errno. */
  run({ as, call }: CallAs): unknown {
    try {
      return { ok: perform(this.#fs.as(as), call, this.#handles) ?? null }
    } catch (error) {
      if (error instanceof FsError) return { errno: error.code }
      throw error
    }
  }

  close(): void {
    for (const { handle } of this.#handles.values()) handle.close()
    this.#handles.clear()
  }
}

function perform(fs: FileSystem, call: FileSystemCall, handles: Handles): unknown {
  if ('slot' in call) return call.op === 'open' ? openInto(fs, call, handles) : performOnHandle(call, handles)
  switch (call.op) {
    case 'lstat':
    case 'stat':
      return describeStat(fs[call.op](call.path))
    case 'readlink':
    case 'unlink':
    case 'rmdir':
    case 'listxattr':
      return fs[call.op](call.path)
    case 'readFile':
      return isSpecial(fs, call.path) ? 'special' : text(fs.readFile(call.path))
    case 'readdir':
      return fs.readdir(call.path).map(({ name, type }) => `${name} ${type}`)
    case 'access':
    case 'mkdir':
    case 'chmod':
    case 'truncate':
      return fs[call.op](call.path, call.number)
    case 'mknod':
      return fs.mknod(call.path, call.mode, call.rdev)
    case 'symlink':
    case 'link':
      return fs[call.op](call.existing, call.path)
    case 'rename':
      return fs.rename(call.path, call.to, { flags: call.flags })
    case 'chown':
    case 'lchown':
      return fs[call.op](call.path, call.uid, call.gid)
    case 'utimens':
      return fs.utimens(call.path, call)
    case 'getxattr':
      return [...fs.getxattr(call.path, call.name)]
    case 'removexattr':
      return fs.removexattr(call.path, call.name)
    case 'setxattr':
      return fs.setxattr(call.path, call.name, call.value, call.flags)
    case 'writeFile':
      return isSpecial(fs, call.path) ? 'special' : fs.writeFile(call.path, call.content)
    default:
      return call satisfies never
  }
}

function performOnHandle(
  call: Exclude<Extract<FileSystemCall, { slot: number }>, { op: 'open' }>,
  handles: Handles,
): unknown {
  const opened = handles.get(call.slot)
  if (opened === undefined) return 'no handle'
  const { handle, opener } = opened
  switch (call.op) {
    case 'close':
      handles.delete(call.slot)
      return handle.close()
    case 'fstat':
      return describeStat(handle.stat())
    case 'freaddir':
      return handle.readdir().map(({ name, type }) => `${name} ${type}`)
    case 'flistxattr':
      return handle.listxattr()
    case 'getFlags':
      return handle.getFlags()
    case 'read': {
      const target = new Uint8Array(call.number)
      return text(target.subarray(0, handle.read(target)))
    }
    case 'fchmod':
      return handle.chmod(call.number)
    case 'ftruncate':
      return handle.truncate(call.number)
    case 'setFlags':
      return handle.setFlags(call.number)
    case 'write':
      return handle.write(new TextEncoder().encode(call.content), call.position)
    case 'seek':
      // Where a directory stands after it was read is the file system's own numbering.
      return handle.inode.type === 'dir' ? 'not asked' : handle.seek(call.offset, call.whence)
    case 'fallocate':
      return handle.allocate(call.mode, call.position, call.lengthBytes)
    case 'fchown':
      return handle.chown(call.uid, call.gid)
    case 'futimens':
      return handle.utimens(call)
    case 'fgetxattr':
      return [...handle.getxattr(call.name)]
    case 'fremovexattr':
      return handle.removexattr(call.name)
    case 'fsetxattr':
      return handle.setxattr(call.name, call.value, call.flags)
    case 'linkAs':
      // Without /proc the kernel lets only this very process or a capable one do it, and a KernelFs is another each time.
      return opener.capable ? handle.linkAs(call.path) : 'not asked'
    default:
      return call satisfies never
  }
}

function openInto(fs: FileSystem, call: Extract<FileSystemCall, { op: 'open' }>, handles: Handles): unknown {
  // A FIFO would wait for its other end, a device is not the file system's.
  if (isSpecial(fs, call.path)) return 'special'
  const handle = fs.open(call.path, call.flags, call.mode)
  handles.get(call.slot)?.handle.close()
  handles.set(call.slot, { handle, opener: fs.caller })
  return null
}

function isSpecial(fs: FileSystem, path: string): boolean {
  try {
    const type = fileTypeOf(fs.as({ ...fs.caller, capable: true }).stat(path).mode)
    return type === 'fifo' || type === 'char' || type === 'block'
  } catch (error) {
    if (error instanceof FsError) return false
    throw error
  }
}

function describeStat(stat: Stat): unknown {
  const { mode, nlink, uid, gid, rdev, sizeBytes } = stat
  return {
    mode: mode.toString(8),
    nlink,
    uid,
    gid,
    rdev,
    sizeBytes,
    times: describeTimes(stat),
  }
}

/** The times of an object, as far as they were set by a test. */
export function describeTimes({ atimeNs, mtimeNs }: Stat): readonly string[] {
  return [describeTime(atimeNs), describeTime(mtimeNs)]
}

/** The present is not the same twice; tests that set times set them to the first years after 1970. */
function describeTime(timeNs: bigint): string {
  return timeNs > 10n ** 18n ? 'now' : timeNs.toString()
}

function text(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes)
}
