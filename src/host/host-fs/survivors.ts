// A file that loses one of several names goes on, and so do the nodes that stood for that name: they are reached through
// a descriptor, or when that had to be closed through the file's handle.
import fs from 'node:fs'
import type { NameOf } from '../../fs/index.ts'
import { type HostInode, HostRoot, isIdentity, nodesAt, rootOf } from './host-inode.ts'
import { checkEntry, entryPlace, type Host } from './places.ts'

const O_PATH = 0o10000000

/** Nodes whose name is about to go: to be kept when it is gone, or released when it stays. */
export type Survivors = { keep(): void; release(): void }

/** Of a name whose object has no other. */
export const none: Survivors = { keep: () => undefined, release: () => undefined }

/**
 * Looks whether a name still stands for its object, and opens that if it has further names. Errors: those of opening,
 * ENOENT, ESTALE.
 */
export function holdSurvivors(host: Host, name: NameOf<HostInode>): Survivors {
  if (checkEntry(host, name) < 2 || name.inode?.type === 'dir') return none
  const held = nodesAt(name).map(node => ({ node, fd: openName(host, name) }))
  return {
    keep() {
      for (const { node, fd } of held) keepNode(host, node, fd)
    },
    release() {
      for (const { fd } of held) fs.closeSync(fd)
    },
  }
}

function openName(host: Host, { dir, name }: NameOf<HostInode>): number {
  return host.descriptors.withRoom(() => host.calls.openat(entryPlace(host, dir, name), O_PATH))
}

/** The name has not been somebody else's in between, or the descriptor is of no use. */
function keepNode(host: Host, node: HostInode, fd: number): void {
  const found = host.calls.identify({ fd, name: '' })
  if (found === null || !isIdentity(node, found)) return fs.closeSync(fd)
  const root = rootOf(node)
  const stored = host.calls.nameToHandle({ fd, name: '' })
  if (stored !== null && root instanceof HostRoot) node.handle = { stored, root }
  host.descriptors.keep(node, fd)
}
