// The thread that puts an archive together: the batches that the main thread sends, with the contents of large files in
// between.
import fs from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { type Errno, isErrno } from '../../errors/index.ts'
import { parentPath } from '../../path/index.ts'
import { loadReadCalls, type ReadCalls } from '../system/scan-calls.ts'
import { onTask } from '../thread.ts'
import { fileOutlet, NotWritten, type Outlet, ringOutlet, Stopped } from './outlet.ts'
import type { FromPackThread, PackBatch, PackFailure, PackTask, ToReadThread } from './pack-protocol.ts'
import { PackRing } from './pack-ring.ts'

const { O_RDONLY, O_NONBLOCK, O_DIRECTORY } = fs.constants
const O_NOATIME = 0o1000000

onTask<PackTask>(({ memory, takers, rootFd, outFd }) => {
  const calls = loadReadCalls()
  if (calls === null) throw new Error('Impossible: the thread was started without koffi')
  const ring = new PackRing(memory, takers)
  const outlet = takers === 0 ? fileOutlet(ring, { fd: outFd, calls }) : ringOutlet(ring)
  const packer = new Packer(calls, { rootFd, outlet })
  parentPort?.on('message', (message: ToReadThread) => {
    try {
      if (message !== null) {
        packer.pack(message)
        ring.batchDone()
      } else {
        reply({ type: 'done', done: packer.end() })
        parentPort?.close()
      }
    } catch (error) {
      if (error instanceof Stopped) return
      ring.stop()
      reply({ type: 'failed', failure: failureOf(error) })
    }
  })
})

/**
 * Files from this size on are copied by the kernel where that is possible: smaller ones cost less read and written with
 * others.
 */
const copiedFromBytes = 64 << 10
/** Fills up the last block of a file. */
const padding = new Uint8Array(511)

class Packer {
  readonly #calls: ReadCalls
  readonly #rootFd: number
  readonly #outlet: Outlet
  /** The directory of the last file: entries of one directory come together. */
  #directory: { readonly path: string; readonly fd: number }
  #readFlags = O_RDONLY | O_NONBLOCK | O_NOATIME

  constructor(calls: ReadCalls, { rootFd, outlet }: { readonly rootFd: number; readonly outlet: Outlet }) {
    this.#calls = calls
    this.#rootFd = rootFd
    this.#outlet = outlet
    this.#directory = { path: '', fd: rootFd }
  }

  pack({ bytes, files }: PackBatch): void {
    let from = 0
    for (let i = 0; i < files.length; i += 3) {
      const at = files[i] as number
      this.#outlet.put(bytes.subarray(from, at))
      this.#file(files[i + 1] as string, files[i + 2] as number)
      from = at
    }
    this.#outlet.put(bytes.subarray(from))
  }

  /** Returns the bytes of the archive. */
  end(): number {
    this.#closeDirectory()
    return this.#outlet.end()
  }

  #file(path: string, sizeBytes: number): void {
    const fd = reading(path, () => this.#open(path))
    try {
      this.#content(fd, path, sizeBytes)
    } finally {
      this.#calls.close(fd)
    }
    this.#outlet.put(padding.subarray(0, -sizeBytes & 511))
  }

  #content(fd: number, path: string, sizeBytes: number): void {
    for (let at = 0; at < sizeBytes; ) {
      const left = sizeBytes - at
      const copied = sizeBytes < copiedFromBytes ? null : this.#outlet.copy(fd, left)
      const count = copied ?? this.#read(path, { fd, left, position: at })
      if (count === 0) throw new Failed({ what: 'shrank', path })
      at += count
    }
  }

  #read(
    path: string,
    { fd, left, position }: { readonly fd: number; readonly left: number; readonly position: number },
  ): number {
    const room = this.#outlet.room()
    const target = room.length > left ? room.subarray(0, left) : room
    const count = reading(path, () => this.#calls.pread(fd, target, position))
    this.#outlet.add(count)
    return count
  }

  #open(path: string): number {
    const directory = parentPath(path)
    if (directory !== this.#directory.path) {
      this.#closeDirectory()
      this.#directory = { path: directory, fd: this.#openDirectory(directory) }
    }
    const name = directory === '' ? path : path.slice(directory.length + 1)
    try {
      return this.#calls.open(this.#directory.fd, name, this.#readFlags)
    } catch (error) {
      if (!isErrno(error, 'EPERM') || (this.#readFlags & O_NOATIME) === 0) throw error
      this.#readFlags &= ~O_NOATIME
      return this.#calls.open(this.#directory.fd, name, this.#readFlags)
    }
  }

  /** No symlink is followed, and nothing outside is reached: what was a directory may have become something else. */
  #openDirectory(path: string): number {
    if (path === '') return this.#rootFd
    const flags = O_RDONLY | O_DIRECTORY
    const opened = path.length < longestPath ? this.#calls.openBeneath({ fd: this.#rootFd, name: path }, flags) : null
    if (opened !== null) return opened
    let fd = this.#rootFd
    for (const name of path.split('/')) {
      const next = this.#calls.open(fd, name, flags)
      if (fd !== this.#rootFd) this.#calls.close(fd)
      fd = next
    }
    return fd
  }

  #closeDirectory(): void {
    if (this.#directory.fd !== this.#rootFd) this.#calls.close(this.#directory.fd)
    this.#directory = { path: '', fd: this.#rootFd }
  }
}

/** UTF-16 units of a path that surely is shorter than PATH_MAX. */
const longestPath = 1300

class Failed extends Error {
  readonly failure: PackFailure

  constructor(failure: PackFailure) {
    super(failure.what)
    this.failure = failure
  }
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const { code } = error as { code?: Errno }
    throw code === undefined ? error : new Failed({ what: 'read', errno: code, path })
  }
}

/** Errors: what is no failure but a bug. */
function failureOf(error: unknown): PackFailure {
  if (error instanceof Failed) return error.failure
  if (error instanceof NotWritten) return { what: 'write', errno: error.errno, message: error.message }
  throw error
}

function reply(message: FromPackThread<number>): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
