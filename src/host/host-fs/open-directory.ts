// Open directories: the entries as getdents64(2) gives them, which an overlay's own order depends on.
import fs from 'node:fs'
import { isErrno } from '../../errors/index.ts'
import { type DirectoryEntry, fileTypeOf, type InodeDirectory, O_NOATIME } from '../../fs/index.ts'
import type { HostInode, OpenDescriptor } from './host-inode.ts'
import type { Place } from '../system/place-calls.ts'
import type { Host } from './places.ts'

const { O_DIRECTORY } = fs.constants

/** Opens a directory for reading; `noAtime` leaves its access time where this user may. Errors: EACCES, ENOENT. */
export function openDirectory(
  host: Host,
  dir: HostInode,
  options: { readonly noAtime: boolean; readonly onClose: (directory: HostDirectory) => void },
): HostDirectory {
  const place = (): Place => ({ fd: host.descriptors.of(dir), name: '.' })
  const open = (flags: number): number => host.descriptors.withRoom(() => host.calls.openat(place(), flags))
  const directory = new HostDirectory(host, dir, { fd: openForReading(open, options), onClose: options.onClose })
  dir.open = [...dir.open, directory]
  return directory
}

function openForReading(open: (flags: number) => number, { noAtime }: { readonly noAtime: boolean }): number {
  if (!noAtime) return open(O_DIRECTORY)
  try {
    return open(O_DIRECTORY | O_NOATIME)
  } catch (error) {
    // Only the owner may leave access times alone.
    if (!isErrno(error, 'EPERM')) throw error
    return open(O_DIRECTORY)
  }
}

type Opened = { readonly fd: number; readonly onClose: (directory: HostDirectory) => void }

/** An open directory of the host. */
export class HostDirectory implements InodeDirectory, OpenDescriptor {
  readonly fd: number
  readonly isWritable = false
  readonly isPath = false
  readonly #host: Host
  readonly #dir: HostInode
  readonly #onClose: (directory: HostDirectory) => void
  #isOpen = true
  #entries: readonly DirectoryEntry[] | null = null

  constructor(host: Host, dir: HostInode, open: Opened) {
    this.#host = host
    this.#dir = dir
    this.fd = open.fd
    this.#onClose = open.onClose
  }

  entries(): readonly DirectoryEntry[] {
    this.#entries ??= this.#read()
    return this.#entries
  }

  rewind(): void {
    this.#host.calls.lseek(this.fd, 0, 0)
    this.#entries = null
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#dir.open = this.#dir.open.filter(open => open !== this)
    this.#onClose(this)
    fs.closeSync(this.fd)
  }

  #read(): readonly DirectoryEntry[] {
    const { calls } = this.#host
    const untyped = new Set<string>()
    const all: DirectoryEntry[] = []
    for (;;) {
      const some = calls.getdents(this.fd, untyped)
      if (some.length === 0) break
      all.push(...some)
    }
    if (untyped.size === 0) return all
    return all.map(entry => {
      const found = untyped.has(entry.name) ? calls.identify({ fd: this.fd, name: entry.name }) : null
      return found === null ? entry : { ...entry, type: fileTypeOf(found.mode) }
    })
  }
}
