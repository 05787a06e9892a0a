// File handles: from what name_to_handle_at(2) gave back to a node. Where the kernel knows a path of the object inside
// the root the node has that name; any other object than a directory is reached through the handle itself, as an overlay
// accepts it (ovl_decode_real_fh, ovl_acceptable of fs/overlayfs/namei.c).
import fs from 'node:fs'
import { fileTypeOf, type StoredFileHandle } from '../../fs/index.ts'
import { ovlName } from '../host-path.ts'
import { descriptorPath, type Identity } from '../system/place-calls.ts'
import { HostInode, type HostRoot, isIdentity } from './host-inode.ts'
import { type Host, openHandle } from './places.ts'

/** Null: stale, not in the root, or this process may not (CAP_DAC_READ_SEARCH). `lookup` finds names of a directory. */
export function decodeHandle(
  host: Host,
  root: HostRoot,
  options: {
    readonly stored: StoredFileHandle
    readonly lookup: (dir: HostInode, name: string) => HostInode | null
  },
): HostInode | null {
  const { stored } = options
  const fd = openHandle(host, root, stored)
  if (fd === null) return null
  let isKept = false
  try {
    const found = host.calls.identify({ fd, name: '' })
    if (found === null) return null
    const named = findNamed(root, { fd, found, lookup: options.lookup })
    if (named !== null || fileTypeOf(found.mode) === 'dir') return named
    const node = new HostInode(fileTypeOf(found.mode), found, { parent: null, name: '' })
    node.handle = { stored, root }
    host.descriptors.keep(node, fd)
    isKept = true
    return node
  } finally {
    if (!isKept) fs.closeSync(fd)
  }
}

type Opened = {
  readonly fd: number
  readonly found: Identity
  readonly lookup: (dir: HostInode, name: string) => HostInode | null
}

/** The node at the path that the kernel has for the descriptor, if that is inside the root and still the same object. */
function findNamed(root: HostRoot, { fd, found, lookup }: Opened): HostInode | null {
  const [path, top] = [pathOf(fd), pathOf(root.fd)]
  if (path === null || top === null) return null
  const prefix = top === '/' ? '/' : `${top}/`
  if (path !== top && !path.startsWith(prefix)) return null
  let node: HostInode | null = root
  for (const name of path === top ? [] : path.slice(prefix.length).split('/')) {
    if (node === null || node.type !== 'dir') return null
    node = lookup(node, name)
  }
  return node !== null && isIdentity(node, found) ? node : null
}

/** Null without /proc. */
function pathOf(fd: number): string | null {
  try {
    return ovlName(fs.readlinkSync(descriptorPath(fd), { encoding: 'buffer' }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
