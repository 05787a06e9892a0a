// A directory of the host as a file system: objects by name in open directories, one system call an operation. What the
// kernel refuses is refused with its errno, so a program of an ordinary user sees the same refusals as through any tool.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import {
  type Credentials,
  fileTypeOf,
  type FileSystemStat,
  type InodeChange,
  type InodeDirectory,
  type InodeFile,
  type NameOf,
  type NewInode,
  O_NOATIME,
  RENAME_WHITEOUT,
  type Stat,
  type StoredFileHandle,
  type SuperBlock,
  type SuperBlockFeatures,
} from '../../fs/index.ts'
import { changeInode } from './change.ts'
import { createEntry, createTemporary, ownWhiteout } from './create.ts'
import { probeFeatures } from './features.ts'
import { decodeHandle } from './handles.ts'
import { attach, detach, HostInode, type HostRoot, isIdentity, sweepTree } from './host-inode.ts'
import { inodeFlags, setInodeFlags } from './inode-flags.ts'
import { openDirectory } from './open-directory.ts'
import { holdInode } from './hold-inode.ts'
import { openFile } from './open-file.ts'
import { certainPlace, entryPlace, type Host, isByName, mountDescriptor, placeOf } from './places.ts'
import { readXattr } from './read-xattr.ts'
import { linkEntry, renameEntry, rmdirEntry, unlinkEntry } from './rename.ts'

/** Nodes that are remembered before those that were not looked up lately are forgotten. */
const nodesLimit = 65536

/** The super block of a host directory. `close` ends it. */
export class HostSuperBlock implements SuperBlock<HostInode> {
  readonly root: HostRoot
  readonly readOnly: boolean
  readonly nameMax: number
  readonly dev: number
  readonly kind = 'host'
  readonly #host: Host
  readonly #noAtime: boolean
  /** Open files and directories. */
  readonly #open = new Set<{ close(): void }>()
  /** Objects that have no name yet, with their descriptors. */
  readonly #unnamed = new Set<HostInode>()
  #features: SuperBlockFeatures | null = null
  #uuid: Uint8Array | null = null
  #sweep = 0
  #nodes = 0
  #nodesAtNextSweep = nodesLimit

  constructor(host: Host, root: HostRoot, options: { readonly readOnly: boolean; readonly noAtime: boolean }) {
    const statfs = host.calls.statfs(root.fd)
    this.#host = host
    this.root = root
    this.dev = root.dev
    this.nameMax = statfs.nameMax
    this.readOnly = options.readOnly || statfs.readOnly
    this.#noAtime = options.noAtime
  }

  get uuid(): Uint8Array {
    this.#uuid ??= this.#readUuid()
    return this.#uuid
  }

  get features(): SuperBlockFeatures {
    this.#features ??= probeFeatures(this.#host, this.root, this)
    return this.#features
  }

  now(): bigint {
    return this.#host.calls.coarseTimeNs()
  }

  lookup(dir: HostInode, name: string): HostInode | null {
    const found = this.#host.calls.identify(entryPlace(this.#host, dir, name))
    const known = dir.children?.get(name)
    if (known !== undefined && found !== null && isIdentity(known, found) && known.type === fileTypeOf(found.mode)) {
      known.flags = found.flags
      known.sweep = this.#sweep
      return known
    }
    if (known !== undefined) this.#lose(known)
    if (found === null) return null
    const node = new HostInode(fileTypeOf(found.mode), found, { parent: dir, name })
    this.#remember(node, dir, name)
    return node
  }

  isSame(a: HostInode, b: HostInode): boolean {
    return a === b || isIdentity(a, b)
  }

