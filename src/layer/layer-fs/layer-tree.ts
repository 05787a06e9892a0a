// One layer collected in memory: the sink of a LayerApplier that applies the layer alone, and the marks that follow
// when the layers below are known.

import { makeDevice } from '../../fs/index.ts'
import { baseName, type LayerPath, parentPath } from '../../path/index.ts'
import { type Attributes, impliedAttributes } from '../attributes.ts'
import type { FileEntry, NodeEntry } from '../entry.ts'
import type { LayerPatch } from '../merge-layer.ts'
import type { TreeSink } from '../tree-sink.ts'
import { childrenOf, LayerInode, type LayerInodeContent } from './inode.ts'

const nodeTypes = { charDevice: 'char', blockDevice: 'block', fifo: 'fifo' } as const

/** A layer's own objects. */
export class LayerTree implements TreeSink {
  /** 1 = base. */
  readonly number: number
  readonly root: LayerInode
  /** By their number, which starts at 1. */
  readonly inodes: LayerInode[] = []
  /** The directory that was used last: entries of one directory come together. */
  #last: { readonly path: LayerPath; readonly directory: LayerInode }

  constructor(number: number) {
    this.number = number
    this.root = this.#create({ type: 'dir', children: new Map() }, impliedAttributes)
    this.#last = { path: '', directory: this.root }
  }

  /** The object at a path without symlinks. */
  at(path: LayerPath): LayerInode | undefined {
    let inode: LayerInode | undefined = this.root
    if (path === '') return inode
    for (const name of path.split('/')) inode = inode === undefined ? undefined : childrenOf(inode)?.get(name)
    return inode
  }

  makeDirectory(path: LayerPath): void {
    const directory = this.#create({ type: 'dir', children: new Map() }, impliedAttributes)
    this.#add(path, directory)
    this.#last = { path, directory }
  }

  describeDirectory(path: LayerPath, attributes: Attributes): void {
    const directory = this.at(path)
    if (directory !== undefined) directory.attributes = attributes
  }

  makeFile(path: LayerPath, { attributes, size, offset, sparse }: FileEntry): void {
    const place = { layer: this.number, offset, sizeBytes: size, sparse }
    this.#add(path, this.#create({ type: 'file', place }, attributes))
  }

  writeFile(): void {} // content stays in the layer

  closeFile(): void {}

  makeSymlink(path: LayerPath, attributes: Attributes, target: string): void {
    this.#add(path, this.#create({ type: 'symlink', target }, attributes))
  }

  makeHardLink(path: LayerPath, target: LayerPath): void {
    const inode = this.at(target)
    if (inode !== undefined) this.#add(path, inode)
  }

  makeNode(path: LayerPath, { kind, attributes, major, minor }: NodeEntry): void {
    this.#add(path, this.#create({ type: nodeTypes[kind], rdev: makeDevice(major, minor) }, attributes))
  }

  remove(path: LayerPath): void {
    const parent = this.#parentOf(path)
    const name = baseName(path)
    const inode = parent === undefined ? undefined : childrenOf(parent)?.get(name)
    if (parent === undefined || inode === undefined) return
    this.#last = { path: '', directory: this.root }
    childrenOf(parent)?.delete(name)
    inode.links--
    if (inode.type === 'dir') parent.links--
  }

  finishDirectory(): void {} // attributes are followed as they change

  /** A hard link of this layer leads to a file of a lower one: it becomes this layer's own (rule 19). */
  copyUp(path: LayerPath, from: LayerTree): void {
    const inode = from.at(path)
    if (inode !== undefined) this.#add(path, this.#create(inode.content, inode.attributes))
  }

  /** What is decided when the layers below are known (rules 8 to 11, 15). */
  apply(patches: readonly LayerPatch[]): void {
    for (const patch of patches) {
      if (patch.kind === 'whiteout') this.#addWhiteout(patch.path)
      else if (patch.kind === 'opaque') this.#markOpaque(patch.path)
      else {
        if (patch.kind === 'directory') this.makeDirectory(patch.path)
        this.describeDirectory(patch.path, patch.attributes)
      }
    }
  }

  #addWhiteout(path: LayerPath): void {
    const attributes = { ...impliedAttributes, mode: 0 }
    this.#add(path, this.#create({ type: 'char', rdev: 0 }, attributes))
  }

  #markOpaque(path: LayerPath): void {
    const directory = this.at(path)
    if (directory !== undefined) directory.isOpaque = true
  }

  #create(content: LayerInodeContent, attributes: Attributes): LayerInode {
    const inode = new LayerInode(this.inodes.length + 1, content, attributes)
    this.inodes.push(inode)
    return inode
  }

  #add(path: LayerPath, inode: LayerInode): void {
    const parent = this.#parentOf(path)
    if (parent === undefined) return
    childrenOf(parent)?.set(baseName(path), inode)
    if (inode.type === 'dir') parent.links++
    else inode.links++
  }

  #parentOf(path: LayerPath): LayerInode | undefined {
    const parent = parentPath(path)
    if (this.#last.path === parent) return this.#last.directory
    const directory = this.at(parent)
    if (directory !== undefined) this.#last = { path: parent, directory }
    return directory
  }
}
