// Whether the directories are free and belong together: other overlays, volatile leftovers, index origins
// (fs/overlayfs/super.c: ovl_report_in_use(), ovl_get_indexdir(); readdir.c: ovl_workdir_cleanup_recurse()).
import fs from 'node:fs'
import { isCode } from '../errors/index.ts'
import { type FileHandle, hostPath, loadSystem, type Mount, ovlName, type System } from '../host/index.ts'
import {
  type About,
  inUse,
  inUseNote,
  type OverlayConfig,
  type OverlayNote,
  shown,
  staleIndex,
  staleOrigin,
  volatileLeftover,
} from '../overlay/index.ts'
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
    if (!config.index) return [inUseNote(layer, where)]
    const hint = `ovl umount ${shown(user.mount.mountPoint)}, or index=off if nothing is changed through both`
    const data = { directories: layerData([layer]), usedBy: user.mount.mountPoint }
    throw inUse(layer, { where, hint }, { target, facts: layerFacts([layer]), data })
  })
}

/** Being inside a directory that is in use counts too, up to the root of the file system. */
function findUser(layer: OpenLayer, used: readonly UsedDirectory[]): UsedDirectory | undefined {
  return used.find(({ directory }) => directory.identity === layer.identity || isBelow(layer.place, directory.place))
}

function checkLeftovers(work: OpenLayer, { target }: UseContext): void {
  const [feature] = listNames(throughDescriptor(work, 'work/incompat')).filter(name => !name.startsWith('.'))
  if (feature === undefined) return
  throw volatileLeftover(work, feature, { target, data: { directories: layerData([work]) } })
}

type Originals = { readonly upper: OpenLayer; readonly work: OpenLayer; readonly top: OpenLayer }

/** index=on writes down which lower root the upperdir was used with, and which upperdir the index belongs to. */
function checkOrigins({ upper, work, top }: Originals, { config, mounts, target }: UseContext): void {
  const system = loadSystem()
  if (system === null) return
  const prefix = config.userxattr ? 'user.overlay.' : 'trusted.overlay.'
  const origin = readHandle(upper, `${prefix}origin`, system)
  if (origin !== null && isOther(origin, { directory: top, isUpper: false, system }))
    throw staleOrigin(upper, top, aboutPair([upper, top], target))
  const index = openIndex(work, mounts)
  if (index === null) return
  try {
    const owner = readHandle(index, `${prefix}upper`, system)
    if (owner === null || !isOther(owner, { directory: upper, isUpper: true, system })) return
    throw staleIndex(work, aboutPair([upper, work], target))
  } finally {
    fs.closeSync(index.fd)
  }
}

function aboutPair(pair: readonly OpenLayer[], target: string | null): About {
  return { target, facts: layerFacts(pair), data: { directories: layerData(pair) } }
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
