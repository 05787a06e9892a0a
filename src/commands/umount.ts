// `ovl umount`: takes the overlay on a directory or on a bundle away.

import { type Unmounted, unmountOverlay, type UnmountOptions } from '../mount/index.ts'

/** What was taken away; nothing when nothing was mounted. */
export type UnmountReport = { readonly path: string; readonly mountPoint: string; readonly mounts: readonly number[] }

/** Errors: those of `unmountOverlay`. */
export function unmount(path: string, options: UnmountOptions): UnmountReport {
  const { mountPoint, mounts }: Unmounted = unmountOverlay(path, options)
  return { path, mountPoint, mounts: mounts.map(({ id }) => id) }
}
