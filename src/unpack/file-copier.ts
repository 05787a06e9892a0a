// Copies of single files, all attributes exact: content by reflink where the file system can, holes kept, then owner,
// extended attributes, mode and times in the order that AttributeWriter knows.

import * as fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import { AT_FDCWD, hostPath, ovlName, type System } from '../host/index.ts'
import type { Attributes } from '../layer/index.ts'
import type { LayerPath } from '../path/index.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { HostPaths, linkFile } from './host-paths.ts'
import { createNotKeptLog } from './not-kept-log.ts'

/** Between which directories files are copied. Prefixes as in `RootfsSinkOptions`. */
export type CopyOptions = {
  readonly from: string
  readonly to: string
  readonly system: System
  readonly umask: number
  /** What an attribute is called in the copy; null leaves it out. */
  readonly nameXattr: (name: string) => string | null
  /** Asked before every piece; throws to give up. */
  readonly checkStop: () => void
}

/** Bytes of content; or, of a file with several names, the inode: it is not copied before all of them are known. */
export type Copied = { readonly bytes: number } | { readonly inode: string }

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants
const newFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
const smallBytes = 128 << 10

/** Copies files from one directory to the same paths of another. The directories on the way exist. */
export class FileCopier {
  readonly #options: CopyOptions
  readonly #from: HostPaths
  readonly #to: HostPaths
  readonly #attributes: AttributeWriter
  readonly #buffer = Buffer.allocUnsafeSlow(smallBytes)
  /** Null until it was tried once: one answer holds for all files of the two directories. */
  #canClone: boolean | null = null

