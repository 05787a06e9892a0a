// Open files and directories: struct file with its own position, and the checks that fs/read_write.c, fs/open.c and
// fs/ioctl.c make for file descriptors. The object stays usable when its name is gone.
import { FsError } from '../../errors/index.ts'
import { type Credentials, isPrivileged } from '../credentials.ts'
import type { FileHandle } from '../file-system.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL, O_ACCMODE, O_APPEND, O_PATH, O_RDONLY, O_RDWR, O_WRONLY } from '../flags.ts'
import { majorOf } from '../mode.ts'
import type { DirectoryEntry, Stat } from '../stat.ts'
import type { Inode, InodeDirectory, InodeFile } from '../super-block.ts'
import { allocateRange } from './allocate.ts'
import {
  checkWritable,
  chmodInode,
  chownInode,
  fileSizeLimitBytes,
  removePrivileges,
  type Times,
  truncateInode,
  utimensInode,
} from './attributes.ts'
import { linkInode } from './create.ts'
import { isAppendOnly, isOwnerOrCapable } from './permission.ts'
import { type Subject, type View, viewOf } from './view.ts'
import {
  checkAttributeName,
  checkNewAttribute,
  getAttribute,
  listAttributes,
  removeAttribute,
  setAttribute,
} from './xattr.ts'

/** Opens an object whose permissions have been checked. Errors: ENXIO for a socket, and for a device of major 0. */
export function openHandle(view: View, inode: Inode, flags: number): FileHandle {
  if ((flags & O_PATH) !== 0) return new OpenFile(view, inode, { flags, file: null, directory: null })
  if (inode.type === 'socket' || isDriverless(view, inode)) throw new FsError('ENXIO', 'open')
  const file = inode.type === 'file' ? view.superBlock.openFile(inode, flags) : null
  const directory = inode.type === 'dir' ? view.superBlock.openDirectory(inode, flags) : null
  if (directory !== null) view.state.openDirectories++
  return new OpenFile(view, inode, { flags, file, directory })
}

/** No driver has major 0: a whiteout is a device that nothing stands behind (chrdev_open()). */
function isDriverless({ superBlock }: View, inode: Inode): boolean {
  return (inode.type === 'char' || inode.type === 'block') && majorOf(superBlock.stat(inode).rdev) === 0
}

type Opened = { readonly flags: number; readonly file: InodeFile | null; readonly directory: InodeDirectory | null }

/** What all callers of one open file share. */
type OpenState = {
  position: number
  isOpen: boolean
  /** `privilegeChanges` when the file was last known to have nothing that a write of `plainFor` takes away. */
  plainSince: number
  plainFor: Credentials | null
  /** Of an object that is neither file nor directory: lets it go. */
  readonly release: (() => void) | undefined
}

class OpenFile implements FileHandle {
  readonly flags: number
  readonly inode: Inode
  readonly #view: View
  readonly #file: InodeFile | null
  readonly #directory: InodeDirectory | null
  readonly #state: OpenState

  constructor(view: View, inode: Inode, opened: Opened, state: OpenState = newState(view, inode, opened)) {
    this.#view = view
    this.inode = inode
    this.flags = opened.flags
    this.#file = opened.file
    this.#directory = opened.directory
    this.#state = state
  }

