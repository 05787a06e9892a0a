// open(2): build_open_flags() of fs/open.c, open_last_lookups(), lookup_open(), do_open(), may_open() and do_tmpfile()
// of fs/namei.c.
import { type Errno, FsError } from '../../errors/index.ts'
import {
  MAY_READ,
  MAY_WRITE,
  O_ACCMODE,
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOATIME,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_TMPFILE,
  O_TRUNC,
} from '../flags.ts'
import type { FileHandle } from '../file-system.ts'
import { S_ISVTX } from '../mode.ts'
import type { Inode } from '../super-block.ts'
import { truncateInode } from './attributes.ts'
import { createEntry, newInode } from './create.ts'
import { openHandle } from './handle.ts'
import { createRefusal, isAppendOnly, isOwnerOrCapable, permissionRefusal } from './permission.ts'
import { check, ownershipOf, type View } from './view.ts'
import {
  beginWalk,
  directoryOf,
  followSymlink,
  lookupLast,
  lookupPath,
  refuse,
  stepOverDots,
  type Walk,
  walkToLast,
} from './walk.ts'

const temporaryFlag = O_TMPFILE & ~O_DIRECTORY
const pathFlags = O_DIRECTORY | O_NOFOLLOW | O_PATH
/** Permission by access mode; the fourth mode, 3, checks both and opens for neither. */
const permissionOf = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE] as const

/** open(2). Sockets cannot be opened (ENXIO); devices and FIFOs open as what swallows everything and holds nothing. */
export function openPath(view: View, path: string, how: { readonly flags: number; readonly mode: number }): FileHandle {
  const flags = (how.flags & O_PATH) === 0 ? how.flags : how.flags & pathFlags
  check(flagsRefusal(flags), 'open', path)
  const walk = beginWalk(view, 'open', path)
  if ((flags & temporaryFlag) !== 0) return openTemporary(walk, { flags, mode: how.mode })
  if ((flags & O_PATH) !== 0) {
    const options = { follow: (flags & O_NOFOLLOW) === 0, directory: (flags & O_DIRECTORY) !== 0 }
    return openHandle(view, lookupPath(walk, options), flags)
  }
  const found = findOrCreate(walk, { flags, mode: how.mode })
  return found.isNew ? openHandle(view, found.inode, flags & ~O_TRUNC) : openExisting(walk, found, flags)
}

/** build_open_flags() */
function flagsRefusal(flags: number): Errno | null {
  const createsDirectory = O_CREAT | O_DIRECTORY
  if ((flags & createsDirectory) === createsDirectory) return 'EINVAL'
  if ((flags & temporaryFlag) === 0) return null
  return (flags & O_DIRECTORY) === 0 || (flags & O_ACCMODE) === O_RDONLY ? 'EINVAL' : null
}

type Found = { readonly inode: Inode; readonly isNew: boolean; readonly directory: boolean }
type How = { readonly flags: number; readonly mode: number }

function findOrCreate(walk: Walk, { flags, mode }: How): Found {
  const create = (flags & O_CREAT) !== 0
  // With O_EXCL a symlink is something that exists, wherever it leads.
  let follow = (flags & O_NOFOLLOW) === 0 && !(create && (flags & O_EXCL) !== 0)
  let directory = (flags & O_DIRECTORY) !== 0
  let rest = walk.path
  for (;;) {
    walkToLast(walk, rest)
    if (walk.last !== 'name') return { inode: stepOverDots(walk), isNew: false, directory }
    if (walk.slash && create) throw refuse(walk, 'EISDIR')
    if (walk.slash) follow = directory = true
    const inode = lookupLast(walk)
    if (inode === null) return { inode: createFile(walk, { flags, mode }), isNew: true, directory }
    if (inode.type !== 'symlink' || !follow) return { inode, isNew: false, directory }
    rest = followSymlink(walk, inode)
    if (rest === '') return { inode: directoryOf(walk), isNew: false, directory }
  }
}

