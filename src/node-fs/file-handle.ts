// fs.promises.FileHandle: an open file of an emulated file system.
import { ReadStream, WriteStream } from 'node:fs'
import { createInterface, type Interface } from 'node:readline'
import type { Call } from './faces.ts'

type Calls = { readonly [name: string]: Call }
type Given = readonly unknown[]

/** What `promises.open` gives. */
export class NodeFileHandle {
  readonly fd: number
  readonly #calls: Calls
  readonly #fs: object
  #isClosed = false

  /** `calls`: the synchronous ones; `fs`: the whole, for streams. */
  constructor(fd: number, calls: Calls, fs: object) {
    this.fd = fd
    this.#calls = calls
    this.#fs = fs
  }

  async read(buffer: unknown, ...where: Given): Promise<object> {
    const isBuffer = ArrayBuffer.isView(buffer)
    const options = isBuffer ? {} : ((buffer ?? {}) as { readonly buffer?: Uint8Array })
    const target = isBuffer ? buffer : (options.buffer ?? Buffer.alloc(16_384))
    const rest = isBuffer ? where : [options]
    return { bytesRead: this.#call('read', target, ...rest), buffer: target }
  }

  async write(data: unknown, ...where: Given): Promise<object> {
    return { bytesWritten: this.#call('write', data, ...where), buffer: data }
  }

  async readv(buffers: unknown, position?: unknown): Promise<object> {
    return { bytesRead: this.#call('readv', buffers, position), buffers }
  }

  async writev(buffers: unknown, position?: unknown): Promise<object> {
    return { bytesWritten: this.#call('writev', buffers, position), buffers }
  }

  async readFile(options?: unknown): Promise<unknown> {
    return this.#call('readFile', options)
  }

  async writeFile(data: unknown, options?: unknown): Promise<void> {
    this.#call('writeFile', data, options)
  }

  async appendFile(data: unknown, options?: unknown): Promise<void> {
    this.#call('appendFile', data, options)
  }

  async stat(options?: unknown): Promise<unknown> {
    return this.#call('fstat', options)
  }

  async truncate(length?: unknown): Promise<void> {
    this.#call('ftruncate', length)
  }

  async chmod(mode: unknown): Promise<void> {
    this.#call('fchmod', mode)
  }

  async chown(uid: unknown, gid: unknown): Promise<void> {
    this.#call('fchown', uid, gid)
  }

  async utimes(atime: unknown, mtime: unknown): Promise<void> {
    this.#call('futimes', atime, mtime)
  }

  async sync(): Promise<void> {
    this.#call('fsync')
  }

  async datasync(): Promise<void> {
    this.#call('fdatasync')
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#call('close')
  }

  readLines(options: object = {}): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Infinity })
  }

  createReadStream(options: object = {}): ReadStream {
    return Reflect.construct(ReadStream, ['', { ...options, fd: this.fd, fs: this.#fs }]) as ReadStream
  }

  createWriteStream(options: object = {}): WriteStream {
    return Reflect.construct(WriteStream, ['', { ...options, fd: this.fd, fs: this.#fs }]) as WriteStream
  }

  #call(name: string, ...given: Given): unknown {
    return (this.#calls[name] as Call)(this.fd, ...given)
  }
}
