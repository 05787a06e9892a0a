// rename, unlink, rmdir and link on names whose objects have been looked at just before, and the tree of nodes after
// them. What stands at a name is never replaced or removed unless it is the object that was meant.
import { FsError, isErrno } from '../../errors/index.ts'
import { type NameOf, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../fs/index.ts'
import { attach, detach, forget, HostInode, isIdentity, nodesAt } from './host-inode.ts'
import { checkEntry, checkIdentity, entryPlace, type Host, placeOf } from './places.ts'
import { holdSurvivors, none } from './survivors.ts'

/** renameat2(2). Errors: those of the call; ESTALE when a name does not stand for its object any more. */
export function renameEntry(host: Host, from: NameOf<HostInode>, to: NameOf<HostInode>, flags: number): void {
  const isExchange = (flags & RENAME_EXCHANGE) !== 0
  // Two names of one file: the kernel does nothing, and both stay.
  const isSame = from.inode !== null && to.inode !== null && isIdentity(from.inode, to.inode)
  const survivors = isExchange || isSame ? none : holdSurvivors(host, to)
  if (isExchange || isSame) checkEntry(host, to)
  try {
    checkEntry(host, from)
    moveName(host, { from, to, flags })
  } catch (error) {
    survivors.release()
    throw error
  }
  if (!isSame) moveNodes(host, { from, to, isExchange })
  survivors.keep()
}

type Rename = { readonly from: NameOf<HostInode>; readonly to: NameOf<HostInode>; readonly flags: number }

function moveName(host: Host, { from, to, flags }: Rename): void {
  const { calls } = host
  const source = entryPlace(host, from.dir, from.name)
  const target = entryPlace(host, to.dir, to.name)
  if (to.inode !== null || (flags & RENAME_EXCHANGE) !== 0) {
    calls.renameat(source, target, flags)
    return
  }
  try {
    calls.renameat(source, target, flags | RENAME_NOREPLACE)
  } catch (error) {
    // A file system without flags of rename refuses them all.
    if (flags === 0 && isErrno(error, 'EINVAL')) calls.renameat(source, target, 0)
    else if ((flags & RENAME_NOREPLACE) === 0 && isErrno(error, 'EEXIST')) throw new FsError('ESTALE', 'rename')
    else throw error
  }
}

type Move = { readonly from: NameOf<HostInode>; readonly to: NameOf<HostInode>; readonly isExchange: boolean }

/** Every node that stands for one of the two names: the one remembered and the one that the caller holds. */
function moveNodes({ descriptors }: Host, { from, to, isExchange }: Move): void {
  const moved = nodesAt(from)
  const replaced = nodesAt(to)
  for (const node of [...moved, ...replaced]) forget(node)
  for (const node of moved) attach(node, to.dir, to.name)
  for (const node of replaced) {
    if (isExchange) attach(node, from.dir, from.name)
    else {
      detach(node)
      descriptors.drop(node)
    }
  }
}

/** unlinkat(2). Errors: those of the call, ESTALE. */
export function unlinkEntry(host: Host, dir: HostInode, name: string, inode: HostInode): void {
  const survivors = holdSurvivors(host, { dir, name, inode })
  try {
    host.calls.unlinkat(entryPlace(host, dir, name))
  } catch (error) {
    survivors.release()
    throw error
  }
  for (const node of nodesAt({ dir, name, inode })) detach(node)
  survivors.keep()
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function rmdirEntry(host: Host, dir: HostInode, name: string, inode: HostInode): void {
  checkEntry(host, { dir, name, inode })
  host.calls.rmdirat(entryPlace(host, dir, name))
  for (const node of nodesAt({ dir, name, inode })) {
    detach(node)
    host.descriptors.drop(node)
  }
}

/**
 * linkat(2), also of an object without a name, which then has this one. Returns the node of the new name.
 * Errors: those of the call, ESTALE.
 */
export function linkEntry(
  host: Host,
  inode: HostInode,
  to: { readonly dir: HostInode; readonly name: string },
): HostInode {
  const { dir, name } = to
  const target = entryPlace(host, dir, name)
  if (inode.parent === null || inode.isGone) {
    host.calls.linkat(placeOf(host, inode), target)
    if (inode.handle === null) return inode
  } else {
    const source = entryPlace(host, inode.parent, inode.name)
    checkIdentity(inode, host.calls.identify(source))
    host.calls.linkat(source, target)
  }
  const node = new HostInode(inode.type, inode, { parent: dir, name })
  attach(node, dir, name)
  return node
}
