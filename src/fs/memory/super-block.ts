// A file system in memory that behaves like Linux' tmpfs: link counts, sizes, times, the order of readdir, attributes,
// file handles and limits (mm/shmem.c, fs/libfs.c), measured on a mounted one. It checks nothing that the VFS checks.
import { FsError } from '../../errors/index.ts'
import { type Credentials, root } from '../credentials.ts'
import { newDevice } from '../device.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, O_NOATIME, O_TRUNC } from '../flags.ts'
import type { FileSystemStat, Stat } from '../stat.ts'
import type {
  InodeChange,
  InodeDirectory,
  InodeFile,
  NameOf,
  NewInode,
  StoredFileHandle,
  SuperBlock,
  SuperBlockFeatures,
} from '../super-block.ts'
import { coarseClock } from './clock.ts'
import { pageSizeBytes } from './content.ts'
import { addEntry, entrySizeBytes, MemoryDirectory } from './directory.ts'
import { decodeFid, encodeFid, generationOf } from './handle.ts'
import type { MemoryInode } from './inode.ts'
import { inheritedFlags, makeInode, noAtimeFlag, targetPages } from './make-inode.ts'
import { MemoryFile } from './open-file.ts'
import { renameInMemory } from './rename.ts'
import { Space } from './space.ts'
import { dropXattr, followMode, forgetXattrs, isAcl, isKept, listNames, setAcl, setPlainXattr } from './xattrs.ts'

/** How a file system in memory is made. Everything is optional. */
export type MemoryOptions = {
  /** The time, in nanoseconds since 1970; by default the real one, in steps of a millisecond. */
  readonly now?: () => bigint
  /** 16 bytes; by default random. */
  readonly uuid?: Uint8Array
  /** Permission bits of the root; by default 0755. */
  readonly mode?: number
  /** Most bytes of file contents, counted in pages of 4096 (tmpfs' size=); by default no limit. */
  readonly sizeBytes?: number
  /** Most inodes (tmpfs' nr_inodes=); by default no limit. */
  readonly maxInodes?: number
  /** When reading sets the access time: as `relatime` does, always, or never. By default "relatime". */
  readonly atime?: 'relatime' | 'strict' | 'never'
  readonly readOnly?: boolean
  /** What the file system can do, to resemble a lesser one: `{ xattrs: [] }` is like ramfs. */
  readonly features?: Partial<SuperBlockFeatures>
}

const tmpfsMagic = 0x01021994
const dayNs = 86_400_000_000_000n
const storedFlags = FS_IMMUTABLE_FL | FS_APPEND_FL | inheritedFlags

const everything: SuperBlockFeatures = {
  xattrs: ['user', 'trusted', 'security', 'system.posix_acl'],
  renameWhiteout: true,
  temporaryFiles: true,
  handles: true,
  // tmpfs encodes handles of its own (shmem_encode_fh), which overlayfs takes for inode numbers of 64 bits.
  has32BitInodes: false,
}

/** The objects of one file system in memory. */
export class MemorySuperBlock implements SuperBlock<MemoryInode> {
  readonly root: MemoryInode
  /** May be set: "mount -o remount,ro". */
  readOnly: boolean
  readonly nameMax = 255
  readonly dev: number = newDevice()
  readonly kind = 'memory'
  readonly uuid: Uint8Array
  readonly features: SuperBlockFeatures
  readonly #now: () => bigint
  readonly #space: Space
  readonly #atime: 'relatime' | 'strict' | 'never'
  /** Filled by `encodeHandle`, so that inodes nobody asked a handle of cost nothing. */
  readonly #byIno = new Map<bigint, MemoryInode>()
  #nextIno = 1n

  constructor(options: MemoryOptions = {}) {
    this.#now = options.now ?? coarseClock()
    this.uuid = options.uuid ?? crypto.getRandomValues(new Uint8Array(16))
    this.#space = new Space({ sizeBytes: options.sizeBytes, maxInodes: options.maxInodes })
    this.#atime = options.atime ?? 'relatime'
    this.readOnly = options.readOnly ?? false
    this.features = { ...everything, ...options.features }
    this.root = this.#newInode(null, { type: 'dir', mode: options.mode ?? 0o755, umask: 0, uid: 0, gid: 0 })
    this.root.nlink = 2
  }

  now(): bigint {
    return this.#now()
  }

  lookup(dir: MemoryInode, name: string): MemoryInode | null {
    return dir.entries.get(name)?.inode ?? null
  }

  isSame(a: MemoryInode, b: MemoryInode): boolean {
    return a === b
  }

  stat(inode: MemoryInode): Stat {
    return {
      dev: this.dev,
      ino: inode.ino,
      mode: inode.mode,
      nlink: inode.nlink,
      uid: inode.uid,
      gid: inode.gid,
      rdev: inode.rdev,
      sizeBytes: inode.sizeBytes,
      blocks: inode.fixedBlocks + inode.content.pages * 8,
      atimeNs: inode.atimeNs,
      mtimeNs: inode.mtimeNs,
      ctimeNs: inode.ctimeNs,
    }
  }

