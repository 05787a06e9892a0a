// rename(2) of a file system in memory: which names lead where afterwards, in which order readdir lists them, link
// counts, sizes and times (mm/shmem.c, shmem_rename2; fs/libfs.c, simple_offset_rename, simple_rename_exchange).
import type { Credentials } from '../credentials.ts'
import { FsError } from '../../errors/index.ts'
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../flags.ts'
import { addEntry, entrySizeBytes, moveEntry } from './directory.ts'
import type { MemoryDentry, MemoryInode } from './inode.ts'

/** A name of a directory in memory. */
export type MemoryName = { readonly dir: MemoryInode; readonly name: string }

/** What a rename needs of its file system. */
export type RenameHost = {
  now(): bigint
  /** An inode without a name. Errors: ENOSPC. */
  newWhiteout(dir: MemoryInode, owner: Credentials): MemoryInode
  /** One name less leads to the inode. */
  dropName(inode: MemoryInode): void
}

/** Errors: ENOENT, EEXIST, ENOTEMPTY, ENOSPC (of the whiteout), EINVAL. */
export function renameInMemory(
  from: MemoryName,
  to: MemoryName,
  options: { readonly flags: number; readonly caller: Credentials; readonly host: RenameHost },
): void {
  const { flags, host } = options
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) throw new FsError('EINVAL', 'rename')
  const source = from.dir.entries.get(from.name)
  const target = to.dir.entries.get(to.name)
  if (source === undefined || to.dir.nlink === 0) throw new FsError('ENOENT', 'rename')
  if ((flags & RENAME_EXCHANGE) !== 0) {
    if (target === undefined) throw new FsError('ENOENT', 'rename')
    exchange(from, to, { source, target, now: host.now() })
    return
  }
  if (target !== undefined && (flags & RENAME_NOREPLACE) !== 0) throw new FsError('EEXIST', 'rename')
  if (target !== undefined && target.inode.entries.size > 0) throw new FsError('ENOTEMPTY', 'rename')
  if (source.inode === target?.inode) return
  const whiteout = (flags & RENAME_WHITEOUT) === 0 ? null : host.newWhiteout(from.dir, options.caller)
  replace(from, to, { source, target, whiteout, host })
}

function replace(
  from: MemoryName,
  to: MemoryName,
  change: {
    readonly source: MemoryDentry
    readonly target: MemoryDentry | undefined
    readonly whiteout: MemoryInode | null
    readonly host: RenameHost
  },
): void {
  const { source, target, whiteout, host } = change
  const { inode } = source
  const offset = target?.offset ?? to.dir.nextOffset++
  from.dir.entries.delete(from.name)
  from.dir.sizeBytes -= entrySizeBytes
  if (whiteout !== null) {
    addEntry(from.dir, from.name, whiteout)
    from.dir.sizeBytes += entrySizeBytes
  }
  moveEntry(to.dir, to.name, { inode, offset })
  if (target === undefined) to.dir.sizeBytes += entrySizeBytes
  if (inode.isDirectory) {
    from.dir.nlink--
    if (target === undefined) to.dir.nlink++
    inode.parent = to.dir
  }
  const now = host.now()
  stamp([from.dir, to.dir], inode, now)
  if (target === undefined) return
  target.inode.ctimeNs = now
  if (target.inode.isDirectory) target.inode.nlink--
  host.dropName(target.inode)
}

function exchange(
  from: MemoryName,
  to: MemoryName,
  change: { readonly source: MemoryDentry; readonly target: MemoryDentry; readonly now: bigint },
): void {
  const { source, target, now } = change
  moveEntry(from.dir, from.name, { inode: target.inode, offset: source.offset })
  moveEntry(to.dir, to.name, { inode: source.inode, offset: target.offset })
  const moved = Number(source.inode.isDirectory) - Number(target.inode.isDirectory)
  from.dir.nlink -= moved
  to.dir.nlink += moved
  if (source.inode.isDirectory) source.inode.parent = to.dir
  if (target.inode.isDirectory) target.inode.parent = from.dir
  stamp([from.dir, to.dir], source.inode, now)
  target.inode.ctimeNs = now
}

function stamp(dirs: readonly MemoryInode[], inode: MemoryInode, now: bigint): void {
  for (const dir of dirs) {
    dir.mtimeNs = now
    dir.ctimeNs = now
  }
  inode.ctimeNs = now
}
