// Calls of node:fs that read and write whole files.
import { type FileHandle, type FileSystem, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } from '../fs/index.ts'
import { encodingOf, option, type Options, toBytes, toFlags, toMode, toPath } from './arguments.ts'
import { constants } from './constants.ts'
import type { Descriptors } from './descriptors.ts'
import { calling } from './node-error.ts'

const chunkBytes = 512 * 1024

/** Calls with a path or a descriptor, as node:fs names them, synchronous. */
export function contentCalls(fs: FileSystem, descriptors: Descriptors) {
  const opened = <T>(
    file: unknown,
    how: { readonly flags: number; readonly mode: number },
    use: (file: FileHandle) => T,
  ): T => {
    if (Number.isInteger(file)) return use(descriptors.get(file, 'read'))
    const path = toPath(file)
    const handle = calling({ syscall: 'open', path }, () => fs.open(path, how.flags, how.mode))
    try {
      return use(handle)
    } finally {
      handle.close()
    }
  }
  const store = (file: unknown, data: unknown, { options, usual }: { options: Options; usual: string }): void => {
    const bytes = toBytes(data, encodingOf(options))
    const how = { flags: toFlags(option(options, 'flag'), usual), mode: toMode(option(options, 'mode'), 0o666) }
    opened(file, how, handle => writeAll(handle, bytes))
  }
  return {
    readFile: (file: unknown, options?: Options) => {
      const encoding = encodingOf(options)
      const how = { flags: toFlags(option(options, 'flag'), 'r'), mode: 0o666 }
      const bytes = opened(file, how, readAll)
      return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding)
    },
    writeFile: (file: unknown, data: unknown, options?: Options) => store(file, data, { options, usual: 'w' }),
    appendFile: (file: unknown, data: unknown, options?: Options) => store(file, data, { options, usual: 'a' }),
    truncate: (path: unknown, length?: number | null) => {
      const how = { flags: O_RDWR, mode: 0 }
      opened(path, how, handle => calling({ syscall: 'ftruncate' }, () => handle.truncate(Math.max(0, length ?? 0))))
    },
    copyFile: (from: unknown, to: unknown, mode = 0) => {
      const call = { syscall: 'copyfile', path: toPath(from, 'src'), dest: toPath(to, 'dest') }
      calling(call, () => copyFile(fs, call, mode))
    },
  }
}

/** Everything from the file's position on. */
export function readAll(file: FileHandle): Buffer {
  return calling({ syscall: 'read' }, () => {
    const { sizeBytes } = file.stat()
    const whole = Buffer.allocUnsafeSlow(sizeBytes)
    let at = 0
    for (let length = 1; length > 0 && at < sizeBytes; at += length) length = file.read(whole.subarray(at))
    if (at < sizeBytes) return whole.subarray(0, at)
    return sizeBytes > 0 ? whole : readToEnd(file)
  })
}

/** Of objects that do not say how long they are. */
function readToEnd(file: FileHandle): Buffer {
  const chunks: Buffer[] = []
  for (;;) {
    const chunk = Buffer.allocUnsafeSlow(chunkBytes)
    const length = file.read(chunk)
    if (length === 0) return Buffer.concat(chunks)
    chunks.push(chunk.subarray(0, length))
  }
}

/** At the file's position. */
export function writeAll(file: FileHandle, bytes: Uint8Array): void {
  calling({ syscall: 'write' }, () => {
    for (let at = 0; at < bytes.length; ) at += file.write(at === 0 ? bytes : bytes.subarray(at))
  })
}

/** Contents and permission bits. */
export function copyFile(fs: FileSystem, names: { readonly path: string; readonly dest: string }, mode: number): void {
  const source = fs.open(names.path, O_RDONLY)
  try {
    const exclusive = (mode & constants.COPYFILE_EXCL) === 0 ? O_TRUNC : O_EXCL
    const permissions = source.stat().mode & 0o7777
    const target = fs.open(names.dest, O_WRONLY | O_CREAT | exclusive, permissions)
    try {
      target.chmod(permissions)
      copyContent(source, target)
    } finally {
      target.close()
    }
  } finally {
    source.close()
  }
}

function copyContent(source: FileHandle, target: FileHandle): void {
  const chunk = new Uint8Array(chunkBytes)
  for (let length = source.read(chunk); length > 0; length = source.read(chunk)) {
    for (let at = 0; at < length; ) at += target.write(chunk.subarray(at, length))
  }
}
