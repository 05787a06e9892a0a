// A file system as programs for Node.js know one: with the calls of node:fs.
import * as nodeFs from 'node:fs'
import type { FileSystem } from '../fs/index.ts'
import { type Options, toPath } from './arguments.ts'
import { changeCalls } from './change.ts'
import { constants } from './constants.ts'
import { contentCalls } from './contents.ts'
import { copy } from './copy.ts'
import { Descriptors } from './descriptors.ts'
import { NodeDirent } from './directory.ts'
import { type Call, promising, syncAndCallback } from './faces.ts'
import { NodeFileHandle } from './file-handle.ts'
import { lookCalls } from './look.ts'
import { calling, nodeError } from './node-error.ts'
import { notWatched, openedCalls } from './opened.ts'
import { realPath } from './real-path.ts'
import { NodeStats } from './stats.ts'

type Both =
  | 'access'
  | 'appendFile'
  | 'chmod'
  | 'chown'
  | 'close'
  | 'copyFile'
  | 'cp'
  | 'exists'
  | 'fchmod'
  | 'fchown'
  | 'fdatasync'
  | 'fstat'
  | 'fsync'
  | 'ftruncate'
  | 'futimes'
  | 'lchown'
  | 'link'
  | 'lstat'
  | 'lutimes'
  | 'mkdir'
  | 'mkdtemp'
  | 'open'
  | 'opendir'
  | 'read'
  | 'readFile'
  | 'readdir'
  | 'readlink'
  | 'readv'
  | 'realpath'
  | 'rename'
  | 'rm'
  | 'rmdir'
  | 'stat'
  | 'statfs'
  | 'symlink'
  | 'truncate'
  | 'unlink'
  | 'utimes'
  | 'write'
  | 'writeFile'
  | 'writev'
type Promised = Exclude<
  Both,
  | 'close'
  | 'exists'
  | 'read'
  | 'readv'
  | 'write'
  | 'writev'
  | `f${'chmod' | 'chown' | 'datasync' | 'stat' | 'sync' | 'truncate' | 'utimes'}`
>

/** The part of node:fs that `asNodeFs` gives, with its types. */
export type NodeFs = Pick<
  typeof nodeFs,
  Both | `${Both}Sync` | 'createReadStream' | 'createWriteStream' | 'watch' | 'watchFile' | 'unwatchFile'
> & {
  readonly promises: Pick<typeof nodeFs.promises, Promised>
  readonly constants: typeof constants
}

/**
 * A file system with the calls of node:fs: synchronous, with callbacks, as promises, streams, errors as node words
 * them. Relative paths start at the root. Flags are numbers of Linux: take them from its own `constants`. Names that
 * are no UTF-8 come byte-exact, with lone surrogates, or as Buffers. `watch` throws: nothing tells of changes.
 */
export function asNodeFs(fs: FileSystem): NodeFs {
  const descriptors = new Descriptors()
  const calls = {
    ...lookCalls(fs),
    ...changeCalls(fs),
    ...contentCalls(fs, descriptors),
    ...openedCalls(fs, descriptors),
    cp: (source: unknown, target: unknown, options?: Options) => copy(fs, source, target, options),
  } as unknown as { readonly [name: string]: Call }
  const native = nativeRealPath(fs)
  const face: { [name: string]: unknown } = syncAndCallback(calls)
  const nativeFace = syncAndCallback({ native })
  Object.assign(face['realpathSync'] as object, { native: nativeFace['nativeSync'] })
  Object.assign(face['realpath'] as object, { native: nativeFace['native'] })
  Object.assign(face, streams(face), {
    constants,
    Stats: NodeStats,
    Dirent: NodeDirent,
    watch: notWatched,
    watchFile: notWatched,
    unwatchFile: () => undefined,
    promises: promises({ ...calls, realpath: native }, face),
  })
  return face as unknown as NodeFs
}

/** realpath(3) itself names the whole path in its errors. */
function nativeRealPath(fs: FileSystem): Call {
  return path => {
    const at = toPath(path)
    try {
      return realPath(fs, at, { lexical: false })
    } catch {
      return calling({ syscall: 'realpath', path: at }, () => {
        fs.stat(at)
        throw nodeError('EACCES', { syscall: 'realpath', path: at })
      })
    }
  }
}

function optionsOf(options: unknown): object {
  return typeof options === 'string' ? { encoding: options } : Object(options)
}

/** Node's own streams, over these calls. */
function streams(face: object): object {
  return {
    createReadStream: (path: nodeFs.PathLike, options?: unknown) =>
      nodeFs.createReadStream(path, { ...optionsOf(options), fs: face } as object),
    createWriteStream: (path: nodeFs.PathLike, options?: unknown) =>
      nodeFs.createWriteStream(path, { ...optionsOf(options), fs: face } as object),
  }
}

/** fs.promises: contents may come from a stream, and what is opened is an object. */
function promises(calls: { readonly [name: string]: Call }, face: object): object {
  const store = (name: 'writeFile' | 'appendFile') => async (file: unknown, data: unknown, options?: unknown) =>
    (calls[name] as Call)(fileOf(file), await collected(data), options)
  return {
    ...promising(calls),
    constants,
    readFile: async (file: unknown, options?: unknown) => (calls['readFile'] as Call)(fileOf(file), options),
    writeFile: store('writeFile'),
    appendFile: store('appendFile'),
    open: async (...given: readonly unknown[]) =>
      new NodeFileHandle((calls['open'] as Call)(...given) as number, calls, face),
  }
}

function fileOf(file: unknown): unknown {
  return file instanceof NodeFileHandle ? file.fd : file
}

/** The bytes of a stream or another iterable; anything else as it is. */
async function collected(data: unknown): Promise<unknown> {
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return data
  if (!(Symbol.asyncIterator in data || Symbol.iterator in data)) return data
  const chunks: Uint8Array[] = []
  for await (const chunk of data as AsyncIterable<string | Uint8Array>) chunks.push(Buffer.from(chunk as string))
  return Buffer.concat(chunks)
}
