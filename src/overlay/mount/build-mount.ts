// Puts a mount together from directories that were found and checked (fs/overlayfs/super.c: ovl_fill_super() from
// ovl_get_workdir() on).
import { newDevice, type Inode, type SuperBlock } from '../../fs/index.ts'
import type { OverlayEvent } from '../events.ts'
import { markNames } from '../marks.ts'
import type { OverlayInode, OverlayMount } from '../model.ts'
import type { ModuleDefaults } from '../settings.ts'
import { type LayerContext, type Layers, makeLayers } from './layers.ts'
import type { Place, Places } from './places.ts'
import { prepareUpper } from './prepare-upper.ts'
import { setUpIndex } from './set-up-index.ts'
import { loadUuid, nullUuid } from './uuid.ts'

/** What is decided before the directories are touched. */
export type BuildContext = LayerContext & {
  readonly defaults: ModuleDefaults
  readonly readOnly: boolean
  readonly trace: ((event: OverlayEvent) => void) | null
  readonly stackDepth: number
}

/** A mount while it is made: `config` may still fall back. */
export type MountDraft = { -readonly [Key in keyof Omit<OverlayMount, 'config'>]: OverlayMount[Key] } & Pick<
  LayerContext,
  'config'
>

/** Prepares the workdir and makes the mount. Errors: those of `prepareUpper` and `setUpIndex`. */
export function buildMount(places: Places, context: BuildContext): OverlayMount {
  const { config, notes, mounter } = context
  const prepared = places.work === null ? null : prepareUpper(places.work, context)
  const layers = makeLayers(places, context)
  const mount: MountDraft = {
    ...layers,
    config,
    defaults: context.defaults,
    work: prepared?.work ?? null,
    readOnly: context.readOnly,
    notes,
    stackDepth: context.stackDepth,
    dev: newDevice(),
    uuid: decideUuid(layers, context),
    nameMax: Math.max(...allPlaces(places).map(({ superBlock }) => superBlock.nameMax)),
    marks: markNames(config.userxattr),
    usesTemporaryFiles: prepared?.usesTemporaryFiles ?? false,
    hasNoXattrs: prepared?.hasNoXattrs ?? false,
    mounter,
    traps: new Map(),
    lastIno: 1n,
    inodes: inodeTables(places),
    hasLowerRedirects: false,
    trace: context.trace,
  }
  if (config.index && mount.work !== null) setUpIndex(mount, places)
  if (mount.work === null) withoutWorkdir(mount)
  mount.traps = trapsOf(places, mount)
  return mount
}

/** A read-only overlay has no index (ovl_force_readonly()). */
function withoutWorkdir(mount: MountDraft): void {
  mount.readOnly = true
  mount.config.index = false
  if (mount.upper === null || !mount.config.nfsExport) return
  mount.config.nfsExport = false
}

function decideUuid({ upper, fileSystems }: Layers, { config, notes }: BuildContext): Uint8Array {
  if (config.uuid === 'off' && fileSystems.length > 1) {
    config.uuid = 'null'
    notes.push({ about: 'uuid', message: 'uuid=off needs all layers on one file system: uuid=null' })
  }
  if (upper === null || (config.uuid !== 'on' && config.uuid !== 'auto')) return nullUuid
  const marks = markNames(config.userxattr)
  const { setting, uuid, note } = loadUuid({ superBlock: upper.superBlock, root: upper.root, marks }, config.uuid)
  config.uuid = setting
  if (note !== undefined) notes.push({ about: 'uuid', message: note })
  return uuid
}

function allPlaces({ lower, data, upper }: Places): readonly Place[] {
  return [...(upper === null ? [] : [upper]), ...lower, ...data]
}

/** File systems that are reached twice share one table: the same object is the same, whichever way it is found. */
function inodeTables(places: Places): Map<SuperBlock, Map<bigint, OverlayInode>> {
  return tablesByDevice(places, () => new Map<bigint, OverlayInode>())
}

function trapsOf(places: Places, { work }: OverlayMount): Map<SuperBlock, Set<bigint>> {
  const traps = tablesByDevice(places, () => new Set<bigint>())
  const add = (superBlock: SuperBlock, inode: Inode): void => {
    traps.get(superBlock)?.add(superBlock.stat(inode).ino)
  }
  for (const { superBlock, root } of allPlaces(places)) add(superBlock, root)
  if (places.work === null) return traps
  add(places.work.superBlock, places.work.root)
  if (work !== null) add(places.work.superBlock, work.directory)
  return traps
}

function tablesByDevice<Table>(places: Places, make: () => Table): Map<SuperBlock, Table> {
  const byDevice = new Map<number, Table>()
  const tables = new Map<SuperBlock, Table>()
  for (const { superBlock } of allPlaces(places)) {
    const table = byDevice.get(superBlock.dev) ?? make()
    byDevice.set(superBlock.dev, table)
    tables.set(superBlock, table)
  }
  return tables
}
