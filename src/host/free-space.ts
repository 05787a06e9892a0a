import fs from 'node:fs'
import path from 'node:path'
import { hostPath, ovlName } from './host-path.ts'
import { findMount, readMounts } from './mounts.ts'

/** The file system that a path lies on, or would lie on. */
export type Space = {
  /** Where it is mounted; the path asked for where /proc does not tell. */
  readonly mountPoint: string
  /** "ext4", "tmpfs", …; null where /proc does not tell. */
  readonly type: string | null
  readonly source: string | null
  readonly readOnly: boolean
  readonly sizeBytes: number
  /** Bytes that this user may still write (root often more than others). */
  readonly freeBytes: number
  /** Inodes left, null where the file system makes them as needed (btrfs). */
  readonly freeInodes: number | null
}

/**
 * Space on the file system of a path, which need not exist yet: the nearest directory above it that does is asked.
 * Errors: those of node:fs, such as EACCES.
 */
export function freeSpace(name: string): Space {
  const real = nearestReal(path.resolve(name))
  const { blocks, bsize, bavail, files, ffree } = fs.statfsSync(hostPath(real))
  const mount = findMount(readMounts(), real)
  return {
    mountPoint: mount?.mountPoint ?? real,
    type: mount?.type ?? null,
    source: mount?.source ?? null,
    readOnly: mount !== undefined && (mount.options.includes('ro') || mount.superOptions.includes('ro')),
    sizeBytes: blocks * bsize,
    freeBytes: bavail * bsize,
    freeInodes: files === 0 ? null : ffree,
  }
}

/** The nearest existing ancestor, without symlinks. */
function nearestReal(absolute: string): string {
  for (let at = absolute; ; at = path.dirname(at)) {
    try {
      return ovlName(fs.realpathSync.native(hostPath(at), { encoding: 'buffer' }))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if ((code !== 'ENOENT' && code !== 'ENOTDIR') || at === path.dirname(at)) throw error
    }
  }
}
