// The merged tree of an image in memory, with what each layer did to it: the answer to `ls`, `layers` and `cat`
// without unpacking. Content stays in the archive; a file knows where its bytes are.

import { baseName, comparePaths, type LayerPath, parentPath } from '../path/index.ts'
import type { SparseSegment } from '../tar/index.ts'
import { type Attributes, impliedAttributes } from './attributes.ts'
import type { FileEntry, NodeEntry } from './entry.ts'
import type { RemovalCause, TreeSink } from './tree-sink.ts'

type InodeFields = {
  attributes: Attributes /** The layer that decides: 1 = base. */
  layer: number /** Names in the tree. */
  links: number
}

/** A directory and its names, in the order they came. */
export type TreeDirectory = InodeFields & { readonly kind: 'directory'; readonly children: Map<string, TreeInode> }

/** `offset` and `storedSize` say where the content is in the uncompressed layer; `sparse` how to lay it out. */
export type TreeFile = InodeFields & {
  readonly kind: 'file'
  readonly size: number
  readonly offset: number
  readonly storedSize: number
  readonly sparse: readonly SparseSegment[] | null
}
/** A symlink and its target, byte-exact. */
export type TreeSymlink = InodeFields & { readonly kind: 'symlink'; readonly target: string }
/** A device or a FIFO. */
export type TreeSpecial = InodeFields & {
  readonly kind: NodeEntry['kind']
  readonly major: number
  readonly minor: number
}
/** One inode of the tree; hard links share it. */
export type TreeInode = TreeDirectory | TreeFile | TreeSymlink | TreeSpecial

/** What a layer does to one path of the tree below it. */
export type LayerChange = {
  readonly path: LayerPath
  readonly change: 'added' | 'replaced' | 'removed'
  /** What the layer puts there; for 'removed', what it hides. */
  readonly inode: TreeInode
  /** Which kind of marker removed it. */
  readonly by?: 'whiteout' | 'opaque'
}

/** A file or directory that a layer ships and a later layer hides. */
export type HiddenFile = { readonly path: LayerPath; readonly inode: TreeInode; readonly hiddenBy: number }

/** What one layer did, in numbers. */
export type LayerSummary = {
  readonly number: number
  readonly added: number
  readonly replaced: number
  readonly removed: number
  /** Regular files of this layer that no path of the merged tree reaches any more, and their bytes. */
  readonly hiddenFiles: number
  readonly hiddenBytes: number
}

/** Collects the merged tree; use as the sink of a `LayerApplier`, with `beginLayer` and `endLayer` around each layer. */
export class ImageTree implements TreeSink {
  readonly root: TreeDirectory = {
    kind: 'directory',
    attributes: impliedAttributes,
    layer: 0,
    links: 1,
    children: new Map(),
  }
  /** Everything that ships but does not show, in the order it was hidden. */
  readonly hidden: HiddenFile[] = []
  #layer = 0
  #changes: Map<LayerPath, LayerChange> = new Map()
  /** The directory that was used last: entries of one directory come together. */
  #last: { readonly path: LayerPath; readonly directory: TreeDirectory } | undefined
  readonly #counts: { added: number; replaced: number; removed: number; hiddenFiles: number; hiddenBytes: number }[] =
    []

  beginLayer(number: number): void {
    this.#layer = number
    this.#changes = new Map()
    this.#counts[number] = { added: 0, replaced: 0, removed: 0, hiddenFiles: 0, hiddenBytes: 0 }
  }

