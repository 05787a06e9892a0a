import { isErrno } from '../../errors/index.ts'
import type { HostInode } from './host-inode.ts'
import { type Host, placeOf } from './places.ts'

/**
 * An attribute as it is stored, null for none. Where the kernel refuses to tell a program what is no attribute of its
 * kind, this says what there is: checks of permissions ask for it too. Errors: EOPNOTSUPP.
 */
export function readXattr(host: Host, node: HostInode, name: string): Uint8Array | null {
  // Symlinks have no ACL: EOPNOTSUPP.
  if (node.type === 'symlink' && name.startsWith('system.posix_acl_')) return null
  try {
    return host.calls.getxattrat(placeOf(host, node), name)
  } catch (error) {
    // A capability that is malformed, in fact empty: the kernel lets nothing else be set.
    if (name === 'security.capability' && isErrno(error, 'EINVAL')) return new Uint8Array(0)
    throw error
  }
}
