// What one layer has at a path of its own, whether it shows in the merged tree or not.

import {
  type FileSystem,
  type FileType,
  fileTypeOf,
  type Inode,
  majorOf,
  minorOf,
  type Stat,
  type SuperBlock,
} from '../../fs/index.ts'

/** A layer to be explained: the directory `path` of `fs`. */
export type ExplainedLayer = { readonly label: string; readonly fs: FileSystem; readonly path: string }

/** An object, in what people ask about. */
export type NodeSummary = {
  readonly type: FileType | 'whiteout'
  /** Permission bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly target: string | null
  readonly rdev: string | null
  /** Names of the overlay's attributes it carries: "overlay.opaque". */
  readonly marks: readonly string[]
}

/** The object a layer has at a path, its symlinks not followed; null: none. */
export function ownNode({ fs, path: top }: ExplainedLayer, path: string): NodeSummary | null {
  const { superBlock } = fs
  let inode: Inode | null = superBlock.root
  for (const name of `${top}/${path}`.split('/')) {
    if (name === '' || name === '.') continue
    if (inode.type !== 'dir') return null
    inode = superBlock.lookup(inode, name)
    if (inode === null) return null
  }
  return summarize(superBlock, inode)
}

/** What is known of an object. */
export function summarize(superBlock: SuperBlock, inode: Inode): NodeSummary {
  const stat = superBlock.stat(inode)
  const type = fileTypeOf(stat.mode)
  const isDevice = type === 'char' || type === 'block'
  return {
    type: isWhiteout(stat) ? 'whiteout' : type,
    mode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: stat.sizeBytes,
    target: type === 'symlink' ? superBlock.readlink(inode) : null,
    rdev: isDevice ? `${majorOf(stat.rdev)}:${minorOf(stat.rdev)}` : null,
    marks: superBlock.listXattrs(inode).flatMap(name => {
      const mark = /^(?:trusted|user)\.(overlay\.(?!overlay\.).+)$/.exec(name)?.[1]
      return mark === undefined ? [] : [mark]
    }),
  }
}

function isWhiteout({ mode, rdev }: Stat): boolean {
  return fileTypeOf(mode) === 'char' && rdev === 0
}