  /** Ends the layer; returns what it changed, sorted by path. */
  endLayer(): readonly LayerChange[] {
    const changes = [...this.#changes.values()].toSorted((a, b) => comparePaths(a.path, b.path))
    const counts = this.#counts[this.#layer]
    if (counts !== undefined) for (const { change } of changes) counts[change]++
    return changes
  }

  /** One summary a layer, base first. `hidden…` is final when all layers have been applied. */
  summaries(): readonly LayerSummary[] {
    return this.#counts.flatMap((counts, number) => ({ number, ...counts }))
  }

  /**
   * The inode at a path, resolved inside the tree as chroot would; undefined when there is none. `follow` decides
   * whether a symlink in the last place is followed.
   */
  lookup(path: LayerPath, { follow = false }: { readonly follow?: boolean } = {}): TreeInode | undefined {
    const trail: TreeInode[] = [this.root]
    const pending = path.split('/').toReversed()
    let links = 0
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name === '' || name === '.') continue
      if (name === '..') {
        if (trail.length > 1) trail.pop()
        continue
      }
      const top = trail.at(-1)
      const inode = top?.kind === 'directory' ? top.children.get(name) : undefined
      if (inode === undefined) return undefined
      if (inode.kind === 'symlink' && (follow || pending.some(rest => rest !== ''))) {
        if (++links > 40) return undefined
        if (inode.target.startsWith('/')) trail.length = 1
        pending.push(...inode.target.split('/').toReversed())
      } else trail.push(inode)
    }
    return trail.at(-1)
  }

  makeDirectory(path: LayerPath): void {
    this.#add(path, {
      kind: 'directory',
      attributes: impliedAttributes,
      layer: this.#layer,
      links: 0,
      children: new Map(),
    })
  }

  describeDirectory(path: LayerPath, attributes: Attributes): void {
    const inode = this.#at(path)
    if (inode?.kind !== 'directory') return
    const isNews = !sameAttributes(inode.attributes, attributes)
    inode.attributes = attributes
    if (inode.layer === this.#layer) return
    inode.layer = this.#layer
    if (isNews && path !== '' && !this.#changes.has(path)) this.#changes.set(path, { path, change: 'replaced', inode })
  }

  makeFile(path: LayerPath, { attributes, size, offset, storedSize, sparse }: FileEntry): void {
    this.#add(path, { kind: 'file', attributes, layer: this.#layer, links: 0, size, offset, storedSize, sparse })
  }

  writeFile(): void {} // content stays in the archive

  closeFile(): void {}

  makeSymlink(path: LayerPath, attributes: Attributes, target: string): void {
    this.#add(path, { kind: 'symlink', attributes, layer: this.#layer, links: 0, target })
  }

  makeHardLink(path: LayerPath, target: LayerPath): void {
    const inode = this.#at(target)
    if (inode !== undefined) this.#add(path, inode)
  }

  makeNode(path: LayerPath, { kind, attributes, major, minor }: NodeEntry): void {
    this.#add(path, { kind, attributes, layer: this.#layer, links: 0, major, minor })
  }

  remove(path: LayerPath, { cause }: { readonly cause: RemovalCause }): void {
    const parent = this.#parentOf(path)
    const name = baseName(path)
    const inode = parent?.children.get(name)
    if (parent === undefined || inode === undefined) return
    this.#last = undefined
    parent.children.delete(name)
    const known = this.#changes.get(path)
    this.#hide(path, inode)
    if (cause === 'parent' || known?.change === 'added') this.#changes.delete(path)
    else if (known === undefined) {
      this.#changes.set(path, { path, change: 'removed', inode, ...(cause === 'replaced' ? {} : { by: cause }) })
    }
  }

  finishDirectory(): void {} // attributes are followed as they change

  #add(path: LayerPath, inode: TreeInode): void {
    const parent = this.#parentOf(path)
    if (parent === undefined) return
    inode.links++
    parent.children.set(baseName(path), inode)
    if (inode.kind === 'directory') this.#last = { path, directory: inode }
    this.#changes.set(path, { path, change: this.#changes.has(path) ? 'replaced' : 'added', inode })
  }

  /** The directory that holds `path`, which has no symlink in it; the applier has made it. */
  #parentOf(path: LayerPath): TreeDirectory | undefined {
    const parent = parentPath(path)
    if (this.#last?.path === parent) return this.#last.directory
    const inode = this.#at(parent)
    if (inode?.kind !== 'directory') return undefined
    this.#last = { path: parent, directory: inode }
    return inode
  }

  /** The inode at a path without symlinks, as the applier hands them out. */
  #at(path: LayerPath): TreeInode | undefined {
    let inode: TreeInode | undefined = this.root
    if (path !== '')
      for (const name of path.split('/')) inode = inode?.kind === 'directory' ? inode.children.get(name) : undefined
    return inode
  }

  /** Counts what leaves the tree. */
  #hide(path: LayerPath, inode: TreeInode): void {
    inode.links--
    if (inode.layer === this.#layer) return
    this.hidden.push({ path, inode, hiddenBy: this.#layer })
    const counts = this.#counts[inode.layer]
    if (inode.kind !== 'file' || inode.links > 0 || counts === undefined) return
    counts.hiddenFiles++
    counts.hiddenBytes += inode.size
  }
}

function sameAttributes(a: Attributes, b: Attributes): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.mtimeSec === b.mtimeSec &&
    a.mtimeNsec === b.mtimeNsec &&
    sameXattrs(a.xattrs, b.xattrs)
  )
}

function sameXattrs(a: Attributes['xattrs'], b: Attributes['xattrs']): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false
  for (const [name, value] of a ?? []) {
    const other = b?.get(name)
    if (other === undefined || other.length !== value.length || value.some((byte, i) => byte !== other[i])) return false
  }
  return true
}
