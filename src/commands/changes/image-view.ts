// The merged tree of an image as a flat directory has it: names that hard links of a later layer gave to a file of an
// earlier one are names of one file, where an overlay of the layers has copies. Attributes come from the tree in memory,
// content from the layers.

import type { BundleState } from '../../bundle/index.ts'
import { makeDevice } from '../../fs/index.ts'
import type { Image } from '../../image/index.ts'
import {
  type ImageTree,
  type NamedObject,
  type TreeInode,
  type TreeView,
  viewFileSystem,
  type ViewObject,
} from '../../layer/index.ts'
import { comparePaths, joinPath, type LayerPath } from '../../path/index.ts'
import { openMergedImage, type OpenLayersOptions, readImageTree } from '../../unpack/index.ts'
import { objectAt } from './recorded-view.ts'

/** The merged tree of an image; valid until `close`, or until the image is closed. */
export type ImageView = { readonly view: TreeView; readonly close: () => void }

/** How layers are read, and what of the tree is left out. */
export type ImageViewOptions = Pick<OpenLayersOptions, 'limits' | 'warn' | 'signal'> & {
  /** What a bundle could not keep is no change of it: `onDisk` is where it was unpacked to. */
  readonly lost?: { readonly state: BundleState; readonly onDisk: TreeView }
}

/** Reads the layers of an image, verified. Errors: those of `readImageTree` and `openMergedImage`. */
export async function openImageView(image: Image, { lost, ...options }: ImageViewOptions = {}): Promise<ImageView> {
  const { warn: _, ...quiet } = options // what is odd in the layers is told once
  const tree = await readImageTree(image, options)
  const { merged, close } = await openMergedImage(image, quiet)
  return { view: new ImageTreeView(tree, viewFileSystem(merged), lostOf(tree, lost)), close }
}

type Lost = { readonly paths: ReadonlySet<LayerPath>; readonly xattrs: ReadonlyMap<TreeInode, ReadonlySet<string>> }

function lostOf(tree: ImageTree, lost: ImageViewOptions['lost']): Lost {
  if (lost === undefined) return { paths: new Set(), xattrs: new Map() }
  const { files, xattrs } = lost.state.notKept
  return {
    paths: new Set(files.map(({ path }) => path).filter(path => objectAt(lost.onDisk, path) === null)),
    xattrs: new Map(
      xattrs.flatMap(({ path, names }) => {
        const inode = tree.lookup(path)
        return inode === undefined ? [] : [[inode, new Set(names)] as const]
      }),
    ),
  }
}

class ImageTreeView implements TreeView {
  readonly root: ViewObject
  readonly #content: TreeView
  readonly #lost: Lost
  /** One object for an inode, whatever its names. */
  readonly #objects: Map<TreeInode, InodeObject> = new Map()

  constructor(tree: ImageTree, content: TreeView, lost: Lost) {
    this.#content = content
    this.#lost = lost
    this.root = this.#objectOf(tree.root, '')
  }

  list(directory: ViewObject): readonly NamedObject[] {
    const { inode, path } = inodeOf(directory)
    if (inode.kind !== 'directory') return []
    const named = [...inode.children].map(([name, child]) => ({ name, path: joinPath(path, name), child }))
    return named
      .filter(each => !this.#lost.paths.has(each.path))
      .map(each => ({ name: each.name, object: this.#objectOf(each.child, each.path) }))
      .toSorted((a, b) => comparePaths(a.name, b.name))
  }

  find(directory: ViewObject, name: string): ViewObject | null {
    const { inode, path } = inodeOf(directory)
    const child = inode.kind === 'directory' ? inode.children.get(name) : undefined
    const childPath = joinPath(path, name)
    return child === undefined || this.#lost.paths.has(childPath) ? null : this.#objectOf(child, childPath)
  }

  readlink(object: ViewObject): string {
    const { inode } = inodeOf(object)
    return inode.kind === 'symlink' ? inode.target : ''
  }

  xattrs(object: ViewObject): ReturnType<TreeView['xattrs']> {
    const { inode } = inodeOf(object)
    const { xattrs } = inode.attributes
    const lost = this.#lost.xattrs.get(inode)
    if (xattrs === null || lost === undefined) return xattrs
    const rest = new Map([...xattrs].filter(([name]) => !lost.has(name)))
    return rest.size === 0 ? null : rest
  }

  open(object: ViewObject): ReturnType<TreeView['open']> {
    const { path } = inodeOf(object)
    const content = objectAt(this.#content, path)
    if (content === null) throw new Error(`Impossible: the layers have no ${path}, which their tree has`)
    return this.#content.open(content)
  }

  #objectOf(inode: TreeInode, path: LayerPath): InodeObject {
    const known = this.#objects.get(inode)
    if (known !== undefined) return known
    const object = new InodeObject(inode, path, this.#objects.size)
    this.#objects.set(inode, object)
    return object
  }
}

class InodeObject implements ViewObject {
  readonly inode: TreeInode
  /** Where it was met first: any of its names leads to its content. */
  readonly path: LayerPath
  readonly identity: string

  constructor(inode: TreeInode, path: LayerPath, number: number) {
    this.inode = inode
    this.path = path
    this.identity = String(number)
  }

  get type(): ViewObject['type'] {
    return typeNames[this.inode.kind]
  }

  get mode(): number {
    return this.inode.attributes.mode
  }

  get uid(): number {
    return this.inode.attributes.uid
  }

  get gid(): number {
    return this.inode.attributes.gid
  }

  get mtimeSec(): number {
    return this.inode.attributes.mtimeSec
  }

  get mtimeNsec(): number {
    return this.inode.attributes.mtimeNsec
  }

  get sizeBytes(): number {
    return this.inode.kind === 'file' ? this.inode.size : 0
  }

  get nlink(): number {
    return this.inode.links
  }

  get rdev(): number {
    const { inode } = this
    return inode.kind === 'charDevice' || inode.kind === 'blockDevice' ? makeDevice(inode.major, inode.minor) : 0
  }
}

const typeNames: { readonly [kind in TreeInode['kind']]: ViewObject['type'] } = {
  directory: 'dir',
  file: 'file',
  symlink: 'symlink',
  charDevice: 'char',
  blockDevice: 'block',
  fifo: 'fifo',
}

function inodeOf(object: ViewObject): InodeObject {
  if (object instanceof InodeObject) return object
  throw new Error('an object of another tree')
}
