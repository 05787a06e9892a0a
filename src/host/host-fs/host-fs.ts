// A directory of this machine as a `FileSystem`: Vfs over its super block. Symlinks of the tree are followed by Vfs
// inside the root, never by the kernel; ".." ends at the root.
import fs from 'node:fs'
import { OvlError, quote } from '../../errors/index.ts'
import { type Credentials, Vfs } from '../../fs/index.ts'
import { hostPath } from '../host-path.ts'
import { loadPlaceCalls, type PlaceCalls } from '../system/place-calls.ts'
import { Descriptors } from './descriptors.ts'
import { HostRoot } from './host-inode.ts'
import { HostSuperBlock } from './host-super-block.ts'
import type { Host } from './places.ts'

const O_PATH = 0o10000000

/** How a directory is opened. */
export type HostFsOptions = {
  /** Nothing can be changed: EROFS. */
  readonly readOnly?: boolean
  /** Reading leaves access times alone where this user may do that (owner, or root). */
  readonly noAtime?: boolean
  /** Who asks; by default the user of this process. */
  readonly caller?: Credentials
}

/** A host directory as a file system. It holds descriptors until it is closed. */
export class HostFs extends Vfs {
  readonly #superBlock: HostSuperBlock

  constructor(superBlock: HostSuperBlock, caller: Credentials) {
    super(superBlock, caller)
    this.#superBlock = superBlock
  }

  /** Closes all descriptors, of handles that are still open too. Everything fails with EBADF from then on. */
  close(): void {
    this.#superBlock.close()
  }
}

/**
 * Opens a directory; a symlink to one is followed. Nothing outside of it is read or changed, whatever links it holds and
 * whatever others do with it meanwhile. Changes that others make are seen. Works for ordinary users: what the kernel
 * does not let them do fails with the kernel's errno.
 *
 * Errors: those of node:fs (ENOENT, ENOTDIR, EACCES); UNSUPPORTED where koffi is missing.
 */
export function openHostFs(directory: string, options: HostFsOptions = {}): HostFs {
  const host = loadHost()
  if (host === null) {
    throw new OvlError('UNSUPPORTED', `Cannot open ${quote(directory)} as a file system: koffi is not installed`, {
      hint: 'npm install koffi',
    })
  }
  const fd = fs.openSync(hostPath(directory), O_PATH | fs.constants.O_DIRECTORY)
  try {
    const found = host.calls.identify({ fd, name: '' })
    const root = new HostRoot('dir', found ?? { dev: 0, ino: 0n, flags: 0 }, { parent: null, name: '' })
    root.fd = fd
    const { readOnly = false, noAtime = false } = options
    return new HostFs(
      new HostSuperBlock(host, root, { readOnly, noAtime }),
      options.caller ?? processCaller(host.calls),
    )
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

let loaded: Host | null | undefined

/** Null without koffi. Once for each thread: all host directories share descriptors and memory for calls. */
function loadHost(): Host | null {
  if (loaded === undefined) {
    const calls = loadPlaceCalls()
    loaded = calls === null ? null : { calls, descriptors: new Descriptors(calls) }
  }
  return loaded
}

/** This process, as its system calls are judged. */
function processCaller(calls: PlaceCalls): Credentials {
  const mask = calls.umask(0)
  calls.umask(mask)
  const uid = process.geteuid?.() ?? 0
  return {
    uid,
    gid: process.getegid?.() ?? 0,
    groups: process.getgroups?.() ?? [],
    capable: uid === 0,
    umask: mask,
  }
}
