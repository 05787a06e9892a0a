// Open directories: the entries as getdents64(2) gives them, which an overlay's own order depends on.
import fs from 'node:fs'
import { isErrno } from '../../errors/index.ts'
import { type DirectoryEntry, fileTypeOf, type InodeDirectory, O_NOATIME } from '../../fs/index.ts'
import type { HostInode } from './host-inode.ts'
import type { Host } from './places.ts'

const { O_DIRECTORY } = fs.constants

/** Opens a directory for reading; `noAtime` leaves its access time where this user may. Errors: EACCES, ENOENT. */
export function openDirectory(
  host: Host,
  dir: HostInode,
  options: { readonly noAtime: boolean; readonly onClose: (directory: HostDirectory) => void },
): HostDirectory {
  const place = (): { fd: number; name: string } => ({ fd: host.descriptors.of(dir), name: '.' })
  const open = (flags: number): number => host.descriptors.withRoom(() => host.calls.openat(place(), flags))
  if (!options.noAtime) return new HostDirectory(host, open(O_DIRECTORY), options.onClose)
  try {
    return new HostDirectory(host, open(O_DIRECTORY | O_NOATIME), options.onClose)
  } catch (error) {
    if (!isErrno(error, 'EPERM')) throw error
    return new HostDirectory(host, open(O_DIRECTORY), options.onClose)
  }
}

/** An open directory of the host. */
export class HostDirectory implements InodeDirectory {
  readonly #host: Host
  readonly #fd: number
  readonly #onClose: (directory: HostDirectory) => void
  #isOpen = true
  #entries: readonly DirectoryEntry[] | null = null

  constructor(host: Host, fd: number, onClose: (directory: HostDirectory) => void) {
    this.#host = host
    this.#fd = fd
    this.#onClose = onClose
  }

  entries(): readonly DirectoryEntry[] {
    this.#entries ??= this.#read()
    return this.#entries
  }

  rewind(): void {
    this.#host.calls.lseek(this.#fd, 0, 0)
    this.#entries = null
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#onClose(this)
    fs.closeSync(this.#fd)
  }

  #read(): readonly DirectoryEntry[] {
    const { calls } = this.#host
    const untyped = new Set<string>()
    const all: DirectoryEntry[] = []
    for (;;) {
      const some = calls.getdents(this.#fd, untyped)
      if (some.length === 0) break
      all.push(...some)
    }
    if (untyped.size === 0) return all
    return all.map(entry => {
      const found = untyped.has(entry.name) ? calls.identify({ fd: this.#fd, name: entry.name }) : null
      return found === null ? entry : { ...entry, type: fileTypeOf(found.mode) }
    })
  }
}
