// The named files of an input, whether it is a directory or a tar archive: what the readers of the formats see.

import { readdirSync, statSync } from 'node:fs'
import { escapeControls, isCode, type Limits, OvlError, quote, type Warn } from '../errors/index.ts'
import { cleanLayerPath, joinPath, parentPath } from '../path/index.ts'
import { tarType } from '../tar/index.ts'
import { indexArchive, type Member } from './archive-members.ts'
import { FileBlob, sliceBlob, systemPath } from './blob.ts'
import { readError } from './read-error.ts'
import { sparseBlob } from './sparse-blob.ts'
import type { Blob } from './types.ts'

/** The files of an input, whether they lie in a directory or inside an archive: read in place, by name. */
export interface Files {
  readonly kind: 'directory' | 'archive'
  /** What messages call the input: its path, or "standard input". */
  readonly location: string
  /** Size of the archive file; null for a directory. */
  readonly archiveBytes: number | null
  /** A regular file by its clean path; null when there is none. Links inside an archive are followed inside it. */
  open(path: string): Blob | null
  /** Clean paths: of all files in an archive, of the entries at the top of a directory. */
  names(): readonly string[]
  close(): void
}

/** The files of a directory. Symlinks are followed: build systems write layouts of links. */
export function directoryFiles(path: string): Files {
  const directory = path.replace(/\/+$/, '') || '/'
  const opened: FileBlob[] = []
  return {
    kind: 'directory',
    location: escapeControls(path),
    archiveBytes: null,
    open(name) {
      const full = `${directory}/${name}`
      const size = regularSize(full)
      if (size === null) return null
      const blob = new FileBlob(full, size)
      opened.push(blob)
      return blob
    },
    names() {
      try {
        return readdirSync(systemPath(path))
      } catch (cause) {
        throw readError(path, cause)
      }
    },
    close() {
      for (const blob of opened) blob.close()
    },
  }
}

/** An uncompressed archive that can be read at any offset, and what it was before. */
export type ArchiveInput = {
  readonly archive: Blob
  readonly location: string
  /** Size of the file as it was given, before decompression. */
  readonly archiveBytes: number
  readonly limits: Limits
  readonly warn: Warn
  readonly close: () => void
}

/** The files of an uncompressed tar archive, read in place. Errors: those of `indexArchive`. */
export async function archiveFiles({
  archive,
  location,
  archiveBytes,
  limits,
  warn,
  close,
}: ArchiveInput): Promise<Files> {
  const members = await indexArchive(archive, { location, limits, warn })
  return {
    kind: 'archive',
    location,
    archiveBytes,
    open(path) {
      const member = followLinks(members, path, location)
      return member === null ? null : memberBlob(archive, member, location)
    },
    names: () => [...members.keys()],
    close,
  }
}

const fileTypes: ReadonlySet<number> = new Set([tarType.file, tarType.contiguous, tarType.gnuSparse])

const maxHops = 40 // as many as Linux follows

/** The regular file that a name stands for, through symlinks and hard links to other members. */
function followLinks(members: ReadonlyMap<string, Member>, path: string, location: string): Member | null {
  let at = path
  for (let hops = 0; hops <= maxHops; hops++) {
    const member = members.get(at)
    if (member === undefined) return null
    if (member.type === tarType.hardLink) at = cleanLayerPath(member.linkName).path
    else if (member.type === tarType.symlink) at = symlinkTarget(at, member.linkName)
    else return fileTypes.has(member.type) ? member : null
  }
  throw new OvlError('BAD_ENTRY', `Cannot read ${quote(path)} in ${location}: its links lead in a circle`, {
    data: { path, archive: location },
  })
}

function symlinkTarget(path: string, target: string): string {
  return cleanLayerPath(target.startsWith('/') ? target : joinPath(parentPath(path), target)).path
}

function memberBlob(archive: Blob, member: Member, location: string): Blob {
  const place = {
    offset: member.offset,
    size: member.storedSize,
    location: `${escapeControls(member.path)} in ${location}`,
  }
  const stored = sliceBlob(archive, place)
  return member.sparse === null ? stored : sparseBlob(stored, { segments: member.sparse, size: member.size })
}

function regularSize(path: string): number | null {
  try {
    const stat = statSync(systemPath(path))
    return stat.isFile() ? stat.size : null
  } catch (cause) {
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR') || isCode(cause, 'ENAMETOOLONG')) return null
    throw readError(path, cause)
  }
}