  readlink(inode: MemoryInode, flags = 0): string {
    if (inode.type !== 'symlink') throw new FsError('EINVAL', 'readlink')
    if ((flags & O_NOATIME) === 0) this.accessed(inode)
    return inode.target
  }

  openDirectory(dir: MemoryInode, flags = 0): InodeDirectory {
    return new MemoryDirectory(dir, inode => {
      if ((flags & O_NOATIME) === 0) this.accessed(inode)
    })
  }

  openFile(inode: MemoryInode, flags: number): InodeFile {
    const file = new MemoryFile(inode, flags, this)
    if ((flags & O_TRUNC) !== 0) {
      this.#resize(inode, 0)
      inode.mtimeNs = inode.ctimeNs = this.#now()
    }
    return file
  }

  create(dir: MemoryInode, name: string, make: NewInode): MemoryInode {
    this.#checkFree(dir, name)
    const inode = this.#newInode(dir, make)
    inode.nlink = inode.isDirectory ? 2 : 1
    inode.parent = dir
    if (inode.isDirectory) dir.nlink++
    this.#attach(dir, name, inode)
    return inode
  }

  createTemporary(dir: MemoryInode, make: NewInode): MemoryInode {
    if (!this.features.temporaryFiles) throw new FsError('EOPNOTSUPP', 'open')
    return this.#newInode(dir, make)
  }

  forget(inode: MemoryInode): void {
    this.closed(inode)
  }

  link(inode: MemoryInode, dir: MemoryInode, name: string): MemoryInode {
    this.#checkFree(dir, name)
    // The first name of a temporary file was counted when it was made.
    if (inode.nlink > 0) this.#space.takeInode('link')
    inode.nlink++
    this.#attach(dir, name, inode)
    inode.ctimeNs = dir.ctimeNs
    return inode
  }

  unlink(dir: MemoryInode, name: string, _inode: MemoryInode): void {
    const inode = this.#detach(dir, name)
    inode.ctimeNs = dir.ctimeNs
    this.dropName(inode)
  }

  rmdir(dir: MemoryInode, name: string, inode: MemoryInode): void {
    if (inode.entries.size > 0) throw new FsError('ENOTEMPTY', 'rmdir')
    this.#detach(dir, name)
    inode.ctimeNs = dir.ctimeNs
    inode.nlink--
    dir.nlink--
    this.dropName(inode)
  }

  rename(from: NameOf<MemoryInode>, to: NameOf<MemoryInode>, flags: number, caller = root): void {
    renameInMemory(from, to, { flags, caller, host: this })
  }

  change(inode: MemoryInode, change: InodeChange): void {
    const resized = change.sizeBytes !== undefined && this.#resize(inode, change.sizeBytes)
    const rest = changeFields(inode, change)
    if (!resized && !rest) return
    const now = this.#now()
    inode.ctimeNs = now
    if (resized && change.mtimeNs === undefined) inode.mtimeNs = now
  }

  getXattr(inode: MemoryInode, name: string): Uint8Array | null {
    const value = inode.xattrs?.get(name)
    return value === undefined ? null : new Uint8Array(value)
  }