  as(caller: Credentials): FileHandle {
    const opened = { flags: this.flags, file: this.#file, directory: this.#directory }
    return new OpenFile(viewOf(this.#view.superBlock, caller), this.inode, opened, this.#state)
  }

  stat(): Stat {
    if (!this.#state.isOpen) throw new FsError('EBADF', 'fstat')
    return this.#view.superBlock.stat(this.inode)
  }

  read(target: Uint8Array, position?: number): number {
    checkPosition('read', position)
    this.#mayUse('read', this.#reads)
    if (this.#directory !== null) throw new FsError('EISDIR', 'read')
    const from = this.#start('read', position)
    if (this.#file === null) return 0
    const count = this.#file.read(target, from)
    if (position === undefined) this.#state.position = from + count
    return count
  }

  write(source: Uint8Array, position?: number): number {
    checkPosition('write', position)
    this.#mayUse('write', this.#writes)
    let from = this.#start('write', position)
    if (this.#file === null) return source.length
    if (source.length === 0) return 0
    if ((this.flags & O_APPEND) !== 0) from = this.#view.superBlock.stat(this.inode).sizeBytes
    if (from + source.length > fileSizeLimitBytes) throw new FsError('EFBIG', 'write')
    this.#losePrivileges()
    const count = this.#file.write(source, from)
    if (position === undefined) this.#state.position = from + count
    return count
  }

  seek(offset: number, whence: 'set' | 'current' | 'end' | 'data' | 'hole'): number {
    this.#mayUse('seek', true)
    if (this.inode.type === 'fifo') throw new FsError('ESPIPE', 'seek')
    if (this.#file === null) return this.#seekWithoutContent(offset, whence)
    this.#state.position = this.#seekInFile(this.#file, offset, whence)
    return this.#state.position
  }

  truncate(sizeBytes: number): void {
    if (sizeBytes < 0) throw new FsError('EINVAL', 'ftruncate')
    this.#mayUse('ftruncate', true)
    if (this.#file === null || !this.#writes) throw new FsError('EINVAL', 'ftruncate')
    if (isAppendOnly(this.#view, this.inode)) throw new FsError('EPERM', 'ftruncate')
    truncateInode(this.#view, this.#subject('ftruncate'), { sizeBytes, mtimeNs: this.#view.superBlock.now() })
  }

  allocate(mode: number, position: number, lengthBytes: number): void {
    this.#mayUse('fallocate', true)
    const range = { mode, position, lengthBytes }
    allocateRange(this.#view, { inode: this.inode, file: this.#file, isWritable: this.#writes }, range)
  }

  chmod(mode: number): void {
    this.#mayUse('fchmod', true)
    chmodInode(this.#view, this.#subject('fchmod'), mode)
  }

  chown(uid: number, gid: number): void {
    this.#mayUse('fchown', true)
    chownInode(this.#view, this.#subject('fchown'), { uid, gid })
  }

  utimens(times: Times): void {
    if (times.atime === 'omit' && times.mtime === 'omit') return
    this.#mayUse('futimens', true)
    utimensInode(this.#view, this.#subject('futimens'), times)
  }

  getxattr(name: string): Uint8Array {
    checkAttributeName('fgetxattr', name)
    this.#mayUse('fgetxattr', true)
    return getAttribute(this.#view, this.#subject('fgetxattr'), name)
  }

  setxattr(name: string, value: Uint8Array, flags = 0): void {
    const attribute = { name, value, flags }
    checkNewAttribute('fsetxattr', attribute)
    this.#mayUse('fsetxattr', true)
    setAttribute(this.#view, this.#subject('fsetxattr'), attribute)
  }

  removexattr(name: string): void {
    checkAttributeName('fremovexattr', name)
    this.#mayUse('fremovexattr', true)
    removeAttribute(this.#view, this.#subject('fremovexattr'), name)
  }

  listxattr(): readonly string[] {
    this.#mayUse('flistxattr', true)
    return listAttributes(this.#view, this.#subject('flistxattr'))
  }

  getFlags(): number {
    this.#mayUse('ioctl', true)
    return this.#view.superBlock.getFlags(this.inode)
  }

  setFlags(flags: number): void {
    this.#mayUse('ioctl', true)
    checkWritable(this.#view, { syscall: 'ioctl' })
    if (!isOwnerOrCapable(this.#view, this.inode)) throw new FsError('EPERM', 'ioctl')
    const changed = (flags ^ this.#view.superBlock.getFlags(this.inode)) & (FS_APPEND_FL | FS_IMMUTABLE_FL)
    if (changed !== 0 && !isPrivileged(this.#view.caller)) throw new FsError('EPERM', 'ioctl')
    this.#view.superBlock.setFlags(this.inode, flags)
  }

  linkAs(path: string): void {
    if (!this.#state.isOpen) throw new FsError('EBADF', 'link')
    linkInode(this.#view, this.inode, path)
  }

  readdir(): readonly DirectoryEntry[] {
    this.#mayUse('readdir', true)
    if (this.#directory === null) throw new FsError('ENOTDIR', 'readdir')
    if (this.#view.state.dead.has(this.inode)) throw new FsError('ENOENT', 'readdir')
    return this.#directory.entries()
  }

  rewind(): void {
    this.#mayUse('rewind', true)
    this.#directory?.rewind()
    this.#state.position = 0
  }

  sync(): void {
    this.#mayUse('fsync', true)
    if (this.#file !== null) this.#file.sync()
    else if (this.#directory === null) throw new FsError('EINVAL', 'fsync')
  }

  close(): void {
    if (!this.#state.isOpen) throw new FsError('EBADF', 'close')
    this.#state.isOpen = false
    this.#file?.close()
    this.#directory?.close()
    if (this.#directory !== null) this.#view.state.openDirectories--
    this.#state.release?.()
    this.#view.superBlock.forget?.(this.inode)
  }

  get #reads(): boolean {
    const mode = this.flags & O_ACCMODE
    return mode === O_RDONLY || mode === O_RDWR
  }

  get #writes(): boolean {
    const mode = this.flags & O_ACCMODE
    return mode === O_WRONLY || mode === O_RDWR
  }

  #subject(syscall: string): Subject {
    return { inode: this.inode, syscall }
  }

  /** A handle of O_PATH only names the object. */
  #mayUse(syscall: string, isAllowed: boolean): void {
    if (!this.#state.isOpen || !isAllowed || (this.flags & O_PATH) !== 0) throw new FsError('EBADF', syscall)
  }

  #start(syscall: string, position: number | undefined): number {
    if (position === undefined) return this.#state.position
    if (this.inode.type === 'fifo') throw new FsError('ESPIPE', syscall)
    return position
  }

  /** Asks once until something may have changed. */
  #losePrivileges(): void {
    const { state, caller } = this.#view
    if (this.#state.plainSince === state.privilegeChanges && this.#state.plainFor === caller) return
    removePrivileges(this.#view, this.#subject('write'))
    this.#state.plainSince = state.privilegeChanges
    this.#state.plainFor = caller
  }

  #seekInFile(file: InodeFile, offset: number, whence: 'set' | 'current' | 'end' | 'data' | 'hole'): number {
    const sizeBytes = whence === 'set' || whence === 'current' ? 0 : this.#view.superBlock.stat(this.inode).sizeBytes
    if (whence === 'data' || whence === 'hole') {
      if (offset < 0 || offset >= sizeBytes) throw new FsError('ENXIO', 'seek')
      return whence === 'data' ? file.seekData(offset) : file.seekHole(offset)
    }
    const base = { set: 0, current: this.#state.position, end: sizeBytes }[whence]
    if (base + offset < 0 || base + offset > fileSizeLimitBytes) throw new FsError('EINVAL', 'seek')
    return base + offset
  }

  /** Of a directory only the beginning means something here; devices have one position. */
  #seekWithoutContent(offset: number, whence: string): number {
    if (this.#directory === null) return 0
    const position = whence === 'current' ? this.#state.position + offset : offset
    if ((whence !== 'set' && whence !== 'current') || position < 0) throw new FsError('EINVAL', 'seek')
    if (position === 0) this.#directory.rewind()
    this.#state.position = position
    return position
  }
}

function newState(view: View, inode: Inode, { file, directory }: Opened): OpenState {
  const release = file === null && directory === null ? view.superBlock.hold?.(inode) : undefined
  return { position: 0, isOpen: true, plainSince: -1, plainFor: null, release }
}

/** Before the handle is looked at, as the kernel does. */
function checkPosition(syscall: string, position: number | undefined): void {
  if (position !== undefined && position < 0) throw new FsError('EINVAL', syscall)
}
