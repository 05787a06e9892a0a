// New entries: filename_create(), do_mknodat(), do_mkdirat(), do_symlinkat(), do_linkat() of fs/namei.c. An existing
// name is found before anything else is refused, so that mkdir(2) of what exists is EEXIST even on a read-only file
// system (Y06, Y19).
import { FsError } from '../../errors/index.ts'
import { isPrivileged } from '../credentials.ts'
import { FS_APPEND_FL, FS_IMMUTABLE_FL } from '../flags.ts'
import { fileTypeOf, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID } from '../mode.ts'
import type { Inode, NewInode } from '../super-block.ts'
import { createRefusal, hardLinkRefusal, inGroupOrCapable } from './permission.ts'
import { check, ownershipOf, type View } from './view.ts'
import { beginWalk, checkPath, directoryOf, lookupLast, lookupPath, refuse, type Walk, walkToLast } from './walk.ts'

/** mkdir(2): of the mode, permissions and the sticky bit. */
export function makeDirectory(view: View, path: string, mode: number): void {
  const walk = beginWalk(view, 'mkdir', path)
  findFreeName(walk, { directory: true })
  createEntry(walk, { type: 'dir', mode: mode & 0o1777 })
}

/** mknod(2). Errors: EPERM for a directory and for devices of a caller without capabilities, EINVAL. */
export function makeNode(view: View, path: string, node: { readonly mode: number; readonly rdev: number }): void {
  const typeBits = (node.mode & S_IFMT) === 0 ? S_IFREG : node.mode & S_IFMT
  if (typeBits === S_IFDIR) throw new FsError('EPERM', 'mknod', path)
  const type = fileTypeOf(typeBits)
  if (typeBits === S_IFLNK || (type === 'file' && typeBits !== S_IFREG)) throw new FsError('EINVAL', 'mknod', path)
  const walk = beginWalk(view, 'mknod', path)
  findFreeName(walk, { directory: false })
  const isDevice = type === 'char' || type === 'block'
  check(createRefusal(view, directoryOf(walk)), walk.syscall, path)
  // Anyone may make the device 0:0: overlays use it as whiteout.
  const isWhiteout = typeBits === S_IFCHR && node.rdev === 0
  if (isDevice && !isWhiteout && !isPrivileged(view.caller)) throw refuse(walk, 'EPERM')
  createEntry(walk, { type, mode: node.mode & 0o7777, ...(isDevice && { rdev: node.rdev }) })
}

/** symlink(2). Errors: ENOENT for the empty target, ENAMETOOLONG. */
export function makeSymlink(view: View, target: string, path: string): void {
  checkPath('symlink', target)
  const walk = beginWalk(view, 'symlink', path)
  findFreeName(walk, { directory: false })
  createEntry(walk, { type: 'symlink', mode: 0o777, target })
}

/** link(2): a symlink is linked itself. */
export function makeLink(view: View, existing: string, path: string): void {
  const inode = lookupPath(beginWalk(view, 'link', existing), { follow: false })
  linkInode(view, inode, path)
}

/**
 * Gives the object a name. Errors: EPERM for a directory, an immutable or append-only object, and by
 * protected_hardlinks. Source: may_linkat(), vfs_link().
 */
export function linkInode(view: View, inode: Inode, path: string): void {
  const walk = beginWalk(view, 'link', path)
  findFreeName(walk, { directory: false })
  check(hardLinkRefusal(view, inode), walk.syscall, path)
  const dir = directoryOf(walk)
  check(createRefusal(view, dir), walk.syscall, path)
  const { superBlock } = view
  const isProtected = (superBlock.getFlags(inode) & (FS_APPEND_FL | FS_IMMUTABLE_FL)) !== 0
  if (isProtected || inode.type === 'dir') throw refuse(walk, 'EPERM')
  const { linkable } = view.state
  // What was unlinked stays so; a file of O_TMPFILE may get one first name.
  if (superBlock.stat(inode).nlink === 0 && !linkable.has(inode)) throw refuse(walk, 'ENOENT')
  superBlock.link(inode, dir, walk.name)
  linkable.delete(inode)
}

/** Makes the entry at the end of the walk for the caller; the directory's permission is checked here. */
export function createEntry(walk: Walk, make: Omit<NewInode, 'umask' | 'uid' | 'gid'>): Inode {
  const dir = directoryOf(walk)
  check(createRefusal(walk.view, dir), walk.syscall, walk.path)
  return walk.view.superBlock.create(dir, walk.name, newInode(walk.view, dir, make))
}

/** The new object with the caller's ids; of a mode the setgid bit that the caller may not give away is dropped. */
export function newInode(view: View, dir: Inode, make: Omit<NewInode, 'umask' | 'uid' | 'gid'>): NewInode {
  const { uid, gid, umask } = view.caller
  const { type, target, rdev } = make
  const mode = stripSetgid(view, dir, make)
  // One literal each: V8 is thirty times slower with spread properties in front of others.
  if (target !== undefined) return { type, mode, umask, uid, gid, target }
  return rdev === undefined ? { type, mode, umask, uid, gid } : { type, mode, umask, uid, gid, rdev }
}

/** mode_strip_sgid(): an executable file of another group's setgid directory would run as that group. */
function stripSetgid(view: View, dir: Inode, { type, mode }: Pick<NewInode, 'type' | 'mode'>): number {
  if (type === 'dir' || view.caller.capable || (mode & (S_ISGID | 0o010)) !== (S_ISGID | 0o010)) return mode
  const parent = ownershipOf(view, dir)
  if ((parent.mode & S_ISGID) === 0 || inGroupOrCapable(view.caller, parent.gid)) return mode
  return mode & ~S_ISGID
}

/** Walks to a name that is not taken. Errors: EEXIST, ENOENT (slashes behind what will be no directory), EROFS. */
function findFreeName(walk: Walk, options: { readonly directory: boolean }): void {
  walkToLast(walk, walk.path)
  if (walk.last !== 'name') throw refuse(walk, 'EEXIST')
  if (lookupLast(walk) !== null) throw refuse(walk, 'EEXIST')
  if (walk.slash && !options.directory) throw refuse(walk, 'ENOENT')
  if (walk.view.superBlock.readOnly) throw refuse(walk, 'EROFS')
}
