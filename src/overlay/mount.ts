// Mounts an overlay on directories of any file systems, as the kernel does on directories of its own
// (fs/overlayfs/super.c: ovl_fill_super()). All refusals come before the first change, where the kernel has made its
// directory in the workdir before it looks at the lower layers.
import { type Credentials, freeDevice, isPrivileged, root as rootCaller, type SuperBlock } from '../fs/index.ts'
import type { OverlayEvent } from './events.ts'
import { releaseNames } from './inode-table.ts'
import { getMark } from './marks.ts'
import { OverlayDentry, OverlayInode, type OverlayMount } from './model.ts'
import { buildMount } from './mount/build-mount.ts'
import { checkPresent } from './mount/check-present.ts'
import { checkRelations } from './mount/check-relations.ts'
import { releaseUse, UseLocks } from './mount/in-use.ts'
import { isPlaceBelow, type LayerSource, openPlace, overlayMagic, type Places } from './mount/places.ts'
import { describeByPath, tooDeep } from './mount/refusals.ts'
import { mapIno } from './stat.ts'
import type { OverlaySettings } from './option-table.ts'
import { type ModuleDefaults, type OverlayNote, resolveSettings, shownSettings, usualDefaults } from './settings.ts'

/** An overlay to be mounted. */
export type MountRequest = {
  /** Top-most first. */
  readonly lower: readonly LayerSource[]
  readonly data?: readonly LayerSource[]
  /** Without one the overlay is read-only. */
  readonly upper?: LayerSource | null
  /** A directory of the same file system as `upper`, beside it. */
  readonly work?: LayerSource | null
  /** By the kernel's names; what is absent is as `defaults` say. */
  readonly settings?: OverlaySettings
  readonly defaults?: ModuleDefaults
  /** Who mounts: changes of layers are made with these credentials. Default: root. */
  readonly mounter?: Credentials
  /** The mount option ro. */
  readonly readOnly?: boolean
  readonly trace?: ((event: OverlayEvent) => void) | null
}

/**
 * Mounts; `unmountOverlay` gives the directories free. Writes to the upper and work directories: overlay.uuid, work/work,
 * and what index and volatile need (rules 6, 48-52).
 *
 * Errors: the OVL_… codes of a mount, each with the kernel's errno in `data.errno`; errors of the upper file system as
 * FsError.
 */
export function mountOverlay(request: MountRequest): OverlayMount {
  const { mounter = rootCaller, defaults = usualDefaults, readOnly = false, trace = null } = request
  const { config, notes } = resolveSettings(request.settings ?? {}, {
    hasUpper: (request.upper ?? null) !== null,
    defaults,
    hasTrustedXattrs: isPrivileged(mounter),
  })
  const places = openPlaces(request)
  const allNotes = [...notes, ...checkPlaces(places)]
  const stackDepth = checkDepth(places)
  const locks = new UseLocks(allNotes)
  try {
    lockPlaces(places, { locks, isExclusive: config.index })
    const context = { config: { ...config }, notes: allNotes, mounter, defaults, readOnly, trace, stackDepth }
    const mount = buildMount(places, context)
    locks.keepFor(mount)
    return mount
  } catch (error) {
    locks.release()
    throw error
  }
}

/** The root of a mount: what its layers merge there, whatever marks they carry (ovl_get_root()). */
export function makeRoot(mount: OverlayMount): OverlayDentry {
  const { upper, lowers } = mount
  const lower = lowers.map(layer => ({ layer, inode: layer.root }))
  const inode = new OverlayInode('dir', upper?.root ?? null, lower)
  inode.mayHaveWhiteouts = true
  inode.hasUpperData = true
  const root = new OverlayDentry(null, '', inode)
  const [top] = lower
  if (upper !== null) {
    root.hasUpperAlias = true
    inode.isImpure = isByte(getMark(mount, upper, { inode: upper.root, mark: 'impure' }), 'y')
    mapIno(mount, inode, { ino: upper.superBlock.stat(upper.root).ino, fsid: 0 })
  } else if (top !== undefined) {
    const { superBlock, fileSystem } = top.layer
    mapIno(mount, inode, { ino: superBlock.stat(top.inode).ino, fsid: fileSystem.fsid })
  }
  // The lowest layer hides nothing, so that its mark is not asked for.
  for (const { layer, inode: directory } of lower.slice(0, -1)) {
    if (!isByte(getMark(mount, layer, { inode: directory, mark: 'opaque' }), 'x')) continue
    layer.hasXattrWhiteouts = true
    root.hasXattrWhiteouts = true
  }
  return root
}

