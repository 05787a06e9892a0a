// Objects of a host directory, each under one of its names, in a tree that grows with lookups: the dentry cache of a
// host file system. A rename moves a node with everything below it, so nodes that somebody holds stay right.
//
// Nodes that nobody looked up lately are forgotten. A forgotten node that somebody still holds goes on working: it knows
// its parent and its name. Only a rename through another node of the same name is lost on it, and then it answers
// ENOENT or ESTALE, since what changes an object compares device and inode number first.
import type { FileType, Inode, NameOf, StoredFileHandle } from '../../fs/index.ts'
import type { Identity } from '../system/place-calls.ts'

/** A descriptor of an object that somebody uses. */
export type OpenDescriptor = {
  readonly fd: number
  readonly isWritable: boolean
  /** Of O_PATH: it names the object only. */
  readonly isPath: boolean
}

/** One name of an object. */
export class HostInode implements Inode {
  readonly type: FileType
  readonly dev: number
  readonly ino: bigint
  /** Null: the root, an object that has no name yet or no longer, one that was found by its handle. */
  parent: HostInode | null
  name: string
  /** Of a directory: its names that were looked up. */
  children: Map<string, HostInode> | null = null
  /** Open descriptor, -1 for none: O_PATH, of a directory in use or of an object without a name. */
  fd = -1
  /** The descriptor was used since the cache last looked for one to close. */
  isUsed = false
  /** What is open of it; these descriptors reach the object whatever happens to the name. */
  open: readonly OpenDescriptor[] = []
  /** By which it is found when it has no name, in the file system of this root. */
  handle: { readonly stored: StoredFileHandle; readonly root: HostRoot } | null = null
  /** FS_IMMUTABLE_FL and FS_APPEND_FL as they were when it was last looked at. */
  flags: number
  /** The sweep of the tree before which it was last looked up. */
  sweep = 0
  /** Its name was taken away, by rename or removal. */
  isGone = false

  constructor(
    type: FileType,
    identity: Omit<Identity, 'mode' | 'nlink'>,
    place: { readonly parent: HostInode | null; readonly name: string },
  ) {
    this.type = type
    this.dev = identity.dev
    this.ino = identity.ino
    this.flags = identity.flags
    this.parent = place.parent
    this.name = place.name
  }
}

/** The directory that a host file system was opened on. */
export class HostRoot extends HostInode {
  /** A descriptor for what O_PATH does not allow, -1 until it is needed. */
  mountFd = -1
}

/** Whether a node stands for what a call has found. */
export function isIdentity(node: HostInode, found: Pick<Identity, 'dev' | 'ino'>): boolean {
  return node.ino === found.ino && node.dev === found.dev
}

/** Enters a node under its name; a node that was there before is forgotten. */
export function attach(node: HostInode, parent: HostInode, name: string): void {
  node.parent = parent
  node.name = name
  node.isGone = false
  parent.children ??= new Map()
  parent.children.set(name, node)
}

/** Takes a node out of its place; it stays usable through an open file only. */
export function detach(node: HostInode): void {
  forget(node)
  node.isGone = true
}

/** Drops the node from its name, unless another node stands there now. */
export function forget(node: HostInode): void {
  const { parent, name } = node
  if (parent?.children?.get(name) === node) parent.children.delete(name)
}

/**
 * The remembered node of a name, unless it is of another object and so out of date (the name was looked at just before),
 * and the one that the caller holds, unless that stands for another name of the object.
 */
export function nodesAt({ dir, name, inode }: NameOf<HostInode>): HostInode[] {
  const known = dir.children?.get(name) ?? null
  if (inode === null) return known === null ? [] : [known]
  const isHere = inode.name === name && inode.parent !== null && isIdentity(inode.parent, dir)
  const held = inode !== known && isHere ? [inode] : []
  return known !== null && isIdentity(known, inode) ? [known, ...held] : held
}

/** The root above a node; the topmost node for what has been removed. */
export function rootOf(node: HostInode): HostInode {
  let at = node
  while (at.parent !== null) at = at.parent
  return at.handle?.root ?? at
}

/**
 * Forgets leaves of the tree that were not looked up since the last sweep. Nodes with descriptors, open files or
 * remembered children stay. Returns how many nodes are left.
 */
export function sweepTree(root: HostInode, sweep: number): number {
  let left = 0
  for (const [name, child] of root.children ?? []) {
    const below = child.children === null ? 0 : sweepTree(child, sweep)
    if (below === 0 && child.fd < 0 && child.open.length === 0 && child.sweep < sweep) root.children?.delete(name)
    else left += below + 1
  }
  return left
}
