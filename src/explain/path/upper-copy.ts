// A stage on which operations can be tried: the upper layer is copied into memory as far as the path needs it, and
// files are copied as holes, for what counts is where something is copied and not what.

import { FsError } from '../../errors/index.ts'
import {
  type FileSystem,
  type Inode,
  type InodeFile,
  MemoryFs,
  type NewInode,
  type SuperBlock,
  Vfs,
} from '../../fs/index.ts'
import type { ExplainedLayer } from './own-node.ts'

/** A file system with an upper and a work directory. */
export function stageUpper(upper: ExplainedLayer | null, path: string): MemoryFs {
  const stage = new MemoryFs()
  stage.mkdir('/upper', 0o755)
  stage.mkdir('/work', 0o755)
  if (upper !== null) copyChain(upper, stage, path)
  return stage
}

/** The same tree, whose files read as holes: copying them up costs nothing. */
export function hollow(fs: FileSystem): FileSystem {
  const superBlock = new Proxy(fs.superBlock, {
    get(target, key) {
      if (key === 'openFile') return openHole
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  return new Vfs(superBlock)
}

function openHole(): InodeFile {
  return hole
}

const hole: InodeFile = {
  read: target => target.fill(0).length,
  seekData() {
    throw new FsError('ENXIO', 'lseek')
  },
  seekHole: position => position,
  write: () => 0,
  allocate() {},
  sync() {},
  close() {},
}

/** The directories on the way to the path, the object there, and if it is a directory the names in it. */
function copyChain({ fs, path: top }: ExplainedLayer, stage: MemoryFs, path: string): void {
  const from = fs.superBlock
  const to = stage.superBlock as SuperBlock
  let source: Inode | null = childOf(from, from.root, top)
  let target: Inode | null = to.lookup(to.root, 'upper')
  if (source === null || target === null) return
  copyAttributes({ from, to }, source, target)
  for (const name of path.split('/')) {
    if (name === '') continue
    if (source.type !== 'dir') return
    source = from.lookup(source, name)
    if (source === null) return
    target = copyObject({ from, to }, { source, dir: target, name })
  }
  if (source.type !== 'dir') return
  for (const { name } of from.openDirectory(source).entries()) {
    const child = name === '.' || name === '..' ? null : from.lookup(source, name)
    if (child !== null) copyObject({ from, to }, { source: child, dir: target, name })
  }
}

type Trees = { readonly from: SuperBlock; readonly to: SuperBlock }

function copyObject(trees: Trees, at: { readonly source: Inode; readonly dir: Inode; readonly name: string }): Inode {
  const { from, to } = trees
  const { mode, uid, gid, rdev, sizeBytes } = from.stat(at.source)
  const { type } = at.source
  const make: NewInode = {
    type,
    mode: mode & 0o7777,
    umask: 0,
    uid,
    gid,
    rdev,
    ...(type === 'symlink' ? { target: from.readlink(at.source) } : {}),
  }
  const made = to.create(at.dir, at.name, make)
  if (type === 'file') to.change(made, { sizeBytes })
  copyAttributes(trees, at.source, made)
  return made
}

function copyAttributes({ from, to }: Trees, source: Inode, target: Inode): void {
  for (const name of from.listXattrs(source)) {
    const value = from.getXattr(source, name)
    if (value !== null) to.setXattr(target, name, value, 0)
  }
}

function childOf(superBlock: SuperBlock, top: Inode, path: string): Inode | null {
  let inode: Inode | null = top
  for (const name of path.split('/')) {
    if (name === '' || inode === null) continue
    inode = superBlock.lookup(inode, name)
  }
  return inode
}
