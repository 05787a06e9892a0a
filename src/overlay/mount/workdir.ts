// The directories that an overlay keeps for itself in its workdir (fs/overlayfs/super.c: ovl_workdir_create(),
// ovl_create_volatile_dirty(); readdir.c: ovl_workdir_cleanup(); rules 48-51).
import { FsError, isErrno } from '../../errors/index.ts'
import type { Credentials, Inode, NewInode, SuperBlock } from '../../fs/index.ts'

/** Where the directories are made. */
export type WorkContext = {
  readonly superBlock: SuperBlock
  /** What workdir= named. */
  readonly base: Inode
  readonly mounter: Credentials
}

/** Thrown when an earlier mount left something that later ones must not ignore: EINVAL of the mount (rule 50). */
export class IncompatibleLeftover extends Error {
  readonly feature: string

  constructor(feature: string) {
    super(`incompat/${feature}`)
    this.feature = feature
  }
}

/**
 * Empties `work`, two levels deep, and makes it anew with mode 000. Null: it cannot be emptied or made, and the mount
 * is read-only (rule 48). Errors: IncompatibleLeftover.
 */
export function makeWorkDirectory(context: WorkContext): Inode | null {
  const { superBlock, base } = context
  const old = superBlock.lookup(base, 'work')
  if (old !== null) {
    try {
      removeLeftover(superBlock, { dir: base, name: 'work', inode: old, level: 0 })
    } catch (error) {
      if (!(error instanceof FsError)) throw error
      return null
    }
  }
  return makePrivateDirectory(context, 'work')
}

/** `index` stays from mount to mount (rule 51). Null as above. */
export function openIndexDirectory(context: WorkContext): Inode | null {
  return context.superBlock.lookup(context.base, 'index') ?? makePrivateDirectory(context, 'index')
}

/** Makes work/incompat/volatile/dirty, which later mounts refuse (rule 50). Errors: those of the file system. */
export function markVolatile({ superBlock, mounter }: WorkContext, work: Inode): void {
  let dir = work
  for (const name of ['incompat', 'volatile']) {
    dir = superBlock.lookup(dir, name) ?? superBlock.create(dir, name, owned('dir', mounter))
    if (dir.type !== 'dir') throw new FsError('ENOTDIR', 'mount', name)
  }
  if (superBlock.lookup(dir, 'dirty') === null) superBlock.create(dir, 'dirty', owned('file', mounter))
}

/** A name to be removed. `level` is its depth below the workdir. */
export type Leftover = {
  readonly dir: Inode
  readonly name: string
  readonly inode: Inode
  readonly level: number
}

/**
 * Removes what an earlier mount left, with what is in it as far as two levels down (ovl_workdir_cleanup()).
 *
 * Errors: those of removing; IncompatibleLeftover.
 */
export function removeLeftover(superBlock: SuperBlock, { dir, name, inode, level }: Leftover): void {
  if (inode.type !== 'dir') return superBlock.unlink(dir, name, inode)
  if (level <= 1 && !isEmpty(superBlock, inode)) {
    for (const entry of listNames(superBlock, inode)) {
      if (level === 1 && name === 'incompat') throw new IncompatibleLeftover(entry)
      const child = superBlock.lookup(inode, entry)
      if (child !== null) removeLeftover(superBlock, { dir: inode, name: entry, inode: child, level: level + 1 })
    }
  }
  superBlock.rmdir(dir, name, inode)
}

/** Names of a directory, without "." and "..". */
export function listNames(superBlock: SuperBlock, dir: Inode): readonly string[] {
  const open = superBlock.openDirectory(dir)
  try {
    return open
      .entries()
      .map(({ name }) => name)
      .filter(name => name !== '.' && name !== '..')
  } finally {
    open.close()
  }
}

function isEmpty(superBlock: SuperBlock, dir: Inode): boolean {
  return listNames(superBlock, dir).length === 0
}

function makePrivateDirectory({ superBlock, base, mounter }: WorkContext, name: string): Inode | null {
  try {
    const made = superBlock.create(base, name, owned('dir', mounter))
    for (const acl of ['system.posix_acl_default', 'system.posix_acl_access']) removeXattrIfAny(superBlock, made, acl)
    // What a setgid or a default ACL of the workdir put on it.
    superBlock.change(made, { mode: 0 })
    return made
  } catch (error) {
    if (error instanceof FsError) return null
    throw error
  }
}

function owned(type: 'dir' | 'file', { uid, gid }: Credentials): NewInode {
  return { type, mode: 0, umask: 0, uid, gid }
}

function removeXattrIfAny(superBlock: SuperBlock, inode: Inode, name: string): void {
  try {
    superBlock.removeXattr(inode, name)
  } catch (error) {
    if (!isErrno(error, 'ENODATA', 'EOPNOTSUPP')) throw error
  }
}