function createFile(walk: Walk, { flags, mode }: How): Inode {
  if ((flags & O_CREAT) === 0) throw refuse(walk, 'ENOENT')
  if (walk.view.superBlock.readOnly) throw refuse(walk, 'EROFS')
  return createEntry(walk, { type: 'file', mode: mode & 0o7777 })
}

function openExisting(walk: Walk, { inode, directory }: Found, flags: number): FileHandle {
  const { view, path } = walk
  if ((flags & O_CREAT) !== 0) {
    if ((flags & O_EXCL) !== 0) throw refuse(walk, 'EEXIST')
    if (inode.type === 'dir') throw refuse(walk, 'EISDIR')
    check(stickyRefusal(view, directoryOf(walk), inode), 'open', path)
  }
  if (directory && inode.type !== 'dir') throw refuse(walk, 'ENOTDIR')
  const truncates = (flags & O_TRUNC) !== 0 && inode.type === 'file'
  if (truncates && view.superBlock.readOnly) throw refuse(walk, 'EROFS')
  check(openRefusal(view, inode, flags), 'open', path)
  const handle = openHandle(view, inode, flags)
  if (truncates) truncateOpened(walk, inode, handle)
  return handle
}

/**
 * may_create_in_sticky(): with O_CREAT, what someone else put into a directory like /tmp is not opened. Files and
 * FIFOs are excepted by sysctls (protected_regular, protected_fifos) that the measured machine has at 0.
 */
function stickyRefusal(view: View, dir: Inode, inode: Inode): Errno | null {
  if (inode.type === 'file' || inode.type === 'fifo') return null
  const parent = ownershipOf(view, dir)
  const isShared = (parent.mode & S_ISVTX) !== 0 && (parent.mode & 0o002) !== 0
  if (!isShared) return null
  const { uid } = ownershipOf(view, inode)
  return uid === parent.uid || uid === view.caller.uid ? null : 'EACCES'
}

/** handle_truncate() */
function truncateOpened({ view, path }: Walk, inode: Inode, handle: FileHandle): void {
  try {
    truncateInode(view, { inode, syscall: 'open', path }, { sizeBytes: 0, mtimeNs: view.superBlock.now() })
  } catch (error) {
    handle.close()
    throw error
  }
}

/** may_open() */
function openRefusal(view: View, inode: Inode, flags: number): Errno | null {
  const accessMode = flags & O_ACCMODE
  const mask = (permissionOf[accessMode] ?? 0) | ((flags & O_TRUNC) === 0 ? 0 : MAY_WRITE)
  if (inode.type === 'symlink') return 'ELOOP'
  if (inode.type === 'dir' && (mask & MAY_WRITE) !== 0) return 'EISDIR'
  const refusal = permissionRefusal(view, inode, mask)
  if (refusal !== null) return refusal
  const truncates = (flags & O_TRUNC) !== 0 && (inode.type === 'file' || inode.type === 'dir')
  const overwrites = accessMode !== O_RDONLY && (flags & O_APPEND) === 0
  if ((overwrites || truncates) && isAppendOnly(view, inode)) return 'EPERM'
  return (flags & O_NOATIME) !== 0 && !isOwnerOrCapable(view, inode) ? 'EPERM' : null
}

/** vfs_tmpfile() */
function openTemporary(walk: Walk, { flags, mode }: How): FileHandle {
  const { view, path } = walk
  const dir = lookupPath(walk, { follow: (flags & O_NOFOLLOW) === 0, directory: true })
  if (view.superBlock.readOnly) throw new FsError('EROFS', 'open', path)
  check(createRefusal(view, dir), 'open', path)
  if (!view.superBlock.features.temporaryFiles) throw new FsError('EOPNOTSUPP', 'open', path)
  const inode = view.superBlock.createTemporary(dir, newInode(view, dir, { type: 'file', mode: mode & 0o7777 }))
  if ((flags & O_EXCL) === 0) view.state.linkable.add(inode)
  return openHandle(view, inode, flags & ~(O_TRUNC | temporaryFlag))
}
