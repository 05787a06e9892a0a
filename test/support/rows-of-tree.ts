// A FileSystem in the columns of the corpus' listings (tools/listing.py).

import { createHash } from 'node:crypto'
import {
  type FileSystem,
  fileTypeOf,
  type FileType,
  majorOf,
  minorOf,
  O_NOFOLLOW,
  O_RDONLY,
  type Stat,
} from '../../src/fs/index.ts'
import { FsError } from '../../src/errors/index.ts'
import { encodeName } from '../../src/path/index.ts'
import { type Listing, type ListingColumn, listingColumns } from './listing.ts'

const letters: { readonly [type in FileType]: string } = {
  file: 'f',
  dir: 'd',
  symlink: 'l',
  char: 'c',
  block: 'b',
  fifo: 'p',
  socket: 's',
}
const billion = 1_000_000_000n

type Row = { -readonly [column in ListingColumn]: string }
type Group = { readonly rows: Row[]; readonly first: string }

/** Lists everything below the root, which is ".". */
export function listRows(fileSystem: FileSystem): Listing {
  const rows = new Map<string, Row>()
  const groups = new Map<string, Group>()
  const visit = (at: string, shown: string): void => {
    const stat = statOf(fileSystem, at)
    if (typeof stat === 'string') return void rows.set(shown, unreadable(stat))
    const type = fileTypeOf(stat.mode)
    const row = rowOf(fileSystem, at)
    rows.set(shown, row)
    if (type !== 'dir' && stat.nlink > 1) {
      const group = groups.get(`${stat.dev}:${stat.ino}`) ?? { rows: [], first: shown }
      groups.set(`${stat.dev}:${stat.ino}`, { ...group, rows: [...group.rows, row] })
    }
    if (type !== 'dir') return
    const names = fileSystem.readdir(at).map(({ name }) => name)
    const sorted = names.toSorted((a, b) => Buffer.compare(encodeName(a), encodeName(b)))
    for (const name of sorted)
      visit(`${at === '/' ? '' : at}/${name}`, `${at === '/' ? '' : `${shown}/`}${escape(name)}`)
  }
  visit('/', '.')
  for (const { rows: members, first } of groups.values()) {
    if (members.length > 1) for (const row of members) row.hardlink_group = first
  }
  return rows
}

/** An entry that cannot be looked at shows the number of the errno. */
function statOf(fileSystem: FileSystem, at: string): Stat | string {
  try {
    return fileSystem.lstat(at)
  } catch (error) {
    if (error instanceof FsError) return `!stat${-error.errno}`
    throw error
  }
}

function unreadable(type: string): Row {
  return { ...(Object.fromEntries(listingColumns.map(column => [column, '-'])) as Row), type }
}

function rowOf(fileSystem: FileSystem, at: string): Row {
  const { mode, uid, gid, sizeBytes, mtimeNs, rdev } = fileSystem.lstat(at)
  const type = fileTypeOf(mode)
  const seconds = (mtimeNs - (((mtimeNs % billion) + billion) % billion)) / billion
  const xattrs = fileSystem
    .listxattr(at)
    .filter(name => name !== 'security.selinux')
    .map(name => `${escape(name)}=${Buffer.from(fileSystem.getxattr(at, name)).toString('hex')}`)
  return {
    type: letters[type],
    mode: (mode & 0o7777).toString(8).padStart(4, '0'),
    uid: `${uid}`,
    gid: `${gid}`,
    size: type === 'file' ? `${sizeBytes}` : '-',
    sha256: type === 'file' ? digestOf(fileSystem, at) : '-',
    linkname: type === 'symlink' ? escape(fileSystem.readlink(at)) : '-',
    mtime_s: `${seconds}`,
    mtime_ns: `${mtimeNs - seconds * billion}`,
    rdev: type === 'char' || type === 'block' ? `${majorOf(rdev)}:${minorOf(rdev)}` : '-',
    xattrs: xattrs.toSorted().join(',') || '-',
    hardlink_group: '-',
  }
}

function digestOf(fileSystem: FileSystem, at: string): string {
  const handle = fileSystem.open(at, O_RDONLY | O_NOFOLLOW)
  const hash = createHash('sha256')
  const chunk = new Uint8Array(1 << 20)
  for (let count = handle.read(chunk); count > 0; count = handle.read(chunk)) hash.update(chunk.subarray(0, count))
  handle.close()
  return hash.digest('hex')
}

function escape(name: string): string {
  return [...encodeName(name)]
    .map(byte =>
      byte > 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('')
}
