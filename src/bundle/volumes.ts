// Volumes of the image config. Nobody has given a directory of the host for them, so each becomes a tmpfs: what the
// container writes there goes with it, as conversion.md's "Config.Volumes" has it. So that a program finds what it
// expects, the tmpfs belongs to the owner of the directory in the image and starts with its content ("tmpcopyup",
// which runc and crun know).

import { isCode, quote, type Warn } from '../errors/index.ts'
import { type UserNamespace, toContainerID } from './id-map.ts'
import { type RootfsReader, type RootfsStat, resolveInRootfs } from './rootfs-reader.ts'
import type { RuntimeMount } from './runtime-spec.ts'

/** What the mounts of volumes depend on. */
export type VolumeOptions = {
  readonly rootfs: RootfsReader | null
  readonly userNamespace: UserNamespace | null
  /** Where something is mounted already. */
  readonly mounted: readonly string[]
  readonly warn: Warn
}

const volumeFlags = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime'] as const

/** One tmpfs a volume, outer before inner. A volume that would hide the runtime's own mounts is left out. */
export function volumeMounts(volumes: readonly string[], options: VolumeOptions): readonly RuntimeMount[] {
  const destinations = [...new Set(volumes.map(absolute))].toSorted()
  return destinations
    .filter(destination => isUsable(destination, options))
    .map(destination => mount(destination, options))
}

/** Absolute and without `.`, `..`, doubled or closing slashes; `..` stops at the root. */
function absolute(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

function isUsable(destination: string, { mounted, warn }: VolumeOptions): boolean {
  const hides = mounted.find(
    each => each === destination || each.startsWith(destination === '/' ? '/' : `${destination}/`),
  )
  const isKernel = /^\/(proc|sys)\//.test(destination)
  if (hides === undefined && !isKernel) return true
  const fact = isKernel ? 'it is in a kernel file system' : `the runtime needs ${hides}`
  warn({ code: 'IMAGE_DOCUMENT', message: `volume ${quote(destination)} of the image config is not mounted: ${fact}` })
  return false
}

function mount(destination: string, options: VolumeOptions): RuntimeMount {
  const seed = options.rootfs === null ? [] : seedOptions(destination, { ...options, rootfs: options.rootfs })
  return { destination, type: 'tmpfs', source: 'none', options: [...volumeFlags, ...seed] }
}

/** Nothing for a directory that is not there, or empty and root's: that is what a tmpfs is by itself. */
function seedOptions(
  destination: string,
  options: VolumeOptions & { readonly rootfs: RootfsReader },
): readonly string[] {
  const { rootfs } = options
  const resolved = resolveInRootfs(rootfs, destination)
  if (!resolved.found || resolved.stat.kind !== 'directory') return []
  return [
    ...ownerOptions(resolved.stat, options.userNamespace),
    ...(hasContent(rootfs, resolved.path) ? ['tmpcopyup'] : []),
  ]
}

/** Owners on disk are ids of the host; a runtime without privilege may not give any. */
function ownerOptions({ uid, gid }: RootfsStat, namespace: UserNamespace | null): readonly string[] {
  if (namespace?.rootless === true) return []
  const inside = {
    uid: namespace === null ? uid : (toContainerID(namespace.uidMappings, uid) ?? 0),
    gid: namespace === null ? gid : (toContainerID(namespace.gidMappings, gid) ?? 0),
  }
  return [...(inside.uid === 0 ? [] : [`uid=${inside.uid}`]), ...(inside.gid === 0 ? [] : [`gid=${inside.gid}`])]
}

function hasContent(rootfs: RootfsReader, path: string): boolean {
  try {
    return !rootfs.isEmpty(path)
  } catch (error) {
    if (isCode(error, 'EACCES') || isCode(error, 'EPERM')) return false // nobody can copy from it then
    throw error
  }
}
