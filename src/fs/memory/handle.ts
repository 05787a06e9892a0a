// File handles as tmpfs makes them (shmem_encode_fh): three words, generation and inode number.
import type { StoredFileHandle } from '../super-block.ts'
import type { MemoryInode } from './inode.ts'

// enum fid_type calls this number FILEID_INO32_GEN, although the number is of 64 bits.
const fidType = 1
const fidSizeBytes = 12

/** 12 bytes: generation, then the inode number, little endian. */
export function encodeFid(inode: MemoryInode): StoredFileHandle {
  const bytes = new Uint8Array(fidSizeBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, inode.generation, true)
  view.setBigUint64(4, inode.ino, true)
  return { type: fidType, bytes }
}

/** Null: no handle of this kind of file system. */
export function decodeFid(handle: StoredFileHandle): { readonly generation: number; readonly ino: bigint } | null {
  const { type, bytes } = handle
  if (type !== fidType || bytes.length !== fidSizeBytes) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return { generation: view.getUint32(0, true), ino: view.getBigUint64(4, true) }
}

/** Looks random, as Linux' does, but follows from the file system's uuid: the same steps give the same handles. */
export function generationOf(ino: bigint, uuid: Uint8Array): number {
  let hash = Number(ino & 0xffffffffn)
  for (let at = 0; at < 4; at++) hash = Math.imul(hash ^ (uuid[at] ?? 0), 0x9e3779b1) ^ (hash >>> 15)
  return hash >>> 0
}
