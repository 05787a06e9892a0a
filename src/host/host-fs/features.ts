// What the file system of a host directory can do, found without writing into it: a trial would change the times of the
// directory, which an overlay shows.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import type { StoredFileHandle, SuperBlockFeatures } from '../../fs/index.ts'
import { probePrivileges } from '../privileges.ts'
import type { Place } from '../system/place-calls.ts'
import type { HostRoot } from './host-inode.ts'
import type { Host } from './places.ts'

const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY

/** f_type of file systems whose rename takes RENAME_WHITEOUT: ext2 to ext4, tmpfs, XFS, btrfs, f2fs, ubifs, bcachefs. */
const whiteoutRenamers = new Set([0xef53, 0x01021994, 0x58465342, 0x9123683e, 0xf2f52010, 0x24051905, 0xca451a4e])
const xfsMagic = 0x58465342
/** enum fid_type: FILEID_INO32_GEN */
const inode32Generation = 1

/** Probes the file system of a root. */
export function probeFeatures(host: Host, root: HostRoot, options: { readonly readOnly: boolean }): SuperBlockFeatures {
  const place: Place = { fd: root.fd, name: '.' }
  const { type } = host.calls.statfs(root.fd)
  const handle = host.calls.nameToHandle(place)
  return {
    xattrs: storableNamespaces(host, place),
    renameWhiteout: whiteoutRenamers.has(type >>> 0),
    temporaryFiles: !options.readOnly && hasTemporaryFiles(host, place),
    handles: handle !== null,
    has32BitInodes: type >>> 0 !== xfsMagic && isGenericHandle(handle),
  }
}

/** An attribute for asking, of each namespace. */
const samples = [
  ['user', 'user.ovl'],
  ['trusted', 'trusted.ovl'],
  ['security', 'security.ovl'],
  ['system.posix_acl', 'system.posix_acl_access'],
] as const

/** A file system without a namespace says so when it is asked; without the privilege trusted.* merely seems absent. */
function storableNamespaces({ calls }: Host, place: Place): readonly string[] {
  const { canSetTrustedXattrs } = probePrivileges()
  const isKnown = (name: string): boolean => {
    try {
      calls.getxattrat(place, name)
      return true
    } catch (error) {
      if (!isErrno(error, 'EOPNOTSUPP', 'EACCES', 'EPERM')) throw error
      return isErrno(error, 'EACCES')
    }
  }
  return samples
    .filter(([namespace, name]) => (namespace !== 'trusted' || canSetTrustedXattrs) && isKnown(name))
    .map(([namespace]) => namespace)
}

/** A file without a name leaves no trace. */
function hasTemporaryFiles({ calls, descriptors }: Host, place: Place): boolean {
  try {
    fs.closeSync(descriptors.withRoom(() => calls.openat(place, O_TMPFILE | fs.constants.O_RDWR, 0o600)))
    return true
  } catch (error) {
    if (error instanceof FsError) return false
    throw error
  }
}

/** The kernel's own form of handle, 32 bits of inode number and as many of generation: exportfs without encode_fh. */
function isGenericHandle(handle: StoredFileHandle | null): boolean {
  return handle !== null && handle.type === inode32Generation && handle.bytes.length === 8
}
