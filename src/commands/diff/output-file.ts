// A file that is at its place completely or not at all: written in a workspace beside it and renamed.
import {
  closeSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isCode, OvlError, quote, type Warn } from '../../errors/index.ts'
import { clearLeftovers, diagnoseWriteError, hostPath, ovlName, removeTree, workspaceName } from '../../host/index.ts'

/** Where output goes and what may be in its way. */
export type OutputFileOptions = {
  /** Replace a file that is there. */
  readonly force: boolean
  readonly warn: Warn
  readonly signal: AbortSignal
}

/** Takes the bytes of a file, in order. */
export type FileWriter = {
  (bytes: Uint8Array): void
  /** For who writes to the file without it. */
  readonly fd: number
}

/**
 * Hands `make` a function that takes the bytes of the file, in order. What is no regular file (a device, a FIFO) is
 * written to directly.
 *
 * Errors: DEST_EXISTS, NO_SPACE, NEEDS_PRIVILEGE, WRITE_FAILED, INTERRUPTED, those of `make`.
 */
export async function writeOutputFile<T>(
  path: string,
  options: OutputFileOptions,
  make: (write: FileWriter) => Promise<T>,
): Promise<T> {
  const existing = statSync(hostPath(path), { throwIfNoEntry: false })
  try {
    if (existing !== undefined && !existing.isFile() && !existing.isDirectory()) return await writeInto(path, make)
    if (!options.force || existing?.isDirectory() === true) checkAbsent(path)
    return await replace(path, options, make)
  } catch (error) {
    throw diagnoseWriteError(error, { object: path, path: dirname(path) })
  }
}

async function writeInto<T>(path: string, make: (write: FileWriter) => Promise<T>): Promise<T> {
  const fd = openSync(hostPath(path), 'w')
  try {
    return await make(writerTo(fd))
  } finally {
    closeSync(fd)
  }
}

async function replace<T>(
  path: string,
  { force, warn, signal }: OutputFileOptions,
  make: (write: FileWriter) => Promise<T>,
): Promise<T> {
  const target = followLink(path)
  const [parent, name] = [dirname(target), basename(target)]
  await clearLeftovers({ directory: parent, start: name }, { remove: force, warn })
  const workspace = join(parent, workspaceName(name))
  mkdirSync(hostPath(workspace), { mode: 0o700 })
  try {
    const file = join(workspace, 'output')
    const fd = openSync(hostPath(file), 'wx', 0o644)
    let made: T
    try {
      made = await make(writerTo(fd))
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    signal.throwIfAborted()
    if (!force) checkAbsent(target)
    renameSync(hostPath(file), hostPath(target))
    return made
  } catch (error) {
    if (!signal.aborted && !isCode(error, 'INTERRUPTED')) throw error
    const message = `interrupted while writing ${path}; removed ${basename(workspace)}`
    throw new OvlError('INTERRUPTED', message, { data: { workspace }, cause: error })
  } finally {
    const { kept } = await removeTree(workspace)
    for (const { path: left, reason } of kept)
      warn({ code: 'LEFTOVER', message: `${left} could not be removed: ${reason}`, path: left })
  }
}

function writerTo(fd: number): FileWriter {
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at)
  }
  return Object.assign(write, { fd })
}

/** Errors: DEST_EXISTS. */
function checkAbsent(path: string): void {
  if (lstatSync(hostPath(path), { throwIfNoEntry: false }) === undefined) return
  throw new OvlError('DEST_EXISTS', `Cannot write ${quote(path)}: it exists`, {
    hint: 'choose another name, or add --force to replace it',
    data: { path },
  })
}

/** A symlink to a file stays, and the file is replaced. */
function followLink(path: string): string {
  try {
    return ovlName(realpathSync(hostPath(path), { encoding: 'buffer' }))
  } catch (error) {
    if (isCode(error, 'ENOENT')) return path
    throw error
  }
}
