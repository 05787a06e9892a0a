// Whether the directories are free and belong together: other overlays, volatile leftovers, index origins
// (fs/overlayfs/super.c: ovl_report_in_use(), ovl_get_indexdir(); readdir.c: ovl_workdir_cleanup_recurse()).
import fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import { type FileHandle, hostPath, loadSystem, type Mount, ovlName, type System } from '../host/index.ts'
import { type OverlayConfig, type OverlayNote, refusal, shown } from '../overlay/index.ts'
import type { CheckContext } from './check-relations.ts'
import { isBelow, type OpenDirectory, openDirectory, throughDescriptor } from './directory.ts'
import { allLayers, layerData, layerFacts, type OpenLayer, type OpenLayers } from './layers.ts'
import { findUsedDirectories, type UsedDirectory } from './mounted-overlays.ts'

/** What the checks of use look at. */
export type UseContext = CheckContext & { readonly mounts: readonly Mount[]; readonly config: OverlayConfig }

/** Errors: OVL_VOLATILE_LEFTOVER, OVL_IN_USE, OVL_STALE_ORIGIN, OVL_STALE_INDEX. */
export function checkUse(layers: OpenLayers, context: UseContext): OverlayNote[] {
  const { upper, work } = layers
  const notes = checkInUse(layers, context)
  if (upper !== null && work !== null) {
    checkLeftovers(work, context)
    const [top] = layers.lower
    if (context.config.index && top !== undefined) checkOrigins({ upper, work, top }, context)
  }
  return notes
}

/** With index=on a directory belongs to one overlay; otherwise the kernel only warns. */
function checkInUse(layers: OpenLayers, { config, mounts, target }: UseContext): OverlayNote[] {
  const used = findUsedDirectories(mounts)
  if (used.length === 0) return []
  const candidates = layers.upper === null ? [...layers.lower, ...layers.data] : allLayers(layers)
  return candidates.flatMap(layer => {
    const user = findUser(layer, used)
    if (user === undefined) return []
    const where = `${user.role} of the overlay on ${shown(user.mount.mountPoint)}`
    const fact = `${layer.role} ${shown(layer.path)} is in use as ${where}`
    if (!config.index) return [{ about: layer.role, message: `${fact}: files changed through both are undefined` }]
    throw refusal('OVL_IN_USE', fact, {
      errno: 'EBUSY',
      kernel: `${layer.role} is in-use as upperdir/workdir of another mount, mount with '-o index=off' to override exclusive upperdir protection.`,
      facts: layerFacts([layer]),
      hint: `ovl umount ${shown(user.mount.mountPoint)}, or index=off if nothing is changed through both`,
      target,
      data: { directories: layerData([layer]), usedBy: user.mount.mountPoint },
    })
  })
}

/** Being inside a directory that is in use counts too, up to the root of the file system. */
function findUser(layer: OpenLayer, used: readonly UsedDirectory[]): UsedDirectory | undefined {
  return used.find(({ directory }) => directory.identity === layer.identity || isBelow(layer.place, directory.place))
}

function checkLeftovers(work: OpenLayer, { target }: UseContext): void {
  const [feature] = listNames(throughDescriptor(work, 'work/incompat')).filter(name => !name.startsWith('.'))
  if (feature === undefined) return
  const leftover = `${work.path}/work/incompat`
  throw refusal('OVL_VOLATILE_LEFTOVER', `workdir ${shown(work.path)} was in use by a ${feature} mount`, {
    errno: 'EINVAL',
    kernel: `overlay with incompat feature '${feature}' cannot be mounted`,
    facts: ['such a mount does not sync: after a crash files of the upperdir may be empty or torn'],
    hint: `if the machine did not crash since: rm -r ${shown(leftover)}`,
    target,
    data: { directories: layerData([work]), path: leftover, feature },
  })
}

type Originals = { readonly upper: OpenLayer; readonly work: OpenLayer; readonly top: OpenLayer }

/** index=on writes down which lower root the upperdir was used with, and which upperdir the index belongs to. */
function checkOrigins({ upper, work, top }: Originals, { config, mounts, target }: UseContext): void {
  const system = loadSystem()
  if (system === null) return
  const prefix = config.userxattr ? 'user.overlay.' : 'trusted.overlay.'
  const origin = readHandle(upper, `${prefix}origin`, system)
  if (origin !== null && isOther(origin, { directory: top, isUpper: false, system })) {
    throw refusal(
      'OVL_STALE_ORIGIN',
      `upperdir ${shown(upper.path)} was used with another lower layer than ${shown(top.path)}`,
      {
        errno: 'ESTALE',
        kernel: 'failed to verify upper root origin',
        facts: layerFacts([upper, top]),
        hint: 'mount it with index=off, or give the top-most lower layer that it was used with',
        target,
        data: { directories: layerData([upper, top]) },
      },
    )
  }
  const index = openIndex(work, mounts)
  if (index === null) return
  try {
    const owner = readHandle(index, `${prefix}upper`, system)
    if (owner === null || !isOther(owner, { directory: upper, isUpper: true, system })) return
    throw refusal('OVL_STALE_INDEX', `the index in workdir ${shown(work.path)} belongs to another upperdir`, {
      errno: 'ESTALE',
      kernel: "failed to verify index dir 'upper' xattr",
      facts: layerFacts([upper, work]),
      hint: `use the workdir that belongs to the upperdir, or an empty one, or remove ${shown(`${work.path}/index`)}`,
      target,
      data: { directories: layerData([upper, work]) },
    })
  } finally {
    fs.closeSync(index.fd)
  }
}

/** struct ovl_fb: version, magic, length, flags, type of the handle, uuid of the file system, the handle. */
const headerBytes = 21
const magic = 0xfb
const upperFlag = 4

function readHandle(directory: OpenDirectory, name: string, system: System): Uint8Array | null {
  try {
    const value = system.lgetxattr(throughDescriptor(directory), name)
    const isWhole = value.length > headerBytes && value[0] === 0 && value[1] === magic && value[2] === value.length
    return isWhole ? value : null // what the kernel cannot read it writes anew
  } catch (error) {
    if (isCode(error, 'ENODATA') || isCode(error, 'ENOTSUP') || isCode(error, 'EPERM')) return null
    throw error
  }
}

type Compared = { readonly directory: OpenDirectory; readonly isUpper: boolean; readonly system: System }

/** The uuid is left out: the kernel's own depends on the option uuid. */
function isOther(recorded: Uint8Array, { directory, isUpper, system }: Compared): boolean {
  const handle: FileHandle | null = system.fileHandle(directory.fd)
  if (handle === null) return false // without file handles the kernel turns index off
  const isSameKind = recorded[3] === (isUpper ? upperFlag : 0) && recorded[4] === (handle.type & 0xff)
  return !isSameKind || Buffer.compare(recorded.subarray(headerBytes), handle.bytes) !== 0
}

function openIndex(work: OpenLayer, mounts: readonly Mount[]): OpenDirectory | null {
  try {
    return openDirectory(throughDescriptor(work, 'index'), mounts)
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'EACCES')) return null
    throw error
  }
}

function listNames(path: string): string[] {
  try {
    return fs.readdirSync(hostPath(path), { encoding: 'buffer' }).map(name => ovlName(name))
  } catch (error) {
    // No leftovers, or a directory that only root may list: work/work has mode 000.
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR') || isCode(error, 'EACCES')) return []
    throw error
  }
}