  constructor(options: CopyOptions) {
    this.#options = options
    this.#from = new HostPaths(options.from)
    this.#to = new HostPaths(options.to)
    this.#attributes = new AttributeWriter(this.#to, {
      system: options.system,
      ownership: { kind: 'keep', uidMappings: [], gidMappings: [] }, // owners on disk are as they shall be already
      shownAs: options.to,
      warn: () => {}, // whatever cannot be kept was told when the original was written
      notKept: createNotKeptLog(),
    })
  }

  /** Copies a file, symlink, device or FIFO. With `alone`, one of several names is not copied but reported. */
  copy(path: LayerPath, { alone }: { readonly alone: boolean }): Copied {
    const stat = fs.lstatSync(this.#from.of(path), { bigint: true })
    if (alone && stat.nlink > 1n) return { inode: String(stat.ino) }
    if (stat.isFile()) this.#copyFile(path, stat)
    else if (stat.isSymbolicLink()) this.#copySymlink(path, stat)
    else this.#copyNode(path, stat)
    return { bytes: stat.isFile() ? Number(stat.size) : 0 }
  }

  /** A further name for a file that was copied. */
  link(path: LayerPath, target: LayerPath): void {
    linkFile(this.#options.to, target, this.#to.of(path))
  }

  /** Bytes that a copy takes on disk, for the message when there is no space. */
  sizeOnDisk(path: LayerPath): number {
    return fs.lstatSync(this.#from.of(path)).blocks * 512
  }

  close(): void {
    this.#from.close()
    this.#to.close()
  }

  #copyFile(path: LayerPath, stat: fs.BigIntStats): void {
    const xattrs = this.#readXattrs(path)
    const from = this.#open(path, stat)
    try {
      // An ordinary user may set user.* attributes only while the file is writable.
      const mode = (Number(stat.mode) & 0o777) | (xattrs === null ? 0 : 0o600)
      const to = fs.openSync(this.#to.of(path), newFile, mode)
      try {
        if (stat.size > 0n) this.#copyContent(from, to, stat)
        const currentMode = mode & ~this.#options.umask
        this.#attributes.apply({ kind: 'file', path, fd: to, currentMode }, attributesOf(stat, xattrs))
      } finally {
        fs.closeSync(to)
      }
    } finally {
      fs.closeSync(from)
    }
  }

  /** An ordinary user's own file may forbid its owner to read it. */
  #open(path: LayerPath, { mode }: fs.BigIntStats): number {
    const name = this.#from.of(path)
    const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
    try {
      return fs.openSync(name, flags)
    } catch (error) {
      if (!isCode(error, 'EACCES')) throw error
    }
    const bits = Number(mode) & 0o7777
    fs.chmodSync(name, bits | 0o400)
    try {
      return fs.openSync(name, flags)
    } finally {
      fs.chmodSync(name, bits)
    }
  }

  #copyContent(from: number, to: number, { size, blocks }: fs.BigIntStats): void {
    if (this.#canClone !== false) {
      this.#canClone = this.#options.system.cloneFile(from, to)
      if (this.#canClone) return
    }
    const sizeBytes = Number(size)
    if (blocks * 512n >= size) return this.#copyRange(from, to, { start: 0, end: sizeBytes })
    const { system } = this.#options
    for (let at = system.seekData(from, 0); at !== null; ) {
      const end = Math.min(system.seekHole(from, at) ?? sizeBytes, sizeBytes)
      this.#copyRange(from, to, { start: at, end })
      at = end < sizeBytes ? system.seekData(from, end) : null
    }
    fs.ftruncateSync(to, sizeBytes)
  }

  #copyRange(from: number, to: number, { start, end }: { readonly start: number; readonly end: number }): void {
    const buffer = this.#buffer
    for (let at = start; at < end; ) {
      this.#options.checkStop()
      const read = fs.readSync(from, buffer, 0, Math.min(buffer.length, end - at), at)
      if (read === 0) throw new Error('a file became shorter while it was copied')
      for (let written = 0; written < read; ) written += fs.writeSync(to, buffer, written, read - written, at + written)
      at += read
    }
  }

  #copySymlink(path: LayerPath, stat: fs.BigIntStats): void {
    const target = ovlName(fs.readlinkSync(this.#from.of(path), { encoding: 'buffer' }))
    fs.symlinkSync(hostPath(target), this.#to.of(path))
    this.#attributes.apply({ kind: 'symlink', path, fd: null, currentMode: 0o777 }, this.#attributesAt(path, stat))
  }

  #copyNode(path: LayerPath, stat: fs.BigIntStats): void {
    const mode = Number(stat.mode) & ~0o7000
    const device = Number(stat.rdev)
    this.#options.system.mknodat(AT_FDCWD, this.#to.name(path), {
      mode,
      major: (device >>> 8) & 0xfff,
      minor: (device & 0xff) | ((device >>> 12) & 0xfff00),
    })
    const currentMode = mode & 0o777 & ~this.#options.umask
    this.#attributes.apply({ kind: 'special', path, fd: null, currentMode }, this.#attributesAt(path, stat))
  }

  #attributesAt(path: LayerPath, stat: fs.BigIntStats): Attributes {
    return attributesOf(stat, this.#readXattrs(path))
  }

  #readXattrs(path: LayerPath): Map<string, Uint8Array> | null {
    const { system, nameXattr } = this.#options
    const name = this.#from.name(path)
    let xattrs: Map<string, Uint8Array> | null = null
    for (const each of listXattrs(system, name)) {
      const copied = each === 'security.selinux' ? null : nameXattr(each) // a label is the host's, for each place anew
      if (copied !== null) (xattrs ??= new Map()).set(copied, system.lgetxattr(name, each))
    }
    return xattrs
  }
}

function listXattrs(system: System, name: string): readonly string[] {
  try {
    return system.llistxattr(name)
  } catch (error) {
    if (isCode(error, 'ENOTSUP') || isCode(error, 'EOPNOTSUPP')) return []
    throw error
  }
}

const billion = 1_000_000_000n

function attributesOf(stat: fs.BigIntStats, xattrs: Map<string, Uint8Array> | null): Attributes {
  const mtimeNsec = ((stat.mtimeNs % billion) + billion) % billion
  return {
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtimeSec: Number((stat.mtimeNs - mtimeNsec) / billion),
    mtimeNsec: Number(mtimeNsec),
    xattrs,
  }
}
