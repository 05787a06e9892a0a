// What the file systems and mounts beneath the directories must offer (fs/overlayfs/params.c: ovl_mount_dir_check();
// super.c: ovl_make_workdir(), ovl_get_lowerstack()).
import fs from 'node:fs'
import { loadSystem, type Mount } from '../host/index.ts'
import { refusal, shown, tooDeep, upperOnOverlay, upperReadOnly } from '../overlay/index.ts'
import type { CheckContext } from './check-relations.ts'
import { layersOf, lookAt } from './mounted-overlays.ts'
import { throughDescriptor } from './directory.ts'
import { allLayers, layerData, layerFacts, type OpenLayer, type OpenLayers } from './layers.ts'

/** Names compare in their own way there, which overlayfs does not follow; and proc forbids to be stacked upon. */
const unsupportedTypes = new Set([
  'vfat',
  'msdos',
  'exfat',
  'hfs',
  'hfsplus',
  'hpfs',
  'affs',
  'adfs',
  'efivarfs',
  'proc',
])
/** Remote file systems, none of which has RENAME_WHITEOUT; FUSE may have it, so the kernel is asked. */
const remoteTypes = new Set(['nfs', 'nfs4', '9p', 'cifs', 'smb3', 'ceph', 'afs', 'orangefs'])
/** FILESYSTEM_MAX_STACK_DEPTH: an overlay on an overlay is as far as it goes. */
const maxDepth = 2

/** What the checks of file systems look at. */
export type FilesystemContext = CheckContext & { readonly mounts: readonly Mount[] }

/**
 * Errors: OVL_UNSUPPORTED_FS, OVL_CASEFOLD_MIXED, OVL_LAYER_UNBINDABLE, OVL_UPPER_ON_OVERLAY, OVL_UPPER_READ_ONLY,
 * OVL_UPPER_REMOTE, OVL_TOO_DEEP.
 */
export function checkFilesystems(layers: OpenLayers, context: FilesystemContext): void {
  for (const layer of allLayers(layers)) checkType(layer, context)
  checkCasefold(layers, context)
  for (const layer of [layers.upper, layers.work]) if (layer !== null) checkWritable(layer, context)
  if (layers.upper !== null && remoteTypes.has(layers.upper.mount?.type ?? '')) throw remoteUpper(layers.upper, context)
  for (const layer of [...layers.lower, ...layers.data, ...(layers.upper === null ? [] : [layers.upper])])
    checkBindable(layer, context)
  checkDepth(layers, context)
}

function checkType(layer: OpenLayer, { target }: CheckContext): void {
  const type = layer.mount?.type ?? ''
  if (!unsupportedTypes.has(type)) return
  throw refusal('OVL_UNSUPPORTED_FS', `overlayfs cannot use ${type} as ${layer.role}`, {
    ...about([layer], target),
    kernel: type === 'proc' ? 'maximum fs stacking depth exceeded' : `filesystem on ${layer.path} not supported`,
  })
}

function checkWritable(layer: OpenLayer, { target }: CheckContext): void {
  const { mount } = layer
  if (mount === null) return
  if (mount.type === 'overlay') throw upperOnOverlay(layer, about([layer], target))
  if (!mount.options.includes('ro') && !mount.superOptions.includes('ro')) return
  throw upperReadOnly(layer, about([layer], target))
}

function remoteUpper(upper: OpenLayer, { target }: CheckContext): Error {
  return refusal(
    'OVL_UPPER_REMOTE',
    `upperdir ${shown(upper.path)} is on ${upper.mount?.type}, which cannot make whiteouts`,
    {
      ...about([upper], target),
      kernel: 'upper fs missing required features.',
      hint: 'put upperdir and workdir on a local file system; lower layers may be remote',
    },
  )
}

/** The kernel clones the mount of each layer, except of workdir, which is on the same as upperdir. */
function checkBindable(layer: OpenLayer, { target }: CheckContext): void {
  if (layer.mount?.tags.includes('unbindable') !== true) return
  throw refusal('OVL_LAYER_UNBINDABLE', `${layer.role} ${shown(layer.path)} is on an unbindable mount`, {
    ...about([layer], target),
    kernel: layer.role === 'upperdir' ? 'failed to clone upperpath' : 'failed to clone lowerpath',
    hint: `mount --make-private ${shown(layer.mount.mountPoint)}`,
  })
}

const casefoldFlag = 0x40000000
/** File systems whose directories may ignore case, where this kernel was built for that. */
const casefoldFeatures: Readonly<Record<string, string>> = {
  ext4: '/sys/fs/ext4/features/casefold',
  f2fs: '/sys/fs/f2fs/features/casefold',
  tmpfs: '/sys/fs/tmpfs/features/casefold',
}

function checkCasefold(layers: OpenLayers, { target }: CheckContext): void {
  const all = allLayers(layers)
  const [first] = all
  const other = all.find(layer => isCasefolded(layer) !== isCasefolded(first))
  if (first === undefined || other === undefined) return
  const folded = isCasefolded(first) ? first : other
  throw refusal('OVL_CASEFOLD_MIXED', `only some layers ignore case: ${folded.role} ${shown(folded.path)} does`, {
    ...about([first, other], target),
    kernel: `case-${isCasefolded(other) ? 'in' : ''}sensitive directory on ${other.path} is inconsistent`,
  })
}

function isCasefolded(layer: OpenLayer | undefined): boolean {
  const feature = casefoldFeatures[layer?.mount?.type ?? '']
  const system = feature !== undefined && fs.existsSync(feature) ? loadSystem() : null
  if (system === null || layer === undefined) return false
  const fd = fs.openSync(throughDescriptor(layer), fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    return ((system.inodeFlags(fd) ?? 0) & casefoldFlag) !== 0
  } finally {
    fs.closeSync(fd)
  }
}

function checkDepth(layers: OpenLayers, { mounts, target }: FilesystemContext): void {
  const depths = new Map<number, number>()
  const deep = [...layers.lower, ...layers.data].find(({ mount }) => depthOf(mount, { mounts, depths }) >= maxDepth)
  if (deep === undefined) return
  throw tooDeep(deep, about([deep], target))
}

type Depths = { readonly mounts: readonly Mount[]; readonly depths: Map<number, number> }

/** How many overlays lie upon each other; layers that cannot be found (another root, a relative path) count as none. */
function depthOf(mount: Mount | null, { mounts, depths }: Depths): number {
  if (mount?.type !== 'overlay') return 0
  const known = depths.get(mount.id)
  if (known !== undefined) return known
  depths.set(mount.id, 1)
  const below = layersOf(mount).map(path => depthOf(lookAt(path, mounts)?.mount ?? null, { mounts, depths }))
  const depth = 1 + Math.max(0, ...below)
  depths.set(mount.id, depth)
  return depth
}

function about(
  layers: readonly OpenLayer[],
  target: string | null,
): {
  readonly errno: 'EINVAL'
  readonly target: string | null
  readonly facts: string[]
  readonly data: { readonly directories: ReturnType<typeof layerData> }
} {
  return { errno: 'EINVAL', target, facts: layerFacts(layers), data: { directories: layerData(layers) } }
}
