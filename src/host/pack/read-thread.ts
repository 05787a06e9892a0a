// The thread that puts an archive together: the batches that the main thread sends, with the contents of files in between.
import fs from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { type Errno, isErrno } from '../../errors/index.ts'
import { parentPath } from '../../path/index.ts'
import { loadScanCalls, type ScanCalls } from '../system/scan-calls.ts'
import type { FromPackThread, PackBatch, PackFailure, PackTask, ToReadThread } from './pack-protocol.ts'
import { PackRing } from './pack-ring.ts'

const { memory, takers, rootFd } = workerData as PackTask
const ring = new PackRing(memory, takers)
const { O_RDONLY, O_NONBLOCK, O_DIRECTORY } = fs.constants
const O_NOATIME = 0o1000000

class Packer {
  readonly #calls: ScanCalls
  #slot: Uint8Array | null = null
  #filled = 0
  /** The directory of the last file: entries of one directory come together. */
  #directory: { readonly path: string; readonly fd: number } = { path: '', fd: rootFd }
  #readFlags = O_RDONLY | O_NONBLOCK | O_NOATIME

  constructor(calls: ScanCalls) {
    this.#calls = calls
  }

  pack({ bytes, files }: PackBatch): void {
    let from = 0
    for (let i = 0; i < files.length; i += 3) {
      const at = files[i] as number
      this.#copy(bytes.subarray(from, at))
      this.#file(files[i + 1] as string, files[i + 2] as number)
      from = at
    }
    this.#copy(bytes.subarray(from))
  }

  end(): void {
    if (this.#filled > 0) this.#flush()
    ring.end()
    this.#closeDirectory()
  }

  #copy(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      const room = this.#room()
      const part = bytes.subarray(at, at + room.length)
      room.set(part)
      this.#add(part.length)
      at += part.length
    }
  }

  #file(path: string, sizeBytes: number): void {
    const fd = reading(path, () => this.#open(path))
    try {
      this.#content(fd, path, sizeBytes)
    } finally {
      this.#calls.close(fd)
    }
    for (let left = -sizeBytes & 511; left > 0; ) {
      const room = this.#room()
      const count = Math.min(left, room.length)
      room.fill(0, 0, count)
      this.#add(count)
      left -= count
    }
  }

  #content(fd: number, path: string, sizeBytes: number): void {
    for (let at = 0; at < sizeBytes; ) {
      const room = this.#room()
      const target = room.length > sizeBytes - at ? room.subarray(0, sizeBytes - at) : room
      const position = at
      const count = reading(path, () => this.#calls.pread(fd, target, position))
      if (count === 0) throw new Failed({ what: 'shrank', path })
      this.#add(count)
      at += count
    }
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
    if (path === '') return rootFd
    const flags = O_RDONLY | O_DIRECTORY
    const opened = path.length < longestPath ? this.#calls.openBeneath({ fd: rootFd, name: path }, flags) : null
    if (opened !== null) return opened
    let fd = rootFd
    for (const name of path.split('/')) {
      const next = this.#calls.open(fd, name, flags)
      if (fd !== rootFd) this.#calls.close(fd)
      fd = next
    }
    return fd
  }

  #closeDirectory(): void {
    if (this.#directory.fd !== rootFd) this.#calls.close(this.#directory.fd)
    this.#directory = { path: '', fd: rootFd }
  }

  #room(): Uint8Array {
    if (this.#slot === null) {
      this.#slot = ring.nextToFill()
      this.#filled = 0
      if (this.#slot === null) throw new Stopped()
    }
    return this.#slot.subarray(this.#filled)
  }

  #add(count: number): void {
    this.#filled += count
    if (this.#slot !== null && this.#filled === this.#slot.length) this.#flush()
  }

  #flush(): void {
    ring.commit(this.#filled)
    this.#slot = null
    this.#filled = 0
  }
}

/** UTF-16 units of a path that surely is shorter than PATH_MAX. */
const longestPath = 1300

/** Another thread has failed, or the main thread wants no more. */
class Stopped extends Error {}

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

const calls = loadScanCalls()
if (calls === null) throw new Error('Impossible: the thread was started without koffi')
const packer = new Packer(calls)

parentPort?.on('message', (message: ToReadThread) => {
  try {
    if (message !== null) {
      packer.pack(message)
      ring.batchDone()
    } else {
      packer.end()
      reply({ type: 'done', done: null })
    }
  } catch (error) {
    if (error instanceof Stopped) return
    ring.stop()
    if (!(error instanceof Failed)) throw error
    reply({ type: 'failed', failure: error.failure })
  }
})

function reply(message: FromPackThread<null>): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(message)
}