  setXattr(inode: MemoryInode, name: string, value: Uint8Array, flags: number): void {
    if (!isKept(this.features.xattrs, name)) throw new FsError('EOPNOTSUPP', 'setxattr')
    if (isAcl(name)) setAcl(inode, name, value)
    else setPlainXattr(inode, { name, value, flags }, this.#space)
    inode.ctimeNs = this.#now()
  }

  removeXattr(inode: MemoryInode, name: string): void {
    if (!isKept(this.features.xattrs, name)) throw new FsError('EOPNOTSUPP', 'removexattr')
    dropXattr(inode, name, this.#space)
    inode.ctimeNs = this.#now()
  }

  listXattrs(inode: MemoryInode): readonly string[] {
    return listNames(inode)
  }

  getFlags(inode: MemoryInode): number {
    return inode.flags
  }

  setFlags(inode: MemoryInode, flags: number): void {
    if ((flags & ~storedFlags) !== 0) throw new FsError('EOPNOTSUPP', 'ioctl')
    inode.flags = flags
    inode.ctimeNs = this.#now()
  }

  statfs(): FileSystemStat {
    const view = new DataView(this.uuid.buffer, this.uuid.byteOffset)
    const { pages, inodes } = this.#space
    return {
      type: tmpfsMagic,
      blockSizeBytes: pageSizeBytes,
      blocks: pages.all,
      blocksFree: pages.free,
      files: inodes.all,
      filesFree: inodes.free,
      nameMax: this.nameMax,
      fsid: view.getBigUint64(0, true) ^ view.getBigUint64(8, true),
      readOnly: this.readOnly,
    }
  }

  sync(): void {}

  encodeHandle(inode: MemoryInode): StoredFileHandle | null {
    if (!this.features.handles) return null
    this.#byIno.set(inode.ino, inode)
    return encodeFid(inode)
  }

  decodeHandle(handle: StoredFileHandle): MemoryInode | null {
    const fid = decodeFid(handle)
    const inode = fid === null ? undefined : this.#byIno.get(fid.ino)
    return inode !== undefined && inode.nlink > 0 && inode.generation === fid?.generation ? inode : null
  }

  /** For the parts of this file system: pages and inodes left. */
  get space(): Space {
    return this.#space
  }

  /** For the parts of this file system: touch_atime. */
  accessed(inode: MemoryInode): void {
    if (this.#atime === 'never' || this.readOnly || (inode.flags & noAtimeFlag) !== 0) return
    const { atimeNs } = inode
    const now = this.#now()
    const isRecent = atimeNs > inode.mtimeNs && atimeNs > inode.ctimeNs && now - atimeNs < dayNs
    if (this.#atime === 'relatime' && isRecent) return
    inode.atimeNs = now
  }

  /** For the parts of this file system: an open file is gone. */
  closed(inode: MemoryInode): void {
    if (inode.nlink > 0 || inode.opened > 0 || inode.isEvicted) return
    inode.isEvicted = true
    this.#evict(inode)
  }

  /** For the parts of this file system: the inode of RENAME_WHITEOUT. */
  newWhiteout(dir: MemoryInode, { uid, gid }: Credentials): MemoryInode {
    if (!this.features.renameWhiteout) throw new FsError('EINVAL', 'rename')
    const whiteout = this.#newInode(dir, { type: 'char', mode: 0, umask: 0, uid, gid, rdev: 0 })
    whiteout.nlink = 1
    return whiteout
  }

  /** For the parts of this file system: one name less. The inode goes with the last name and the last open file. */
  dropName(inode: MemoryInode): void {
    inode.nlink--
    if (inode.nlink > 0) this.#space.freeInode()
    else {
      this.#byIno.delete(inode.ino)
      this.closed(inode)
    }
  }

  #evict(inode: MemoryInode): void {
    this.#space.addPages(-inode.content.pages - inode.fixedBlocks / 8)
    forgetXattrs(inode, this.#space)
    this.#space.freeInode()
  }

  #checkFree(dir: MemoryInode, name: string): void {
    if (dir.nlink === 0) throw new FsError('ENOENT', 'create')
    if (dir.entries.has(name)) throw new FsError('EEXIST', 'create')
  }

  #attach(dir: MemoryInode, name: string, inode: MemoryInode): void {
    addEntry(dir, name, inode)
    dir.sizeBytes += entrySizeBytes
    dir.mtimeNs = dir.ctimeNs = this.#now()
  }

  #detach(dir: MemoryInode, name: string): MemoryInode {
    const entry = dir.entries.get(name)
    if (entry === undefined) throw new FsError('ENOENT', 'unlink')
    dir.entries.delete(name)
    dir.sizeBytes -= entrySizeBytes
    dir.mtimeNs = dir.ctimeNs = this.#now()
    return entry.inode
  }

  /** An inode without a name. Errors: ENOSPC. */
  #newInode(dir: MemoryInode | null, make: NewInode): MemoryInode {
    const pages = make.type === 'symlink' ? targetPages(make) : 0
    if (this.#space.freePages < pages) throw new FsError('ENOSPC', 'symlink')
    this.#space.takeInode('create')
    this.#space.addPages(pages)
    const ino = this.#nextIno++
    return makeInode(dir, make, { ino, generation: generationOf(ino, this.uuid), nowNs: this.#now() })
  }

  /** True when the times change: for a new size, and whenever there was something to cut off from (shmem_setattr). */
  #resize(inode: MemoryInode, sizeBytes: number): boolean {
    const { content } = inode
    const isNew = sizeBytes !== inode.sizeBytes
    const cuts = sizeBytes <= inode.sizeBytes && content.pages > 0
    if (cuts) {
      const before = content.pages
      content.free(sizeBytes, Infinity)
      this.#space.addPages(content.pages - before)
    }
    inode.sizeBytes = sizeBytes
    return isNew || cuts
  }
}

/** True when anything but the size is set. */
function changeFields(inode: MemoryInode, change: InodeChange): boolean {
  const { mode, uid, gid, atimeNs, mtimeNs } = change
  if (mode !== undefined) {
    inode.setPermissions(mode)
    if (inode.xattrs !== null) followMode(inode)
  }
  if (uid !== undefined) inode.uid = uid
  if (gid !== undefined) inode.gid = gid
  if (atimeNs !== undefined) inode.atimeNs = atimeNs
  if (mtimeNs !== undefined) inode.mtimeNs = mtimeNs
  return (mode ?? uid ?? gid ?? atimeNs ?? mtimeNs) !== undefined || change.sizeBytes === undefined
}