/** Ends a mount. What lies in the workdir stays, the shared whiteout included (rule 49); so does overlay.uuid. */
export function unmountOverlay(mount: OverlayMount): void {
  if (!releaseUse(mount)) return
  releaseNames(mount)
  freeDevice(mount.dev)
  for (const { pseudoDev } of mount.fileSystems) freeDevice(pseudoDev)
}

/** What mountinfo would show of a mount, without directories (rules 5, 14). */
export function shownOptions({ config, defaults, xinoMode }: OverlayMount): readonly string[] {
  const xino = xinoMode === 0 ? (defaults.xino_auto ? 'auto' : 'off') : config.xino
  return shownSettings({ ...config, xino }, defaults)
}

function isByte(value: Uint8Array | null, letter: string): boolean {
  return value?.length === 1 && value[0] === letter.charCodeAt(0)
}

function openPlaces({ lower, data = [], upper = null, work = null }: MountRequest): Places {
  checkPresent({ lower, data, upper: upper?.path ?? null, hasWork: work !== null }, null)
  return {
    lower: lower.map(source => openPlace('lowerdir', source)),
    data: data.map(source => openPlace('datadir', source)),
    upper: upper === null ? null : openPlace('upperdir', upper),
    work: work === null || upper === null ? null : openPlace('workdir', work),
  }
}

function checkPlaces(places: Places): OverlayNote[] {
  return checkRelations(places, {
    target: null,
    isBelow: isPlaceBelow,
    // Only one and the same SuperBlock renames between two of its directories, as only one mount does.
    apartness(upper, work) {
      if (upper.superBlock === work.superBlock) return null
      return upper.superBlock.dev === work.superBlock.dev ? 'mount' : 'file system'
    },
    describe: describeByPath,
  })
}

const maxDepth = 2
const depths = new WeakMap<SuperBlock, number>()

/** Tells overlays above how deep this one is already. For `OverlayFs`, once there is a SuperBlock. */
export function rememberDepth(superBlock: SuperBlock, { stackDepth }: OverlayMount): void {
  depths.set(superBlock, stackDepth)
}

function checkDepth({ lower, data }: Places): number {
  const all = [...lower, ...data]
  const deep = all.find(({ superBlock }) => depthOf(superBlock) >= maxDepth)
  if (deep !== undefined) throw tooDeep(deep, { target: null, ...describeByPath([deep]) })
  return 1 + Math.max(0, ...all.map(({ superBlock }) => depthOf(superBlock)))
}

/** An overlay of the kernel, seen through a host directory, counts as one. */
function depthOf(superBlock: SuperBlock): number {
  return depths.get(superBlock) ?? (superBlock.statfs().type === overlayMagic ? 1 : 0)
}

type LockContext = { readonly locks: UseLocks; readonly isExclusive: boolean }

function lockPlaces({ lower, data, upper, work }: Places, { locks, isExclusive }: LockContext): void {
  if (upper !== null) locks.take(upper, 'upperdir', isExclusive)
  if (work !== null) locks.take(work, 'workdir', isExclusive)
  for (const place of [...lower, ...data]) locks.check(place, { andAbove: false, isExclusive })
  const all = [...(upper === null ? [] : [upper]), ...(work === null ? [] : [work]), ...lower, ...data]
  for (const place of all) locks.check(place, { andAbove: true, isExclusive })
}
