// New objects with exactly the owner and mode that were asked for. The kernel applies umask, default ACL and setgid of
// the directory, as it does for any program; only what it would give to this process and not to the caller is put right
// afterwards, owner first. Bits that give privileges come last: a run that is killed in between leaves no program that
// runs as the wrong user.
import fs from 'node:fs'
import { FsError, isErrno } from '../../errors/index.ts'
import { fileTypeOf, type NewInode, S_ISGID, S_ISUID, type Stat, typeBitsOf } from '../../fs/index.ts'
import type { Place } from '../system/place-calls.ts'
import { attach, HostInode } from './host-inode.ts'
import { entryPlace, type Host, placeOf } from './places.ts'

const O_TMPFILE = 0o20000000 | fs.constants.O_DIRECTORY
const privileges = S_ISUID | S_ISGID

/** Makes a name in a directory. Errors: those of mkdir(2), mknod(2), symlink(2), and of chown(2), with nothing left. */
export function createEntry(host: Host, dir: HostInode, name: string, make: NewInode): HostInode {
  const place = entryPlace(host, dir, name)
  const withheld = withheldBits(make)
  withUmask(host, make.umask, () => makeAt(host, place, make, withheld))
  try {
    const node = finish(host, { dir, place, make })
    attach(node, dir, name)
    return node
  } catch (error) {
    // ENOENT and ESTALE: somebody else has taken it away, and what is there now is theirs.
    if (!isErrno(error, 'ENOENT', 'ESTALE')) removeAgain(host, place, make)
    throw error
  }
}

function removeAgain({ calls }: Host, place: Place, { type }: NewInode): void {
  try {
    if (type === 'dir') calls.rmdirat(place)
    else calls.unlinkat(place)
  } catch (error) {
    // Why the object could not be made right is what the caller needs to know.
    if (!(error instanceof FsError)) throw error
  }
}

/** A file without a name, in the file system of the directory. Errors: EOPNOTSUPP. */
export function createTemporary(host: Host, dir: HostInode, make: NewInode): HostInode {
  if (make.type !== 'file') throw new FsError('EOPNOTSUPP', 'open')
  const mode = make.mode & ~withheldBits(make)
  const flags = O_TMPFILE | fs.constants.O_RDWR
  const fd = withUmask(host, make.umask, () =>
    host.descriptors.withRoom(() => host.calls.openat({ fd: host.descriptors.of(dir), name: '.' }, flags, mode)),
  )
  try {
    const node = finish(host, { dir, place: { fd, name: '' }, make })
    node.fd = fd
    return node
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

/** Bits that a new object must not have before it has its owner. */
function withheldBits(make: NewInode): number {
  if (make.type === 'dir' || make.type === 'symlink') return 0
  return make.uid === process.geteuid?.() && make.gid === process.getegid?.() ? 0 : privileges
}

function makeAt({ calls }: Host, place: Place, make: NewInode, withheld: number): void {
  if (make.type === 'dir') calls.mkdirat(place, make.mode)
  else if (make.type === 'symlink') calls.symlinkat(make.target ?? '', place)
  else calls.mknodat(place, typeBitsOf(make.type) | (make.mode & ~withheld), make.rdev ?? 0)
}

/** The umask belongs to the whole process: it is put back at once, and not at all where it is the same. */
function withUmask<T>({ calls }: Host, umask: number, make: () => T): T {
  const before = calls.umask(umask)
  try {
    return make()
  } finally {
    if (before !== umask) calls.umask(before)
  }
}

type Made = { readonly dir: HostInode; readonly place: Place; readonly make: NewInode }

/** Owner, then what is missing of the mode. */
function finish(host: Host, { dir, place, make }: Made): HostInode {
  const stat = host.calls.stat(place)
  if (stat === null) throw new FsError('ENOENT', 'stat')
  if (fileTypeOf(stat.mode) !== make.type) throw new FsError('ESTALE', 'stat')
  const gid = wantedGroup(host, { dir, make, stat })
  if (stat.uid !== make.uid || stat.gid !== gid) host.calls.chownat(place, make.uid, gid)
  const missing = make.type === 'symlink' ? 0 : make.mode & privileges & ~stat.mode
  if (missing !== 0) host.calls.chmodat(place, (stat.mode | missing) & 0o7777)
  return new HostInode(make.type, { ...stat, flags: 0 }, { parent: null, name: '' })
}

/** Gives a whiteout that rename has left to whom it belongs. */
export function ownWhiteout(host: Host, dir: HostInode, name: string, owner: Owner): void {
  const place = entryPlace(host, dir, name)
  const stat = host.calls.stat(place)
  if (stat === null) return
  const gid = wantedGroup(host, { dir, make: owner, stat })
  if (stat.uid !== owner.uid || stat.gid !== gid) host.calls.chownat(place, owner.uid, gid)
}

type Owner = Pick<NewInode, 'uid' | 'gid'>

/** What the directory hands down stays; what came from this process becomes the caller's. */
function wantedGroup(
  host: Host,
  { dir, make, stat }: { readonly dir: HostInode; readonly make: Owner; readonly stat: Stat },
): number {
  const own = process.getegid?.() ?? 0
  if (make.gid === own || stat.gid !== own) return stat.gid
  const parent = host.calls.stat(placeOf(host, dir))
  return parent !== null && (parent.mode & S_ISGID) !== 0 ? stat.gid : make.gid
}
