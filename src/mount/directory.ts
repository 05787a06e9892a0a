// A directory of an overlay, opened once: what is checked here is what the kernel is given.
import fs from 'node:fs'
import { hostPath, isInside, type Mount, ovlName } from '../host/index.ts'

/** Where a directory is in its file system, whatever mount it is reached through. */
export type Place = { readonly device: string; readonly path: string }

/** A file opened with O_PATH. */
export type OpenDirectory = {
  /** As the user wrote it. */
  readonly path: string
  readonly fd: number
  readonly isDirectory: boolean
  /** Absolute and without symlinks. */
  readonly realPath: string
  /** The mount it is reached through; null when this thread cannot see it. */
  readonly mount: Mount | null
  readonly place: Place | null
  /** Device and inode number: the same for the same directory. */
  readonly identity: string
}

const O_PATH = 0o10000000

/** Follows symlinks, as the kernel does for layers. Errors: those of open(2); the caller closes `fd`. */
export function openDirectory(path: string, mounts: readonly Mount[]): OpenDirectory {
  const fd = fs.openSync(hostPath(path), O_PATH)
  try {
    return { path, fd, ...describe(fd, mounts) }
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

/** A path by which any call reaches the directory itself, however long its name is. */
export function throughDescriptor({ fd }: OpenDirectory, name = '.'): string {
  return `/proc/self/fd/${fd}/${name}`
}

/** True when `inner` lies in `outer`, or is it. */
export function isBelow(inner: Place | null, outer: Place | null): boolean {
  return inner !== null && outer !== null && inner.device === outer.device && isInside(inner.path, outer.path)
}

function describe(fd: number, mounts: readonly Mount[]): Omit<OpenDirectory, 'path' | 'fd'> {
  const stat = fs.fstatSync(fd, { bigint: true })
  const realPath = ovlName(fs.readlinkSync(`/proc/self/fd/${fd}`, 'buffer'))
  const id = mountID(fd)
  const mount = mounts.find(candidate => candidate.id === id) ?? null
  return {
    isDirectory: stat.isDirectory(),
    realPath,
    mount,
    place: mount === null ? null : placeOf(realPath, mount),
    identity: `${stat.dev}:${stat.ino}`,
  }
}

/** The mount by the kernel's own word: a path alone does not tell what lies beneath what. */
function mountID(fd: number): number | undefined {
  const id = /^mnt_id:\s*(\d+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
  return id === undefined ? undefined : Number(id)
}

function placeOf(realPath: string, { device, root, mountPoint }: Mount): Place | null {
  if (!isInside(realPath, mountPoint)) return null
  const below = mountPoint === '/' ? realPath : realPath.slice(mountPoint.length)
  const path = `${root === '/' ? '' : root}${below === '/' ? '' : below}`
  return { device, path: path === '' ? '/' : path }
}
