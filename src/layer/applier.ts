// Applying layers to a tree, base first, entry by entry as they stream in: the rules of docs/layers.md, in one place
// for every output. The order of entries inside a layer does not matter where the rules say so: a marker hides what
// is below this layer and never what is its own, wherever it stands, which is why every node knows its layer.

import { OvlError, quote, unreachable, type Warn } from '../errors/index.ts'
import { baseName, joinPath, type LayerPath, parentPath } from '../path/index.ts'
import type { TarHandler, TarHeader } from '../tar/index.ts'
import { type Attributes, impliedAttributes } from './attributes.ts'
import { aufsLinkDirectory, type DecodeOptions, decodeEntry, type FileEntry, type LayerEntry } from './entry.ts'
import { type Isolation, type LayerAlone, NeedsLayersBelow, ownTree, parentSymlinkHidden } from './layer-alone.ts'
import { DirectoryNode, layerOf, nodeAt, type Place, SymlinkNode, type TreeNode, walkDirectories } from './nodes.ts'
import { PathResolver } from './path-resolver.ts'
import type { RemovalCause, TreeSink } from './tree-sink.ts'

/** How entries are read, and what happens to symlinks on their way. */
export type ApplyOptions = DecodeOptions & {
  /** Follow a symlink of a lower layer that leads to a directory instead of hiding it (rule 17). */
  readonly keepDirlinks?: boolean
  /** Write one layer apart from those below it: the sink gets what is the layer's own and nothing else. */
  readonly isolation?: Isolation
}

/** What one layer holds, counted while it was applied. */
export type LayerCounts = {
  entries: number
  files: number
  directories: number
  symlinks: number
  hardLinks: number
  nodes: number
  whiteouts: number
  opaques: number
  /** Bytes of file content, holes included. */
  bytes: number
}

/**
 * Applies the layers of one image to a `TreeSink`. Use: for each layer, base first, `beginLayer()`, feed the returned
 * handler from a `TarReader`, `endLayer()`; after the last, `finish()`.
 *
 * Errors: those of `decodeEntry`, BAD_HARD_LINK, BAD_ENTRY (symlink loops), LIMIT_EXCEEDED. After an error the tree
 * is incomplete and must be thrown away.
 */
export class LayerApplier {
  readonly #sink: TreeSink
  readonly #options: ApplyOptions
  readonly #isolation: Isolation | null
  readonly #root: Place
  readonly #resolver: PathResolver
  #layer = 0
  #entries = 0
  #counts: LayerCounts = noCounts()
  #fileIsOpen = false
  /** Names of lower layers that this layer links to: hiding one of them would make the link's meaning depend on order. */
  readonly #linkedBelow: Set<LayerPath> = new Set()
  /** Directories of lower layers in which this layer has entries. */
  #entered: Place[] = []
  /** What an isolated layer hides, for those who know the layers below. */
  readonly #markers: { whiteouts: LayerPath[]; opaques: LayerPath[] } = { whiteouts: [], opaques: [] }
  readonly #warn: Warn

