// Calls of node:fs with a file descriptor.
import type { FileSystem } from '../fs/index.ts'
import { option, type Options, toBytes, toFlags, toMode, toNanoseconds, toPath } from './arguments.ts'
import type { Descriptors } from './descriptors.ts'
import { calling, ownError } from './node-error.ts'
import { toStats } from './stats.ts'

/** Synchronous, as node:fs names them. */
export function openedCalls(fs: FileSystem, descriptors: Descriptors) {
  const sync = (fd: unknown): void => calling({ syscall: 'fsync' }, () => descriptors.get(fd, 'fsync').sync())
  return {
    open: (path: unknown, flags?: unknown, mode?: unknown) => {
      const [at, bits, permissions] = [toPath(path), toFlags(flags, 'r'), toMode(mode, 0o666)]
      return descriptors.add(calling({ syscall: 'open', path: at }, () => fs.open(at, bits, permissions)))
    },
    close: (fd: unknown) => calling({ syscall: 'close' }, () => descriptors.close(fd)),
    fstat: (fd: unknown, options?: Options) => {
      const stat = calling({ syscall: 'fstat' }, () => descriptors.get(fd, 'fstat').stat())
      return toStats(stat, option(options, 'bigint') === true)
    },
    ftruncate: (fd: unknown, length?: number | null) =>
      calling({ syscall: 'ftruncate' }, () => descriptors.get(fd, 'ftruncate').truncate(Math.max(0, length ?? 0))),
    fsync: sync,
    fdatasync: sync,
    fchmod: (fd: unknown, mode: unknown) =>
      calling({ syscall: 'fchmod' }, () => descriptors.get(fd, 'fchmod').chmod(toMode(mode))),
    fchown: (fd: unknown, uid: number, gid: number) =>
      calling({ syscall: 'fchown' }, () => descriptors.get(fd, 'fchown').chown(uid, gid)),
    futimes: (fd: unknown, atime: unknown, mtime: unknown) => {
      const times = { atime: toNanoseconds(atime), mtime: toNanoseconds(mtime) }
      calling({ syscall: 'futime' }, () => descriptors.get(fd, 'futime').utimens(times))
    },
    ...transferCalls(descriptors),
  }
}

/** One buffer or several, at a position or at the file's own. */
function transferCalls(descriptors: Descriptors) {
  const read = (fd: unknown, buffer: unknown, ...where: readonly unknown[]): number => {
    const { bytes, position } = part(toBytes(buffer), where)
    return calling({ syscall: 'read' }, () => descriptors.get(fd, 'read').read(bytes, position))
  }
  const write = (fd: unknown, data: unknown, ...where: readonly unknown[]): number => {
    const { bytes, position } = typeof data === 'string' ? text(data, where) : part(toBytes(data), where)
    return calling({ syscall: 'write' }, () => descriptors.get(fd, 'write').write(bytes, position))
  }
  return {
    read,
    write,
    readv: (fd: unknown, buffers: readonly unknown[], position?: unknown) =>
      eachOf(buffers, position, (buffer, at) => read(fd, buffer, { position: at })),
    writev: (fd: unknown, buffers: readonly unknown[], position?: unknown) =>
      eachOf(buffers, position, (buffer, at) => write(fd, buffer, { position: at })),
  }
}

type Part = { readonly bytes: Uint8Array; readonly position: number | undefined }

/** offset, length, position; or an object of them. */
function part(whole: Uint8Array, where: readonly unknown[]): Part {
  const [first] = where
  const named =
    typeof first === 'object' && first !== null ? (first as Exclude<Options, string | null | undefined>) : null
  const [offset, length, position] = named === null ? where : [named['offset'], named['length'], named['position']]
  const from = typeof offset === 'number' ? offset : 0
  const count = typeof length === 'number' ? length : whole.length - from
  if (from < 0 || count < 0 || from + count > whole.length) {
    const fact = `The value of "${from < 0 || from > whole.length ? 'offset' : 'length'}" is out of range.`
    throw Object.assign(new RangeError(fact), { code: 'ERR_OUT_OF_RANGE' })
  }
  return { bytes: whole.subarray(from, from + count), position: placeOf(position) }
}

/** position, encoding */
function text(data: string, [position, encoding]: readonly unknown[]): Part {
  return { bytes: toBytes(data, encoding ?? undefined), position: placeOf(position) }
}

/** Undefined: the file's own position. */
function placeOf(position: unknown): number | undefined {
  if (typeof position === 'bigint') return placeOf(Number(position))
  return typeof position === 'number' && position >= 0 ? position : undefined
}

function eachOf(
  buffers: readonly unknown[],
  position: unknown,
  transfer: (buffer: unknown, position: number | undefined) => number,
): number {
  const start = placeOf(position)
  let total = 0
  for (const buffer of buffers) {
    const count = transfer(buffer, start === undefined ? undefined : start + total)
    total += count
    if (count < toBytes(buffer).length) break
  }
  return total
}

/** What cannot be had: changes that nobody tells of. */
export function notWatched(): never {
  throw ownError(
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    'Cannot watch an emulated file system: it tells of no changes',
    {
      syscall: 'watch',
    },
  )
}
