// The outer archive of oci-archive and docker-archive, by tar-stream: members in byte order, owned by root, at the epoch,
// so that the same image gives the same bytes everywhere.

import type { Pack } from 'tar-stream'
import { comparePaths } from '../../path/index.ts'
import type { BlockTarget } from '../types.ts'
import type { OutputBlob, SendOptions } from './output-blob.ts'

/** A member of an outer archive. Directories end in "/". */
export type ArchiveMember =
  | { readonly name: string; readonly type: 'file'; readonly content: OutputBlob; readonly options?: SendOptions }
  | { readonly name: string; readonly type: 'directory' }
  | { readonly name: string; readonly type: 'symlink'; readonly target: string }

/** Takes pieces of an archive, in order. */
export type WritePiece = (bytes: Uint8Array) => void | Promise<void>

const pieceBytes = 256 << 10

/** Writes an archive. Errors: those of `OutputBlob.send` and of `write`; INTERRUPTED. */
export async function writeArchive(
  members: readonly ArchiveMember[],
  { write, signal }: { readonly write: WritePiece; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { pack } = await import('tar-stream')
  const archive = pack()
  const packing = packMembers(archive, members, signal)
  packing.catch(() => undefined) // the archive ends with its error, which is caught below
  try {
    for await (const piece of archive) await write(piece as Uint8Array)
  } catch (error) {
    archive.destroy(error as Error)
    await packing.catch(() => undefined) // it stops for the same reason
    throw error
  }
  await packing
}

async function packMembers(
  archive: Pack,
  members: readonly ArchiveMember[],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for (const member of members.toSorted((a, b) => comparePaths(a.name, b.name)))
      await packMember(archive, member, signal)
    archive.finalize()
  } catch (error) {
    archive.destroy(error as Error)
    throw error
  }
}

async function packMember(archive: Pack, member: ArchiveMember, signal: AbortSignal | undefined): Promise<void> {
  const header = {
    name: member.name,
    type: member.type,
    mode: member.type === 'directory' ? 0o755 : member.type === 'symlink' ? 0o777 : 0o644,
    uid: 0,
    gid: 0,
    mtime: new Date(0),
    ...(member.type === 'symlink' ? { linkname: member.target } : {}),
    ...(member.type === 'file' ? { size: member.content.sizeBytes } : {}),
  }
  if (member.type !== 'file') return void archive.entry(header)
  const { content, options } = member
  let entry: Entry | undefined
  const written = new Promise<void>((resolve, reject) => {
    entry = archive.entry(header, error => (error ? reject(error) : resolve()))
    entry.on('error', () => undefined) // told to the callback as well
  })
  written.catch(() => undefined) // an error of the content comes first
  if (entry === undefined) throw new Error('Impossible: a promise calls its executor at once')
  await content.send(entryTarget(entry), { ...options, signal })
  entry.end(null)
  await written
}

type Entry = ReturnType<Pack['entry']>

/** Fills buffers for an entry, as fast as the archive is written. */
function entryTarget(entry: Entry): BlockTarget {
  let buffer = new Uint8Array(0)
  let flowing: Promise<void> | null = null
  const next = (): Uint8Array => (buffer = new Uint8Array(pieceBytes)) // the archive keeps each until it is written
  const nextWhenFlowing = async (drained: Promise<void>): Promise<Uint8Array> => {
    await drained
    return next()
  }
  return {
    space: () => (flowing === null ? next() : nextWhenFlowing(flowing)),
    commit(length) {
      // Listened for at once: by the time of the next piece the entry may have been drained.
      flowing = entry.write(buffer.subarray(0, length)) ? null : whenDrained(entry)
      flowing?.catch(() => undefined) // whoever asks for space next is told
    },
  }
}

/** Waits until an entry takes more. Errors: when the archive was given up meanwhile. */
function whenDrained(entry: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    const onDrain = (): void => {
      entry.off('close', onClose)
      resolve()
    }
    const onClose = (): void => {
      entry.off('drain', onDrain)
      reject(new Error('The archive was closed'))
    }
    if (entry.destroying) return onClose()
    entry.once('drain', onDrain)
    entry.once('close', onClose)
  })
}