  stat(inode: HostInode): Stat {
    const place = placeOf(this.#host, inode)
    const stat = this.#host.calls.stat(place)
    if (stat === null) throw new FsError('ENOENT', 'stat')
    if (isByName(place) && (stat.ino !== inode.ino || stat.dev !== inode.dev)) throw new FsError('ESTALE', 'stat')
    return stat
  }

  readlink(inode: HostInode): string {
    if (inode.type !== 'symlink') throw new FsError('EINVAL', 'readlink')
    try {
      return this.#host.calls.readlink(placeOf(this.#host, inode))
    } catch (error) {
      // Something else has taken the place of the symlink.
      throw isErrno(error, 'EINVAL') ? new FsError('ESTALE', 'readlink') : error
    }
  }

  openDirectory(dir: HostInode, flags = 0): InodeDirectory {
    const onClose = (directory: InodeDirectory): void => void this.#open.delete(directory)
    const directory = openDirectory(this.#host, dir, { noAtime: this.#noAtime || (flags & O_NOATIME) !== 0, onClose })
    this.#open.add(directory)
    return directory
  }

  openFile(inode: HostInode, flags: number): InodeFile {
    const onClose = (file: InodeFile): void => void this.#open.delete(file)
    const file = openFile(this.#host, inode, { flags: this.#noAtime ? flags | O_NOATIME : flags, onClose })
    this.#open.add(file)
    return file
  }

  hold(inode: HostInode): () => void {
    const held = holdInode(this.#host, inode, () => this.#open.delete(held))
    this.#open.add(held)
    return () => held.close()
  }

  create(dir: HostInode, name: string, make: NewInode): HostInode {
    const node = createEntry(this.#host, dir, name, make)
    this.#remember(node, dir, name)
    return node
  }

  createTemporary(dir: HostInode, make: NewInode): HostInode {
    const node = createTemporary(this.#host, dir, make)
    this.#unnamed.add(node)
    return node
  }

  forget(inode: HostInode): void {
    if (!this.#unnamed.delete(inode)) return
    const { fd } = inode
    inode.fd = -1
    fs.closeSync(fd)
  }

  link(inode: HostInode, dir: HostInode, name: string): HostInode {
    const node = linkEntry(this.#host, inode, { dir, name })
    this.forget(inode)
    this.#remember(node, dir, name)
    return node
  }

  unlink(dir: HostInode, name: string, inode: HostInode): void {
    unlinkEntry(this.#host, dir, name, inode)
  }

  rmdir(dir: HostInode, name: string, inode: HostInode): void {
    rmdirEntry(this.#host, dir, name, inode)
  }

  rename(from: NameOf<HostInode>, to: NameOf<HostInode>, flags: number, caller?: Credentials): void {
    renameEntry(this.#host, from, to, flags)
    if ((flags & RENAME_WHITEOUT) !== 0 && caller !== undefined) ownWhiteout(this.#host, from.dir, from.name, caller)
  }

  change(inode: HostInode, change: InodeChange): void {
    changeInode(this.#host, inode, change)
  }

  getXattr(inode: HostInode, name: string): Uint8Array | null {
    return readXattr(this.#host, inode, name)
  }

  setXattr(inode: HostInode, name: string, value: Uint8Array, flags: number): void {
    this.#host.calls.setxattrat(certainPlace(this.#host, inode), name, { value, flags })
  }

  removeXattr(inode: HostInode, name: string): void {
    this.#host.calls.removexattrat(certainPlace(this.#host, inode), name)
  }

  listXattrs(inode: HostInode): readonly string[] {
    return this.#host.calls.listxattrat(placeOf(this.#host, inode))
  }

  getFlags(inode: HostInode): number {
    return inodeFlags(this.#host, inode)
  }

  setFlags(inode: HostInode, flags: number): void {
    setInodeFlags(this.#host, inode, flags)
  }

  statfs(): FileSystemStat {
    return { ...this.#host.calls.statfs(this.root.fd), readOnly: this.readOnly }
  }

  sync(): void {
    const fd = mountDescriptor(this.#host, this.root)
    if (fd === null) throw new FsError('EACCES', 'syncfs')
    this.#host.calls.syncfs(fd)
  }

  encodeHandle(inode: HostInode): StoredFileHandle | null {
    return this.#host.calls.nameToHandle(placeOf(this.#host, inode))
  }

  decodeHandle(stored: StoredFileHandle): HostInode | null {
    return decodeHandle(this.#host, this.root, { stored, lookup: (dir, name) => this.lookup(dir, name) })
  }

  /** Closes every descriptor, also of files that are still open; afterwards everything fails with EBADF. */
  close(): void {
    for (const open of this.#open) open.close()
    for (const inode of this.#unnamed) this.forget(inode)
    this.#host.descriptors.dropAll(this.root)
    for (const fd of [this.root.fd, this.root.mountFd]) if (fd >= 0) fs.closeSync(fd)
    this.root.fd = this.root.mountFd = -1
  }

  #readUuid(): Uint8Array {
    const fd = mountDescriptor(this.#host, this.root)
    return (fd === null ? null : this.#host.calls.fsUuid(fd)) ?? new Uint8Array(16)
  }

  /** Somebody else has taken the object away from its name. */
  #lose(node: HostInode): void {
    detach(node)
    this.#host.descriptors.drop(node)
  }

  #remember(node: HostInode, dir: HostInode, name: string): void {
    attach(node, dir, name)
    node.sweep = this.#sweep
    if (++this.#nodes < this.#nodesAtNextSweep) return
    this.#nodes = sweepTree(this.root, this.#sweep++)
    this.#nodesAtNextSweep = Math.max(nodesLimit, 2 * this.#nodes)
  }
}
