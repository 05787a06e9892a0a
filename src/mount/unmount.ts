// Takes overlays away: the one on a directory, or all that lie on the merged directory of a bundle.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { stateFileName } from '../bundle/index.ts'
import { isCode, OvlError } from '../errors/index.ts'
import { hostPath, loadSystem, MNT_DETACH, type Mount, ovlName, readMounts, UMOUNT_NOFOLLOW } from '../host/index.ts'
import { shown } from '../overlay/index.ts'
import { findUsers } from './mount-users.ts'

/** What was taken away. */
export type Unmounted = {
  /** Absolute. */
  readonly mountPoint: string
  /** Overlays that were mounted there, the top-most first; empty when there was none. */
  readonly mounts: readonly Mount[]
}

/** How to unmount. */
export type UnmountOptions = {
  /** Take the mount out of the tree at once, also when files on it are open. */
  readonly lazy?: boolean
}

/**
 * Unmounts the overlay on a directory, or those on a bundle's merged directory. Nothing mounted there is no error.
 *
 * Errors: INPUT_NOT_FOUND, OVL_NOT_AN_OVERLAY, OVL_BUSY, NEEDS_PRIVILEGE.
 */
export function unmountOverlay(path: string, { lazy = false }: UnmountOptions = {}): Unmounted {
  const place = findPlace(path)
  const mounts: Mount[] = []
  for (;;) {
    const mount = readMounts().findLast(({ mountPoint }) => mountPoint === place.mountPoint)
    if (mount === undefined) break
    if (mount.type !== 'overlay') {
      if (place.isBundle || mounts.length > 0) break
      throw notAnOverlay(path, mount)
    }
    unmount(mount, { path, lazy })
    mounts.push(mount)
    if (!place.isBundle) break
  }
  return { mountPoint: place.mountPoint, mounts }
}

type PlaceToUnmount = { readonly mountPoint: string; readonly isBundle: boolean }

function findPlace(path: string): PlaceToUnmount {
  const mountPoint = realPath(path)
  if (readMounts().some(mount => mount.mountPoint === mountPoint)) return { mountPoint, isBundle: false }
  const isBundle = fs.existsSync(hostPath(`${mountPoint}/${stateFileName}`))
  return isBundle ? { mountPoint: `${mountPoint}/merged`, isBundle } : { mountPoint, isBundle }
}

/** The root of an overlay may be unreadable (ESTALE, EIO): then its parent tells where it is. */
function realPath(path: string): string {
  try {
    return ovlName(fs.realpathSync.native(hostPath(path), 'buffer'))
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) {
      throw new OvlError('INPUT_NOT_FOUND', `Cannot unmount ${shown(path)}: there is no such directory`, {
        data: { path },
        cause: error,
      })
    }
    const trimmed = path.replace(/\/+$/, '')
    const slash = trimmed.lastIndexOf('/')
    const parent = slash < 0 ? '.' : trimmed.slice(0, slash) || '/'
    const directory = ovlName(fs.realpathSync.native(hostPath(parent), 'buffer'))
    return `${directory === '/' ? '' : directory}/${trimmed.slice(slash + 1)}`
  }
}

type Wanted = { readonly path: string; readonly lazy: boolean }

function unmount({ mountPoint }: Mount, { path, lazy }: Wanted): void {
  const system = loadSystem()
  try {
    if (system === null) unmountByProgram(mountPoint, lazy)
    else system.umount2(mountPoint, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0))
  } catch (error) {
    throw unmountError(error, { path, mountPoint })
  }
}

function unmountByProgram(mountPoint: string, lazy: boolean): void {
  const args = ['-i', '-n', '-c', ...(lazy ? ['-l'] : []), '--', mountPoint]
  const { status, stderr, error } = spawnSync('umount', args, {
    env: { ...process.env, LC_ALL: 'C' },
    encoding: 'utf8',
  })
  if (error !== undefined) throw error
  if (status === 0) return
  const code = stderr.includes('busy') ? 'EBUSY' : stderr.includes('superuser') ? 'EPERM' : 'EINVAL'
  throw Object.assign(new Error(stderr.trim()), { code })
}

function unmountError(
  error: unknown,
  { path, mountPoint }: { readonly path: string; readonly mountPoint: string },
): unknown {
  const data = { path, mountPoint }
  if (isCode(error, 'EBUSY')) {
    const users = findUsers(mountPoint)
    return new OvlError('OVL_BUSY', `Cannot unmount ${shown(path)}: it is in use`, {
      facts: users.map(({ pid, name, file }) => `process ${pid} (${shown(name)}) uses ${shown(file)}`),
      hint: 'end what uses it, or add --lazy: the mount goes out of sight now and ends with its last user',
      data: { ...data, users: users.map(user => ({ ...user })) },
      cause: error,
    })
  }
  if (isCode(error, 'EPERM')) {
    return new OvlError(
      'NEEDS_PRIVILEGE',
      `Cannot unmount ${shown(path)}: not permitted for uid ${process.geteuid?.() ?? '?'}`,
      {
        data,
        cause: error,
      },
    )
  }
  return error
}

function notAnOverlay(path: string, { type }: Mount): OvlError {
  return new OvlError(
    'OVL_NOT_AN_OVERLAY',
    `Cannot unmount ${shown(path)}: a ${type} is mounted there, not an overlay`,
    {
      hint: `umount ${shown(path)}`,
      data: { path, type },
    },
  )
}
