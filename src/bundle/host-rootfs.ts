// A rootfs that is a directory of this machine. Nothing is followed: lstat, readlink, and open with O_NOFOLLOW.

import * as fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import { decodeName, encodeName } from '../path/index.ts'
import type { RootfsReader, RootfsStat } from './rootfs-reader.ts'

/** Reads below `directory`, a path of the host (byte-exact, see `path`). */
export function hostRootfs(directory: string): RootfsReader {
  const hostPath = (path: string) => Buffer.from(encodeName(path === '' ? directory : `${directory}/${path}`))
  return {
    lstat: path => lstat(hostPath(path)),
    readlink: path => decodeName(fs.readlinkSync(hostPath(path), { encoding: 'buffer' })),
    readFile: path => readFile(hostPath(path)),
    isEmpty: path => isEmpty(hostPath(path)),
  }
}

function lstat(path: Buffer): RootfsStat | null {
  try {
    const stat = fs.lstatSync(path)
    return { kind: kindOf(stat), uid: stat.uid, gid: stat.gid, sizeBytes: stat.size }
  } catch (error) {
    // ENAMETOOLONG: such a name cannot be on this file system
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR') || isCode(error, 'ENAMETOOLONG')) return null
    throw error
  }
}

function kindOf(stat: fs.Stats): RootfsStat['kind'] {
  if (stat.isSymbolicLink()) return 'symlink'
  if (stat.isDirectory()) return 'directory'
  return stat.isFile() ? 'file' : 'other'
}

/** O_NONBLOCK: should the file have become a FIFO meanwhile, opening must not wait for a writer. */
function readFile(path: Buffer): Uint8Array {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants
  const handle = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    return fs.readFileSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

function isEmpty(path: Buffer): boolean {
  const directory = fs.opendirSync(path)
  try {
    return directory.readSync() === null
  } finally {
    directory.closeSync()
  }
}
