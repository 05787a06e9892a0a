// A mounted overlay as a file system for the Vfs: which concept answers which call. fs/overlayfs/super.c, inode.c
// (the inode operations), dir.c.
import { FsError } from '../errors/index.ts'
import {
  type Credentials,
  type FileSystemStat,
  type InodeChange,
  type InodeDirectory,
  type InodeFile,
  isPrivileged,
  type NameOf,
  type NewInode,
  type Ownership,
  type Stat,
  type StoredFileHandle,
  type SuperBlock,
  type SuperBlockFeatures,
} from '../fs/index.ts'
import { O_NOATIME } from '../fs/index.ts'
import { changeObject, dropXattr, listXattrs, readFlags, readXattr, writeFlags, writeXattr } from './change.ts'
import { createNameless, createObject } from './create.ts'
import { closeInode } from './inode-table.ts'
import { linkObject } from './link.ts'
import { lookupName } from './lookup.ts'
import { checkMounter } from './mounter.ts'
import type { OverlayDentry, OverlayMount } from './model.ts'
import { makeRoot } from './mount.ts'
import { openOverlayFile } from './open-file.ts'
import { ownershipOf } from './ownership.ts'
import { openOverlayDirectory } from './readdir.ts'
import { realOf } from './real-object.ts'
import { removeObject } from './remove.ts'
import { renameObject } from './rename.ts'
import { statfsOf, statOf } from './stat.ts'

/** The objects of one overlay. */
export class OverlaySuperBlock implements SuperBlock<OverlayDentry> {
  readonly mount: OverlayMount
  readonly root: OverlayDentry
  readonly readOnly: boolean
  readonly nameMax: number
  readonly dev: number
  readonly kind = 'overlay'
  readonly uuid: Uint8Array
  readonly features: SuperBlockFeatures
  /** Only a mounter that is not capable can be refused what the caller may do (rule 150). */
  readonly permission?: (inode: OverlayDentry, mask: number, caller: Credentials) => void

  constructor(mount: OverlayMount) {
    this.mount = mount
    this.root = makeRoot(mount)
    this.readOnly = mount.readOnly
    this.nameMax = mount.nameMax
    this.dev = mount.dev
    this.uuid = mount.uuid
    this.features = featuresOf(mount)
    if (!isPrivileged(mount.mounter)) this.permission = (inode, mask) => checkMounter(mount, inode, mask)
  }

  now(): bigint {
    const { superBlock } = this.#top()
    return superBlock.now()
  }

  lookup(dir: OverlayDentry, name: string): OverlayDentry | null {
    const known = dir.children?.get(name)
    if (known === undefined) return lookupName(this.mount, dir, name)
    return typeof known === 'string' ? null : known
  }

  isSame(a: OverlayDentry, b: OverlayDentry): boolean {
    return a.inode === b.inode
  }

  stat(inode: OverlayDentry): Stat {
    return statOf(this.mount, inode)
  }

  ownership(inode: OverlayDentry): Ownership {
    return ownershipOf(this.mount, inode)
  }

  readlink(inode: OverlayDentry): string {
    const real = realOf(this.mount, inode.inode)
    return real.superBlock.readlink(real.inode, inode.inode.upper === null ? O_NOATIME : 0)
  }

  openDirectory(dir: OverlayDentry): InodeDirectory {
    return openOverlayDirectory(this.mount, dir)
  }

  openFile(inode: OverlayDentry, flags: number): InodeFile {
    return openOverlayFile(this.mount, inode, flags)
  }

  create(dir: OverlayDentry, name: string, make: NewInode): OverlayDentry {
    return createObject(this.mount, { directory: dir, name }, make)
  }

  createTemporary(dir: OverlayDentry, make: NewInode): OverlayDentry {
    return createNameless(this.mount, dir, make)
  }

  hold({ inode }: OverlayDentry): () => void {
    inode.opened++
    let isHeld = true
    return () => {
      if (isHeld) closeInode(this.mount, inode)
      isHeld = false
    }
  }

  forget({ inode }: OverlayDentry): void {
    if (inode.upper !== null) this.mount.upper?.superBlock.forget?.(inode.upper)
  }

  link(inode: OverlayDentry, dir: OverlayDentry, name: string): OverlayDentry {
    return linkObject(this.mount, inode, { directory: dir, name })
  }

  unlink(_dir: OverlayDentry, _name: string, inode: OverlayDentry): void {
    removeObject(this.mount, inode)
  }

  rmdir(_dir: OverlayDentry, _name: string, inode: OverlayDentry): void {
    removeObject(this.mount, inode)
  }

  rename(from: NameOf<OverlayDentry>, to: NameOf<OverlayDentry>, flags: number): void {
    if (from.inode === null) throw new FsError('ENOENT', 'rename')
    renameObject(this.mount, from.inode, { directory: to.dir, name: to.name, target: to.inode, flags })
  }

  change(inode: OverlayDentry, change: InodeChange): void {
    changeObject(this.mount, inode, change)
  }

  getXattr(inode: OverlayDentry, name: string): Uint8Array | null {
    return readXattr(this.mount, inode, name)
  }

  setXattr(inode: OverlayDentry, name: string, value: Uint8Array, flags: number): void {
    writeXattr(this.mount, inode, { name, value, flags })
  }

  removeXattr(inode: OverlayDentry, name: string): void {
    dropXattr(this.mount, inode, name)
  }

  listXattrs(inode: OverlayDentry): readonly string[] {
    return listXattrs(this.mount, inode)
  }

  getFlags(inode: OverlayDentry): number {
    return readFlags(this.mount, inode)
  }

  setFlags(inode: OverlayDentry, flags: number): void {
    writeFlags(this.mount, inode, flags)
  }

  statfs(): FileSystemStat {
    return statfsOf(this.mount)
  }

  sync(): void {
    if (this.mount.upper !== null && this.mount.config.fsync !== 'volatile') this.mount.upper.superBlock.sync()
  }

  /** An overlay gives no handles that another one could open. */
  encodeHandle(_inode: OverlayDentry): StoredFileHandle | null {
    return null
  }

  decodeHandle(_handle: StoredFileHandle): OverlayDentry | null {
    return null
  }

  #top(): { readonly superBlock: SuperBlock } {
    const layer = this.mount.upper ?? this.mount.lowers[0]
    if (layer === undefined) throw new FsError('EIO', 'stat')
    return layer
  }
}

function featuresOf({ upper, lowers, usesTemporaryFiles }: OverlayMount): SuperBlockFeatures {
  const layers = upper === null ? lowers : [upper, ...lowers]
  return {
    xattrs: [...new Set(layers.flatMap(({ superBlock }) => superBlock.features.xattrs))],
    takesAnyXattr: true,
    renameWhiteout: false,
    temporaryFiles: usesTemporaryFiles,
    handles: false,
    has32BitInodes: false,
  }
}
