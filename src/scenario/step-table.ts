// What each step does: the operations of a scenario on any file system.
import { FsError, type Json } from '../errors/index.ts'
import { bytesToJson, type FileHandle, type FileSystem, O_APPEND, O_WRONLY } from '../fs/index.ts'
import { comparePaths } from '../path/index.ts'
import type { StatLabels } from './stat-json.ts'
import * as kind from './step-arguments.ts'
import type { ArgumentKind } from './step-arguments.ts'

/** Where a step runs. */
export type StepContext = {
  /** As the step's caller. */
  readonly fs: FileSystem
  /** The open files of the run, by their names. */
  readonly handles: Map<string, FileHandle>
  readonly labels: StatLabels
  /** readdir: keep the order of the file system. */
  readonly order: boolean
  /** Unmounts and mounts again. */
  readonly remount: () => void
}

/** An operation: its arguments, and what it answers (null: nothing). */
export type Operation = {
  readonly args: readonly ArgumentKind<unknown>[]
  readonly run: (context: StepContext, values: readonly unknown[]) => Json
}

/** Every operation, by its name. */
export const stepTable: ReadonlyMap<string, Operation> = new Map(
  Object.entries({ ...asking(), ...openFiles(), ...wholeFiles(), ...making(), ...changing(), ...attributes() }),
)

type Values<Args extends readonly unknown[]> = { [K in keyof Args]: Args[K] extends ArgumentKind<infer T> ? T : never }

function operation<const Args extends readonly ArgumentKind<never>[] | readonly ArgumentKind<unknown>[]>(
  args: Args,
  run: (context: StepContext, ...values: Values<Args>) => Json | void,
): Operation {
  return { args, run: (context, values) => run(context, ...(values as Values<Args>)) ?? null }
}

function asking(): { readonly [name: string]: Operation } {
  return {
    lstat: operation([kind.path], ({ fs, labels }, path) => labels.toJson(fs.lstat(path))),
    stat: operation([kind.path], ({ fs, labels }, path) => labels.toJson(fs.stat(path))),
    readlink: operation([kind.path], ({ fs }, path) => fs.readlink(path)),
    readdir: operation([kind.path], ({ fs, order }, path) => {
      const names = fs.readdir(path).map(({ name }) => name)
      return order ? names : names.toSorted(comparePaths)
    }),
    listxattr: operation([kind.path], ({ fs }, path) => fs.listxattr(path).toSorted(comparePaths)),
    statfs: operation([kind.path], ({ fs }, path) => {
      const { type, nameMax, readOnly } = fs.statfs(path)
      return { type: `0x${type.toString(16)}`, nameMax, readOnly }
    }),
    remount: operation([], ({ remount }) => remount()),
  }
}

function openFiles(): { readonly [name: string]: Operation } {
  return {
    open: operation(
      [kind.handle, kind.path, kind.openFlags, kind.optional(kind.mode, 0o666)],
      ({ fs, handles }, name, path, flags, mode) => {
        handles.get(name)?.close()
        handles.delete(name)
        handles.set(name, fs.open(path, flags, mode))
      },
    ),
    pread: operation([kind.handle, kind.offset, kind.length], (context, name, offset, length) => {
      const space = new Uint8Array(length)
      return bytesToJson(space.subarray(0, opened(context, name).read(space, offset)))
    }),
    pwrite: operation([kind.handle, kind.offset, kind.content], (context, name, offset, bytes) => {
      opened(context, name).write(bytes, offset)
    }),
    fstat: operation([kind.handle], (context, name) => context.labels.toJson(opened(context, name).stat())),
    ftruncate: operation([kind.handle, kind.size], (context, name, size) => opened(context, name).truncate(size)),
    fchmod: operation([kind.handle, kind.mode], (context, name, mode) => opened(context, name).chmod(mode)),
    fsync: operation([kind.handle], (context, name) => opened(context, name).sync()),
    close: operation([kind.handle], (context, name) => {
      opened(context, name).close()
      context.handles.delete(name)
    }),
  }
}

/** For the caller of the step, whoever opened it. */
function opened({ fs, handles }: StepContext, name: string): FileHandle {
  const handle = handles.get(name)
  if (handle === undefined) throw new FsError('EBADF', 'fcntl')
  return handle.as(fs.caller)
}

function wholeFiles(): { readonly [name: string]: Operation } {
  return {
    read: operation([kind.path], ({ fs }, path) => bytesToJson(fs.readFile(path))),
    write: operation([kind.path, kind.content], ({ fs }, path, bytes) => fs.writeFile(path, bytes, 0o644)),
    append: operation([kind.path, kind.content], ({ fs }, path, bytes) => {
      const handle = fs.open(path, O_WRONLY | O_APPEND)
      try {
        handle.write(bytes)
      } finally {
        handle.close()
      }
    }),
  }
}

function making(): { readonly [name: string]: Operation } {
  return {
    mkdir: operation([kind.path, kind.mode], ({ fs }, path, mode) => fs.mkdir(path, mode)),
    mknod: operation(
      [kind.path, kind.nodeType, kind.mode, kind.optional(kind.rdev, 0)],
      ({ fs }, path, type, mode, rdev) => fs.mknod(path, type | mode, rdev),
    ),
    symlink: operation([kind.target, kind.path], ({ fs }, target, path) => fs.symlink(target, path)),
    link: operation([kind.path, kind.path], ({ fs }, existing, path) => fs.link(existing, path)),
    unlink: operation([kind.path], ({ fs }, path) => fs.unlink(path)),
    rmdir: operation([kind.path], ({ fs }, path) => fs.rmdir(path)),
    rename: operation([kind.path, kind.path, kind.optional(kind.renameFlags, 0)], ({ fs }, from, to, flags) =>
      fs.rename(from, to, { flags }),
    ),
  }
}

function changing(): { readonly [name: string]: Operation } {
  return {
    chmod: operation([kind.path, kind.mode], ({ fs }, path, mode) => fs.chmod(path, mode)),
    chown: operation([kind.path, kind.uid, kind.gid], ({ fs }, path, uid, gid) => fs.chown(path, uid, gid)),
    lchown: operation([kind.path, kind.uid, kind.gid], ({ fs }, path, uid, gid) => fs.lchown(path, uid, gid)),
    truncate: operation([kind.path, kind.size], ({ fs }, path, size) => fs.truncate(path, size)),
    utimens: operation([kind.path, kind.time, kind.time], ({ fs }, path, atime, mtime) =>
      fs.utimens(path, { atime, mtime }),
    ),
  }
}

function attributes(): { readonly [name: string]: Operation } {
  return {
    getxattr: operation([kind.path, kind.attribute], ({ fs }, path, name) => bytesToJson(fs.getxattr(path, name))),
    setxattr: operation(
      [kind.path, kind.attribute, kind.content, kind.optional(kind.xattrFlags, 0)],
      ({ fs }, path, name, value, flags) => fs.setxattr(path, name, value, flags),
    ),
    removexattr: operation([kind.path, kind.attribute], ({ fs }, path, name) => fs.removexattr(path, name)),
  }
}
