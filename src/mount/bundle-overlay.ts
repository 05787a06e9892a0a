// The overlay of a bundle: its layers as lower directories, its upper and work directory, its merged directory.
import os from 'node:os'
import type { Bundle } from '../bundle/index.ts'
import { OvlError } from '../errors/index.ts'
import { type Mount, type Privileges, probePrivileges, readMounts } from '../host/index.ts'
import { type OverlayOptions, shown } from '../overlay/index.ts'
import { findUsedDirectories, lookAt } from './mounted-overlays.ts'

/** What to mount, and where. */
export type BundleOverlay = { readonly options: OverlayOptions; readonly target: string }

/** How the bundle is mounted. */
export type BundleOverlayOptions = {
  /** Settings and words of an option string; directories come from the bundle. */
  readonly extra: OverlayOptions
  /** True when the mount will happen in a user namespace; the default is what this process is in. */
  readonly inUserNamespace?: boolean
}

/**
 * Options for the overlay of a bundle. `userxattr` is set when the layers were written that way.
 *
 * Errors: UNSUPPORTED for a flat bundle and for whiteouts that this kernel does not know, OVL_NEEDS_TRUSTED_XATTRS,
 * OVL_ALREADY_MOUNTED.
 */
export function bundleOverlay(bundle: Bundle, { extra, ...where }: BundleOverlayOptions): BundleOverlay {
  const { directory, state } = bundle
  const { overlay } = state
  if (overlay === null) {
    throw new OvlError(
      'UNSUPPORTED',
      `Cannot mount bundle ${shown(directory)}: it is flat, it has no layers to mount`,
      {
        hint: 'unpack the image again without --flat',
        data: { path: directory },
      },
    )
  }
  const inUserNamespace = where.inUserNamespace ?? isConfined(probePrivileges())
  if (overlay.xattrs === 'trusted' && inUserNamespace) checkTrusted(bundle)
  if (overlay.whiteouts === 'xattr') checkXattrWhiteouts(bundle)
  const target = `${directory}/merged`
  checkNotMounted(bundle, target)
  const userxattr = overlay.xattrs === 'user' || inUserNamespace ? ({ userxattr: true } as const) : {}
  return {
    target,
    options: {
      ...extra,
      lower: lowersOf(directory, overlay.lowers),
      data: [],
      upper: `${directory}/upper`,
      work: `${directory}/work`,
      settings: { ...userxattr, ...extra.settings },
    },
  }
}

/** Top first, as the kernel wants them. An image without layers has the empty directory that would hold them. */
function lowersOf(directory: string, lowers: readonly number[]): readonly string[] {
  if (lowers.length === 0) return [`${directory}/lower`]
  return lowers.toReversed().map(number => `${directory}/lower/${number}`)
}

/** May mount, but may not use trusted.* attributes. */
function isConfined({ canMount, canSetTrustedXattrs }: Privileges): boolean {
  return canMount && !canSetTrustedXattrs
}

/**
 * Opaque directories are marked by attributes that a user namespace does not see; plain layers need none. A whiteout
 * makes a directory opaque as well, when its layer makes the directory anew.
 */
function checkTrusted({ directory, state }: Bundle): void {
  const markers = state.layers.reduce((sum, { opaques, whiteouts }) => sum + opaques + whiteouts, 0)
  if (markers === 0) return
  throw new OvlError(
    'OVL_NEEDS_TRUSTED_XATTRS',
    `Cannot mount bundle ${shown(directory)} in a user namespace: its layers are marked with trusted.* attributes`,
    {
      facts: [`whiteouts and opaque markers: ${markers}; what they hide could show`],
      hint: 'unpack the image again with --userxattr, or mount as root',
      data: { path: directory, markers },
    },
  )
}

function checkXattrWhiteouts({ directory }: Bundle): void {
  const [major = 0, minor = 0] = os.release().split('.').map(Number)
  if (major > 6 || (major === 6 && minor >= 7)) return
  throw new OvlError('UNSUPPORTED', `Cannot mount bundle ${shown(directory)}: its whiteouts need Linux 6.7`, {
    facts: [`this is Linux ${os.release()}`],
    data: { path: directory },
  })
}

function checkNotMounted({ directory }: Bundle, target: string): void {
  const mount = findBundleMount(directory, readMounts())
  if (mount === undefined) return
  throw new OvlError('OVL_ALREADY_MOUNTED', `Cannot mount bundle ${shown(directory)}: it is mounted already`, {
    facts: [`on ${shown(mount.mountPoint)}  (mount ${mount.id})`],
    hint: `ovl umount ${shown(directory)}`,
    data: { path: directory, target, mountPoint: mount.mountPoint },
  })
}

function findBundleMount(directory: string, mounts: readonly Mount[]): Mount | undefined {
  const cwd = directory.startsWith('/') ? directory : `${process.cwd()}/${directory}`
  const upper = lookAt(`${cwd}/upper`, mounts)
  if (upper === null) return undefined
  return findUsedDirectories(mounts).find(used => used.directory.identity === upper.identity)?.mount
}
