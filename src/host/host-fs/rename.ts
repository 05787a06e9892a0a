// rename, unlink, rmdir and link on names whose objects have been looked at just before, and the tree of nodes after
// them. What stands at a name is never replaced or removed unless it is the object that was meant.
import { FsError, isErrno } from '../../errors/index.ts'
import { type NameOf, RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../fs/index.ts'
import { attach, detach, forget, HostInode, isIdentity } from './host-inode.ts'
import { checkIdentity, entryPlace, type Host, placeOf } from './places.ts'

/** renameat2(2). Errors: those of the call; ESTALE when a name does not stand for its object any more. */
export function renameEntry(host: Host, from: NameOf<HostInode>, to: NameOf<HostInode>, flags: number): void {
  const { calls } = host
  const source = entryPlace(host, from.dir, from.name)
  const target = entryPlace(host, to.dir, to.name)
  if (from.inode !== null) checkIdentity(from.inode, calls.identify(source))
  if (to.inode !== null) checkIdentity(to.inode, calls.identify(target))
  const mustBeFree = to.inode === null && (flags & RENAME_EXCHANGE) === 0
  try {
    calls.renameat(source, target, mustBeFree ? flags | RENAME_NOREPLACE : flags)
  } catch (error) {
    // A file system without flags of rename refuses them all.
    if (mustBeFree && flags === 0 && isErrno(error, 'EINVAL')) calls.renameat(source, target, 0)
    else if (mustBeFree && (flags & RENAME_NOREPLACE) === 0 && isErrno(error, 'EEXIST'))
      throw new FsError('ESTALE', 'rename')
    else throw error
  }
  moveNodes(host, { from, to, isExchange: (flags & RENAME_EXCHANGE) !== 0 })
}

type Move = { readonly from: NameOf<HostInode>; readonly to: NameOf<HostInode>; readonly isExchange: boolean }

/** Every node that stands for one of the two names: the one remembered and the one that the caller holds. */
function moveNodes({ descriptors }: Host, { from, to, isExchange }: Move): void {
  const moved = nodesAt(from)
  const replaced = nodesAt(to)
  // Two names of one file: the kernel does nothing, and both stay.
  if (moved.some(node => replaced.some(other => isIdentity(node, other)))) return
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

/** A remembered node of another object is out of date: the name was looked at just before. */
function nodesAt({ dir, name, inode }: NameOf<HostInode>): HostInode[] {
  const known = dir.children?.get(name)
  if (known === undefined || known === inode) return inode === null ? [] : [inode]
  if (inode === null) return [known]
  return isIdentity(known, inode) ? [known, inode] : [inode]
}

/** unlinkat(2). Errors: those of the call, ESTALE. */
export function unlinkEntry(host: Host, dir: HostInode, name: string, inode: HostInode): void {
  const place = entryPlace(host, dir, name)
  checkIdentity(inode, host.calls.identify(place))
  host.calls.unlinkat(place)
  for (const node of nodesAt({ dir, name, inode })) detach(node)
}

/** unlinkat(2) with AT_REMOVEDIR. */
export function rmdirEntry(host: Host, dir: HostInode, name: string, inode: HostInode): void {
  const place = entryPlace(host, dir, name)
  checkIdentity(inode, host.calls.identify(place))
  host.calls.rmdirat(place)
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
