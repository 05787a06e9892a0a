// Descriptors of directories, few at a time: opened when something in the directory is asked for, the least used closed
// (second chance) when there are too many. One cache serves every host directory of a thread: an overlay may have a
// hundred of them.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import { nameByteLength } from '../../path/index.ts'
import type { Place, PlaceCalls } from '../system/place-calls.ts'
import { type HostInode, isIdentity, rootOf } from './host-inode.ts'

const O_PATH = 0o10000000
const { O_DIRECTORY } = fs.constants
/** Longest path that is opened in one call, in bytes. */
const pathLimitBytes = 4000
const defaultLimit = 256

/** Open directories of host file systems. */
export class Descriptors {
  readonly #calls: PlaceCalls
  readonly #limit: number
  /** Nodes whose descriptor may be closed. */
  readonly #nodes: HostInode[] = []
  #hand = 0
  /** What was asked for last: a call on two directories needs both. */
  #last: HostInode | null = null

  /** `limit` of open descriptors, by default 256 or a quarter of what the process may open. */
  constructor(calls: PlaceCalls, limit: number = Math.min(defaultLimit, Math.floor(openFilesLimit() / 4))) {
    this.#calls = calls
    this.#limit = Math.max(limit, 4)
  }

  /**
   * The descriptor of a directory; stays open at least until two others have been asked for.
   * Errors: ENOENT and ESTALE where the directory is not in its place any more, EBADF after `close`.
   */
  of(node: HostInode): number {
    node.isUsed = true
    if (node.fd < 0) this.keep(node, this.#openFrom(node))
    this.#last = node
    return node.fd
  }

  /** Takes a descriptor over, to be closed when others are needed more. */
  keep(node: HostInode, fd: number): void {
    node.fd = fd
    node.isUsed = true
    if (this.#nodes.length < this.#limit) this.#nodes.push(node)
    else {
      this.#advance()
      this.#closeAt(this.#hand)
      this.#nodes[this.#hand] = node
    }
  }

  /** Closes the descriptor of a node that goes away. */
  drop(node: HostInode): void {
    const at = node.fd < 0 ? -1 : this.#nodes.indexOf(node)
    if (at < 0) return
    this.#closeAt(at)
    this.#remove(at)
  }

  /** Closes every descriptor below a root. */
  dropAll(root: HostInode): void {
    for (let at = this.#nodes.length - 1; at >= 0; at--) {
      if (rootOf(this.#nodes[at] as HostInode) !== root) continue
      this.#closeAt(at)
      this.#remove(at)
    }
    if (this.#last !== null && rootOf(this.#last) === root) this.#last = null
  }

  /** Runs a call that opens something; where the process has too many descriptors it gives its own up and tries again. */
  withRoom<T>(open: () => T): T {
    try {
      return open()
    } catch (error) {
      if (!isErrno(error, 'EMFILE', 'ENFILE')) throw error
      for (let closed = this.#nodes.length >> 1; closed > 0; closed--) {
        this.#advance()
        this.#closeAt(this.#hand)
        this.#remove(this.#hand)
      }
      return open()
    }
  }

  /** Moves the hand to a descriptor that was not used since it last came by. */
  #advance(): void {
    for (;;) {
      this.#hand = (this.#hand + 1) % this.#nodes.length
      const node = this.#nodes[this.#hand] as HostInode
      if (!node.isUsed && node !== this.#last) return
      node.isUsed = false
    }
  }

  #closeAt(at: number): void {
    const node = this.#nodes[at] as HostInode
    const { fd } = node
    node.fd = -1
    fs.closeSync(fd)
  }

  #remove(at: number): void {
    const last = this.#nodes.pop() as HostInode
    if (at < this.#nodes.length) this.#nodes[at] = last
  }

  /** Opens a directory from the nearest one above it that is open, and looks whether it is still the same. */
  #openFrom(node: HostInode): number {
    const fd = this.withRoom(() => this.#walk(node))
    const found = this.#calls.identify({ fd, name: '' })
    if (found !== null && isIdentity(node, found)) return fd
    fs.closeSync(fd)
    throw new FsError('ESTALE', 'open')
  }

  #walk(node: HostInode): number {
    const way: HostInode[] = []
    let start = node
    while (start.fd < 0) {
      way.push(start)
      if (start.parent === null || start.isGone) throw new FsError(start.isGone ? 'ENOENT' : 'EBADF', 'open')
      start = start.parent
    }
    let { fd } = start
    let left = way.length
    while (left > 0) {
      const from = fd
      try {
        const step = this.#step(from, way, left)
        fd = step.fd
        left = step.left
      } finally {
        if (from !== start.fd) fs.closeSync(from)
      }
    }
    return fd
  }

  /** One call: as many components as it takes. */
  #step(fd: number, way: readonly HostInode[], left: number): { readonly fd: number; readonly left: number } {
    let name = (way[left - 1] as HostInode).name
    let next = left - 1
    while (next > 0) {
      const longer = `${name}/${(way[next - 1] as HostInode).name}`
      if (nameByteLength(longer) > pathLimitBytes) break
      name = longer
      next--
    }
    try {
      const opened = next < left - 1 ? this.#calls.openBeneath({ fd, name }, O_PATH | O_DIRECTORY) : null
      if (opened !== null) return { fd: opened, left: next }
      const place: Place = { fd, name: (way[left - 1] as HostInode).name }
      return { fd: this.#calls.openat(place, O_PATH | O_DIRECTORY), left: left - 1 }
    } catch (error) {
      // Something else has taken the place of a directory on the way.
      if (isErrno(error, 'ENOTDIR', 'ELOOP', 'EXDEV')) throw new FsError('ESTALE', 'open')
      throw error
    }
  }
}

/** RLIMIT_NOFILE of this process. */
function openFilesLimit(): number {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return limit === undefined ? 1024 : Number(limit)
  } catch {
    return 1024 // no /proc: what most systems grant
  }
}