  constructor(sink: TreeSink, options: ApplyOptions) {
    this.#sink = sink
    this.#isolation = options.isolation ?? null
    this.#root = { directory: this.#isolation?.below ?? new DirectoryNode(0), path: '' }
    this.#warn = warning => options.warn({ layer: this.#layer, ...warning })
    this.#options = { ...options, warn: this.#warn }
    this.#resolver = new PathResolver(this.#root, {
      keepDirlinks: options.keepDirlinks ?? false,
      makeDirectory: (parent, name) => this.#makeImplied(parent, name),
      claim: place => this.#claim(place),
    })
  }

  /** Starts layer `number` (1 = base) and returns the handler for its `TarReader`. */
  beginLayer(number: number): TarHandler {
    this.#layer = number
    this.#counts = noCounts()
    this.#entered = []
    this.#resolver.beginLayer(number)
    return {
      entry: header => this.#entry(header),
      data: (chunk, start, end, fileOffset) => {
        if (this.#fileIsOpen) this.#sink.writeFile(chunk, start, end, fileOffset)
      },
      end: () => {
        if (!this.#fileIsOpen) return
        this.#fileIsOpen = false
        this.#sink.closeFile()
      },
    }
  }

  endLayer(): LayerCounts {
    if (this.#isolation !== null) for (const path of this.#linkedBelow) this.#adopt(path)
    this.#linkedBelow.clear()
    this.#removeChild(this.#root, aufsLinkDirectory, 'opaque')
    return this.#counts
  }

  /** After `endLayer`: directories that this layer has no entry for and takes from below (rule 15), the root left out. */
  impliedDirectories(): readonly LayerPath[] {
    const isImplied = ({ directory, path }: Place): boolean =>
      path !== '' && directory.attributesLayer !== this.#layer && nodeAt(this.#root.directory, path) === directory
    return this.#entered.filter(isImplied).map(({ path }) => path)
  }

  /** What an isolated layer is, after `endLayer`: for `mergeLayer`. */
  layerAlone(): LayerAlone {
    const { directory } = this.#root
    const root = this.#isolation?.below === null ? directory : ownTree(directory, this.#layer)
    return { number: this.#layer, root, ...this.#markers }
  }

  /** Gives every directory its final mode and times: those of its topmost entry, whatever was written inside later (rule 18). */
  finish(): void {
    walkDirectories(this.#root, ({ directory, path }) => this.#sink.finishDirectory(path, directory.attributes))
  }

  #entry(header: TarHeader): void {
    this.#counts.entries++
    const { entries } = this.#options.limits
    if (++this.#entries > entries) throw tooManyEntries(this.#layer, entries)
    const entry = decodeEntry(header, this.#options)
    if (entry !== null) this.#apply(entry)
  }

  #apply(entry: LayerEntry): void {
    switch (entry.kind) {
      case 'directory':
        this.#counts.directories++
        return this.#applyDirectory(entry.path, entry.attributes)
      case 'file':
        return this.#applyFile(entry)
      case 'symlink': {
        this.#counts.symlinks++
        const path = this.#take(entry.path, new SymlinkNode(entry.target, this.#layer))
        return this.#sink.makeSymlink(path, entry.attributes, entry.target)
      }
      case 'hardLink':
        this.#counts.hardLinks++
        return this.#applyHardLink(entry.path, entry.target)
      case 'charDevice':
      case 'blockDevice':
      case 'fifo':
        this.#counts.nodes++
        return this.#sink.makeNode(this.#take(entry.path, this.#layer), entry)
      case 'whiteout':
        this.#counts.whiteouts++
        return this.#applyWhiteout(entry.path)
      case 'opaque':
        this.#counts.opaques++
        return this.#applyOpaque(entry.path)
      default:
        return unreachable(entry)
    }
  }

  #applyDirectory(path: LayerPath, attributes: Attributes): void {
    const place = path === '' ? this.#root : this.#directoryFor(path)
    const { directory } = place
    if (directory.attributesLayer === this.#layer) this.#warnDuplicate(path)
    this.#claim(place)
    directory.attributes = attributes
    directory.attributesLayer = this.#layer
    this.#sink.describeDirectory(place.path, attributes)
  }

  /** The directory that an entry for `path` describes: the one that is there, or a new one. */
  #directoryFor(path: LayerPath): Place {
    const parent = this.#resolver.enter(parentPath(path))
    const name = baseName(path)
    const node = parent.directory.children.get(name)
    if (node instanceof DirectoryNode) return { directory: node, path: joinPath(parent.path, name) }
    const followed = node instanceof SymlinkNode && this.#options.keepDirlinks ? this.#resolver.find(path) : undefined
    return followed === undefined ? this.#makeDirectory(parent, name) : this.#resolver.enter(path)
  }

  /** An entry is here or below: the directory counts as this layer's own; an isolated sink hears of it only now. */
  #claim({ directory, path }: Place): void {
    if (directory.layer === this.#layer) return
    if (directory.layer !== 0) this.#entered.push({ directory, path })
    directory.layer = this.#layer
    directory.replacesOwn = false
    if (this.#isolation !== null && path !== '') this.#sink.makeDirectory(path)
  }

  #applyFile(entry: FileEntry): void {
    this.#counts.files++
    this.#counts.bytes += entry.size
    this.#sink.makeFile(this.#take(entry.path, this.#layer), entry)
    this.#fileIsOpen = true
  }

  #applyHardLink(path: LayerPath, target: LayerPath): void {
    const targetParent = this.#resolver.find(parentPath(target), { throughLower: true })
    const targetName = baseName(target)
    const targetNode = targetParent?.directory.children.get(targetName)
    const cannot = (fact: string) =>
      new OvlError('BAD_HARD_LINK', `Cannot link ${quote(path)} to ${quote(target)} in layer ${this.#layer}: ${fact}`, {
        data: { path, target, layer: this.#layer },
      })
    if (target === '' || targetNode instanceof DirectoryNode) throw cannot('a directory cannot be linked')
    if (targetParent === undefined || targetNode === undefined) {
      if (this.#isolation?.below === null) throw new NeedsLayersBelow(this.#layer)
      throw cannot('no such file so far in this layer or below')
    }
    const targetPath = joinPath(targetParent.path, targetName)
    const parent = this.#resolver.enter(parentPath(path))
    const linkPath = joinPath(parent.path, baseName(path))
    if (linkPath === targetPath) throw cannot('it names itself')
    if (targetPath.startsWith(`${linkPath}/`)) throw cannot('it would replace the directory that holds its target')
    const ofLower = layerOf(targetNode) !== this.#layer
    this.#take(path, targetNode instanceof SymlinkNode ? new SymlinkNode(targetNode.target, this.#layer) : this.#layer)
    // Entering the parent may have put a directory where the target was, or hidden a symlink on the way to it.
    const stillThere = this.#resolver.find(parentPath(targetPath))?.directory.children.get(targetName)
    if (stillThere !== targetNode) throw cannot('this entry hides it')
    if (ofLower) this.#linkBelow(targetPath, layerOf(targetNode))
    this.#sink.makeHardLink(linkPath, targetPath)
  }

  /** A link to a file of a lower layer; an isolated layer gets its own copy, whose node follows when the layer ends. */
  #linkBelow(path: LayerPath, fromLayer: number): void {
    if (this.#linkedBelow.has(path)) return
    this.#linkedBelow.add(path)
    if (this.#isolation === null) return
    this.#resolver.enter(parentPath(path))
    this.#isolation.copyUp(path, fromLayer)
  }

  #adopt(path: LayerPath): void {
    const parent = nodeAt(this.#root.directory, parentPath(path))
    const node = nodeAt(this.#root.directory, path)
    if (!(parent instanceof DirectoryNode) || node === undefined) return
    const own = node instanceof SymlinkNode ? new SymlinkNode(node.target, this.#layer) : this.#layer
    parent.children.set(baseName(path), own)
  }

  /** Makes the name free for an entry that is no directory, puts `node` there and returns the real path. */
  #take(path: LayerPath, node: TreeNode): LayerPath {
    const parent = this.#resolver.enter(parentPath(path))
    const name = baseName(path)
    const { children } = parent.directory
    if (children.has(name)) this.#removeChild(parent, name, 'replaced')
    children.set(name, node)
    return joinPath(parent.path, name)
  }

  #applyWhiteout(path: LayerPath): void {
    const location = this.#resolver.locate(parentPath(path))
    if (location === undefined) return // a loop of symlinks: it hides nothing (rule 9)
    const { trail, missing } = location
    const parent = trail.at(-1) ?? this.#root
    const name = baseName(path)
    if (this.#isolation !== null) this.#markers.whiteouts.push(realPath(parent, [...missing, name]))
    const node = missing.length > 0 ? undefined : parent.directory.children.get(name)
    if (node === undefined) return
    if (layerOf(node) !== this.#layer) return this.#removeChild(parent, name, 'whiteout')
    if (!(node instanceof DirectoryNode)) return
    const place = { directory: node, path: joinPath(parent.path, name) }
    this.#hideAttributes(place) // neither names nor attributes of the directory below stay (rule 8)
    this.#hideChildren(place, 'whiteout')
  }

  #applyOpaque(path: LayerPath): void {
    const location = this.#resolver.locate(path)
    if (location === undefined) return
    const { trail, missing } = location
    const place = trail.at(-1) ?? this.#root
    if (this.#isolation !== null) this.#markers.opaques.push(realPath(place, missing))
    const [name] = missing
    if (name === undefined) return this.#hideChildren(place, 'opaque')
    const node = place.directory.children.get(name)
    if (missing.length > 1 || node === undefined || layerOf(node) === this.#layer) return
    // Not a directory below: an empty directory takes its place (rule 11), which a whiteout may still hide.
    this.#removeChild(place, name, 'opaque')
    if (this.#isolation === null) this.#makeDirectory(place, name).directory.layer = 0
    else place.directory.children.set(name, new DirectoryNode(0))
  }

  /** Removes all that lower layers have below `place`; what this layer has itself stays (rule 7). */
  #hideChildren(place: Place, cause: RemovalCause): void {
    // Here and not child by child: which one comes first depends on how the layers below are known.
    this.#refuseHidingLinked(place.path)
    const pending = [place]
    for (let top = pending.pop(); top !== undefined; top = pending.pop()) {
      for (const [name, node] of top.directory.children) {
        if (layerOf(node) !== this.#layer) this.#removeChild(top, name, cause)
        else if (node instanceof DirectoryNode) {
          const child = { directory: node, path: joinPath(top.path, name) }
          this.#hideAttributes(child)
          pending.push(child)
        }
      }
    }
  }

  /** A directory of this layer loses the attributes it had from the directory below, which is hidden now. */
  #hideAttributes({ directory, path }: Place): void {
    if (directory.attributesLayer === this.#layer || directory.attributesLayer === 0) return
    directory.attributes = impliedAttributes
    directory.attributesLayer = 0
    this.#sink.describeDirectory(path, impliedAttributes)
  }

  #removeChild(parent: Place, name: string, cause: RemovalCause): void {
    const path = joinPath(parent.path, name)
    const node = parent.directory.children.get(name)
    if (node === undefined) return
    this.#refuseHidingLinked(path)
    if (cause === 'replaced' && layerOf(node) === this.#layer) this.#warnDuplicate(path)
    parent.directory.children.delete(name)
    this.#resolver.forget()
    if (node instanceof DirectoryNode) this.#removeContents({ directory: node, path })
    if (this.#isOnDisk(node)) this.#sink.remove(path, { directory: node instanceof DirectoryNode, cause })
  }

  #removeContents(top: Place): void {
    walkDirectories(top, ({ directory, path }) => {
      for (const [name, node] of directory.children) {
        if (!(node instanceof DirectoryNode) && this.#isOnDisk(node))
          this.#sink.remove(joinPath(path, name), { directory: false, cause: 'parent' })
      }
      if (directory !== top.directory && this.#isOnDisk(directory))
        this.#sink.remove(path, { directory: true, cause: 'parent' })
    })
  }

  /** The sink of an isolated layer has nothing of the layers below. */
  #isOnDisk(node: TreeNode): boolean {
    return this.#isolation === null || layerOf(node) === this.#layer
  }

  /** Errors: BAD_HARD_LINK that names the first linked one at or below `path`. */
  #refuseHidingLinked(path: LayerPath): void {
    for (const target of this.#linkedBelow) {
      if (path !== '' && target !== path && !target.startsWith(`${path}/`)) continue
      throw new OvlError(
        'BAD_HARD_LINK',
        `Cannot apply layer ${this.#layer}: it links to ${quote(target)} of a lower layer and hides or replaces it`,
        {
          data: { path: target, layer: this.#layer },
        },
      )
    }
  }

  /** A directory without an entry of its own; what stood in its place is hidden. */
  #makeImplied(parent: Place, name: string): Place {
    const node = parent.directory.children.get(name)
    if (node instanceof SymlinkNode && node.layer !== this.#layer && this.#isolation === null)
      this.#warn(parentSymlinkHidden(joinPath(parent.path, name), node))
    return this.#makeDirectory(parent, name)
  }

  #makeDirectory(parent: Place, name: string): Place {
    const node = parent.directory.children.get(name)
    if (node !== undefined) this.#removeChild(parent, name, 'replaced')
    const directory = new DirectoryNode(this.#layer)
    directory.replacesOwn = node !== undefined && layerOf(node) === this.#layer
    const path = joinPath(parent.path, name)
    parent.directory.children.set(name, directory)
    this.#sink.makeDirectory(path)
    return { directory, path }
  }

  #warnDuplicate(path: LayerPath): void {
    this.#warn({ code: 'DUPLICATE_ENTRY', message: `${quote(path)} occurs more than once; the last entry wins`, path })
  }
}

/** The error of an image with more entries than the limit, met in `layer`. */
export function tooManyEntries(layer: number, limit: number): OvlError {
  return new OvlError('LIMIT_EXCEEDED', `Cannot apply layer ${layer}: the image has more than ${limit} entries`, {
    hint: `--limit entries=${limit * 10}`,
    data: { limit: 'entries', value: limit, layer },
  })
}

function realPath(place: Place, names: readonly string[]): LayerPath {
  return names.reduce(joinPath, place.path)
}

function noCounts(): LayerCounts {
  return {
    entries: 0,
    files: 0,
    directories: 0,
    symlinks: 0,
    hardLinks: 0,
    nodes: 0,
    whiteouts: 0,
    opaques: 0,
    bytes: 0,
  }
}
