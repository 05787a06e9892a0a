// Open files (rules 93, 94, 109-116). A file that is copied up while open is read from its copy from then on: every
// call asks which layer has the data now. fs/overlayfs/file.c: ovl_open(), ovl_real_fdget_meta().
import { FsError } from '../errors/index.ts'
import { type Inode, type InodeFile, O_CREAT, O_EXCL, O_TRUNC } from '../fs/index.ts'
import { copyUp, isCopiedUp, needsUpper } from './copy-up.ts'
import { closeInode } from './inode-table.ts'
import { findLazyData, settleData } from './lazy-data.ts'
import { accessFlags, hasUpperData, type OverlayDentry, type OverlayInode, type OverlayMount } from './model.ts'
import { refreshOwnership } from './ownership.ts'

/** Opens a regular file, copied up if it is going to change. Errors: those of copy-up, ENOENT and EIO without data. */
export function openOverlayFile(mount: OverlayMount, dentry: OverlayDentry, flags: number): InodeFile {
  const { inode } = dentry
  settleData(mount, dentry)
  if (needsUpper(flags) && !isCopiedUp(dentry, flags)) {
    copyUp(mount, dentry, { reason: 'it is opened for writing', flags })
  }
  return new OverlayFile(mount, inode, flags & ~(O_CREAT | O_EXCL | O_TRUNC))
}

/** The object that holds the data of a file. Errors: EIO. */
export function dataOf(mount: OverlayMount, inode: OverlayInode): Inode {
  if (inode.upper !== null && hasUpperData(inode)) return inode.upper
  if (inode.lazyDataRedirect !== null) findLazyData(mount, inode)
  const data = inode.lower[inode.lower.length - 1]
  if (data === undefined) throw new FsError('EIO', 'open')
  return data.inode
}

/** Opens what holds the data; reading a lower file leaves its access time (rule 115). */
function openData(mount: OverlayMount, inode: OverlayInode, { data, flags }: OpenData): InodeFile {
  const layer = inode.upper !== null && hasUpperData(inode) ? mount.upper : inode.lower[inode.lower.length - 1]?.layer
  if (layer === null || layer === undefined) throw new FsError('EIO', 'open')
  return layer.superBlock.openFile(data, flags | accessFlags(layer))
}

type OpenData = { readonly data: Inode; readonly flags: number }

class OverlayFile implements InodeFile {
  readonly #mount: OverlayMount
  readonly #inode: OverlayInode
  readonly #flags: number
  #data: Inode
  #real: InodeFile

  constructor(mount: OverlayMount, inode: OverlayInode, flags: number) {
    this.#mount = mount
    this.#inode = inode
    this.#flags = flags
    this.#data = dataOf(mount, inode)
    this.#real = openData(mount, inode, { data: this.#data, flags })
    inode.opened++
    inode.openFiles = (inode.openFiles ?? new Set()).add(this)
  }

  /** Takes hold of the upper file before it loses its last name: the kernel would find it without. */
  refresh(): void {
    this.#current()
  }

  read(target: Uint8Array, position: number): number {
    return this.#current().read(target, position)
  }

  write(source: Uint8Array, position: number): number {
    const count = this.#current().write(source, position)
    refreshOwnership(this.#mount, this.#inode)
    return count
  }

  sync(): void {
    const real = this.#current()
    // Nothing of a lower file has to reach the disk (rule 155).
    if (this.#mount.config.fsync !== 'volatile' && this.#data === this.#inode.upper) real.sync()
  }

  seekData(position: number): number {
    return this.#current().seekData(position)
  }

  seekHole(position: number): number {
    return this.#current().seekHole(position)
  }

  allocate(mode: number, position: number, lengthBytes: number): void {
    this.#current().allocate(mode, position, lengthBytes)
    refreshOwnership(this.#mount, this.#inode)
  }

  close(): void {
    this.#real.close()
    this.#inode.openFiles?.delete(this)
    closeInode(this.#mount, this.#inode)
  }

  /** The file of the layer that has the data now (rule 109). */
  #current(): InodeFile {
    const inode = this.#inode
    const data = inode.upper !== null && inode.hasUpperData ? inode.upper : dataOf(this.#mount, inode)
    if (data !== this.#data) {
      this.#real.close()
      this.#data = data
      this.#real = openData(this.#mount, inode, { data, flags: this.#flags })
    }
    return this.#real
  }
}
