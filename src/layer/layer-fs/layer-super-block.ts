// One layer as a read-only file system, in the form in which overlayfs reads it: a lowerdir that was never extracted.

import { FsError } from '../../errors/index.ts'
import {
  type DirectoryEntry,
  type FileSystemStat,
  type InodeDirectory,
  type InodeFile,
  newDevice,
  type Stat,
  type StoredFileHandle,
  type SuperBlock,
  type SuperBlockFeatures,
  typeBitsOf,
} from '../../fs/index.ts'
import { nameByteLength } from '../../path/index.ts'
import { childrenOf, type ContentPlace, type LayerInode } from './inode.ts'
import { type LayerContent, openLayerFile } from './layer-file.ts'
import type { LayerTree } from './layer-tree.ts'
import { layerXattrs } from './layer-xattrs.ts'

/** What a layer's file system needs besides its tree. */
export type LayerSuperBlockOptions = {
  /** The uncompressed bytes of layer `number`. Errors: whatever reading them throws. */
  readonly content: (number: number) => LayerContent
  /** Of the overlay's marks; default `trusted`. */
  readonly xattrs?: 'trusted' | 'user'
  /** 16 bytes, the same for the same layer: names the layer in `overlay.origin`. Default: zeros. */
  readonly uuid?: Uint8Array
}

const blockBytes = 4096
const sectorBytes = 512
/** An archive has no magic of its own: that of cramfs, a read-only image of a tree like this one. */
const magic = 0x28cd3d45
/** enum fid_type FILEID_INO32_GEN, the handle of an inode number and a generation. */
const inodeHandle = 1

/** The layer as what an overlay stacks on. */
export class LayerSuperBlock implements SuperBlock<LayerInode> {
  readonly root: LayerInode
  readonly readOnly = true
  readonly nameMax = 255
  readonly dev: number = newDevice()
  readonly kind = 'layer'
  readonly uuid: Uint8Array
  readonly features: SuperBlockFeatures = {
    xattrs: ['user', 'trusted', 'security', 'system.posix_acl'],
    renameWhiteout: false,
    temporaryFiles: false,
    handles: true,
    has32BitInodes: true,
  }
  readonly #tree: LayerTree
  readonly #options: LayerSuperBlockOptions

  constructor(tree: LayerTree, options: LayerSuperBlockOptions) {
    this.#tree = tree
    this.#options = options
    this.root = tree.root
    this.uuid = options.uuid ?? new Uint8Array(16)
  }

  now(): bigint {
    return BigInt(Date.now()) * 1_000_000n
  }

  lookup(dir: LayerInode, name: string): LayerInode | null {
    return childrenOf(dir)?.get(name) ?? null
  }

  isSame(a: LayerInode, b: LayerInode): boolean {
    return a === b
  }

  /** An archive has one time only, that of the last change of content: it stands for all three. */
  stat({ type, content, number, attributes, links }: LayerInode): Stat {
    const mtimeNs = BigInt(attributes.mtimeSec) * 1_000_000_000n + BigInt(attributes.mtimeNsec)
    return {
      dev: this.dev,
      ino: BigInt(number),
      mode: typeBitsOf(type) | attributes.mode,
      nlink: links,
      uid: attributes.uid,
      gid: attributes.gid,
      rdev: 'rdev' in content ? content.rdev : 0,
      sizeBytes: sizeOf(content),
      blocks: content.type === 'file' ? Math.ceil(storedBytes(content.place) / sectorBytes) : 0,
      atimeNs: mtimeNs,
      mtimeNs,
      ctimeNs: mtimeNs,
    }
  }

  readlink({ content }: LayerInode): string {
    if (content.type !== 'symlink') throw new FsError('EINVAL', 'readlink')
    return content.target
  }

  openDirectory(dir: LayerInode): InodeDirectory {
    let entries: readonly DirectoryEntry[] | null = null
    return {
      entries: () => (entries ??= listDirectory(dir)),
      rewind() {}, // nothing changes
      close() {},
    }
  }

  openFile({ content }: LayerInode): InodeFile {
    if (content.type !== 'file') throw new FsError('EINVAL', 'open')
    return openLayerFile(content.place, this.#options.content(content.place.layer))
  }

  create(): never {
    throw new FsError('EROFS', 'create')
  }

  createTemporary(): never {
    throw new FsError('EROFS', 'open')
  }

  link(): never {
    throw new FsError('EROFS', 'link')
  }

  unlink(): never {
    throw new FsError('EROFS', 'unlink')
  }

  rmdir(): never {
    throw new FsError('EROFS', 'rmdir')
  }

  rename(): never {
    throw new FsError('EROFS', 'rename')
  }

  change(): never {
    throw new FsError('EROFS', 'setattr')
  }

  getXattr(inode: LayerInode, name: string): Uint8Array | null {
    return this.#xattrs(inode).get(name) ?? null
  }

  setXattr(): never {
    throw new FsError('EROFS', 'setxattr')
  }

  removeXattr(): never {
    throw new FsError('EROFS', 'removexattr')
  }

  listXattrs(inode: LayerInode): readonly string[] {
    return [...this.#xattrs(inode).keys()]
  }

  getFlags(): number {
    return 0
  }

  setFlags(): never {
    throw new FsError('EROFS', 'ioctl')
  }

  statfs(): FileSystemStat {
    const files = this.#tree.inodes.length
    return {
      type: magic,
      blockSizeBytes: blockBytes,
      blocks: 0,
      blocksFree: 0,
      files,
      filesFree: 0,
      nameMax: this.nameMax,
      fsid: BigInt(this.dev),
      readOnly: true,
    }
  }

  sync(): void {}

  encodeHandle({ number }: LayerInode): StoredFileHandle {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setUint32(0, number, true)
    return { type: inodeHandle, bytes }
  }

  decodeHandle({ type, bytes }: StoredFileHandle): LayerInode | null {
    if (type !== inodeHandle || bytes.length !== 8) return null
    const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
    return this.#tree.inodes[number - 1] ?? null
  }

  #xattrs(inode: LayerInode): ReadonlyMap<string, Uint8Array> {
    return layerXattrs(inode, this.#options.xattrs ?? 'trusted')
  }
}

function sizeOf(content: LayerInode['content']): number {
  if (content.type === 'file') return content.place.sizeBytes
  return content.type === 'symlink' ? nameByteLength(content.target) : 0
}

function storedBytes({ sizeBytes, sparse }: ContentPlace): number {
  return sparse === null ? sizeBytes : sparse.reduce((sum, { length }) => sum + length, 0)
}

function listDirectory(dir: LayerInode): readonly DirectoryEntry[] {
  // The parent is not known here; the VFS gives ".." its number, an overlay its own.
  const ino = BigInt(dir.number)
  const entries: DirectoryEntry[] = [
    { name: '.', type: 'dir', ino, offset: 1 },
    { name: '..', type: 'dir', ino, offset: 2 },
  ]
  for (const [name, inode] of childrenOf(dir) ?? [])
    entries.push({ name, type: inode.type, ino: BigInt(inode.number), offset: entries.length + 1 })
  return entries
}
