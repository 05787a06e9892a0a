// Layers and their file systems: numbers of file systems, whether their uuids tell anything, and how inode numbers are
// made unique (fs/overlayfs/super.c: ovl_lower_dir(), ovl_get_fsid(), ovl_lower_uuid_ok(), ovl_get_layers();
// rules 11, 14, 87, 88).
import { type Credentials, isPrivileged, newDevice, type SuperBlock } from '../../fs/index.ts'
import type { Layer, LayerFileSystem } from '../model.ts'
import { allowsOfflineChanges } from '../opaque.ts'
import type { OverlayConfig, OverlayNote } from '../settings.ts'
import type { Place } from './places.ts'

/** A config while a mount looks at its file systems: features fall back. */
export type ConfigDraft = { -readonly [Key in keyof OverlayConfig]: OverlayConfig[Key] }

/** What the layers are made from. */
export type LayerPlaces = {
  readonly lower: readonly Place[]
  readonly data: readonly Place[]
  readonly upper: Place | null
}

/** What is decided along the way. */
export type LayerContext = {
  readonly config: ConfigDraft
  readonly mounter: Credentials
  readonly notes: OverlayNote[]
}

/** All layers of an overlay, and what their file systems mean for inode numbers. */
export type Layers = {
  readonly upper: Layer | null
  readonly lowers: readonly Layer[]
  readonly dataLayers: readonly Layer[]
  readonly fileSystems: readonly LayerFileSystem[]
  readonly xinoMode: number
}

/** Kinds of file handles: none, 32-bit inode numbers, any other (ovl_can_decode_fh()). */
export type HandleKind = 'none' | 'ino32' | 'other'

/** What handles a file system has, for a mounter who may open them. */
export function handleKind({ features }: SuperBlock, mounter: Credentials): HandleKind {
  if (!isPrivileged(mounter) || !features.handles) return 'none'
  return features.has32BitInodes ? 'ino32' : 'other'
}

/** Changes `config` where the file systems do not allow what it says. */
export function makeLayers(places: LayerPlaces, context: LayerContext): Layers {
  const { upper, lower, data } = places
  for (const place of [...lower, ...data]) fallBackWithoutHandles(place, upper !== null, context)
  const all = [...(upper === null ? [] : [upper]), ...lower, ...data]
  const isIno32 = all.every(({ superBlock }) => handleKind(superBlock, context.mounter) === 'ino32')
  const table = new FileSystemTable(upper, context)
  const lowers = lower.map((place, at) => layerOf(place, { index: at + 1, fileSystem: table.add(place) }))
  // Data-only layers have no part in identity: one "file system" for all that has no numbers.
  const dataLayers = data.map((place, at) => {
    const fileSystem = { superBlock: place.superBlock, fsid: table.count, pseudoDev: 0, hasAmbiguousUuid: false }
    return layerOf(place, { index: lower.length + at + 1, fileSystem })
  })
  return {
    upper: upper === null || table.upper === null ? null : layerOf(upper, { index: 0, fileSystem: table.upper }),
    lowers,
    dataLayers,
    fileSystems: table.all,
    xinoMode: xinoMode(table, { ...context, hasUpper: upper !== null, isIno32 }),
  }
}

const roles = { upperdir: 'upper', lowerdir: 'lower', datadir: 'data', workdir: 'upper' } as const

function layerOf(
  { superBlock, root, path, role }: Place,
  { index, fileSystem }: { readonly index: number; readonly fileSystem: LayerFileSystem },
): Layer {
  return { index, role: roles[role], fileSystem, superBlock, root, path, hasXattrWhiteouts: false }
}

function fallBackWithoutHandles(place: Place, hasUpper: boolean, { config, mounter, notes }: LayerContext): void {
  if (handleKind(place.superBlock, mounter) !== 'none') return
  const note = (about: string): void =>
    void notes.push({ about, message: `${place.path} has no file handles: ${about} is off` })
  if (config.nfsExport || (config.index && hasUpper)) {
    note(config.nfsExport ? 'nfs_export' : 'index')
    config.index = false
    config.nfsExport = false
  }
  if (config.xino !== 'auto' || !hasUpper) return
  note('xino')
  config.xino = 'off'
}

type DraftFileSystem = { -readonly [Key in keyof LayerFileSystem]: LayerFileSystem[Key] } & { isLower: boolean }

/** The file systems in the order in which layers meet them (struct ovl_fs.fs). Number 0 is the upper one's, always. */
class FileSystemTable {
  readonly upper: DraftFileSystem | null
  readonly all: DraftFileSystem[]
  readonly #context: LayerContext

  constructor(upper: Place | null, context: LayerContext) {
    this.#context = context
    this.upper =
      upper === null
        ? null
        : {
            superBlock: upper.superBlock,
            fsid: 0,
            pseudoDev: newDevice(),
            hasAmbiguousUuid: false,
            isLower: false,
          }
    this.all = this.upper === null ? [] : [this.upper]
  }

  /** Numbers given, the upper one's included. */
  get count(): number {
    return this.upper === null ? this.all.length + 1 : this.all.length
  }

  add(place: Place): LayerFileSystem {
    const { superBlock } = place
    const known = this.all.find(other => other.superBlock.dev === superBlock.dev)
    if (known !== undefined) {
      known.isLower = true
      return known
    }
    const hasAmbiguousUuid = !this.#isUuidGood(superBlock.uuid)
    if (hasAmbiguousUuid) this.#fallBack(place)
    const made = { superBlock, fsid: this.count, pseudoDev: newDevice(), hasAmbiguousUuid, isLower: true }
    this.all.push(made)
    return made
  }

  /** ovl_lower_uuid_ok() */
  #isUuidGood(uuid: Uint8Array): boolean {
    const { config } = this.#context
    if (!config.nfsExport && this.upper === null) return true
    if (allowsOfflineChanges(config) && uuid.every(byte => byte === 0)) return false
    const twin = this.all.find(other => other.isLower && other.superBlock.uuid.every((byte, at) => byte === uuid[at]))
    if (twin !== undefined) twin.hasAmbiguousUuid = true
    return twin === undefined
  }

  #fallBack({ path }: Place): void {
    const { config, notes } = this.#context
    const isNeeded = config.index || config.nfsExport || config.xino === 'auto'
    if (config.xino === 'auto') config.xino = 'off'
    config.index = false
    config.nfsExport = false
    if (!isNeeded) return
    notes.push({
      about: 'uuid',
      message: `the file system of ${path} has no uuid of its own: index, nfs_export and xino=auto are off`,
    })
  }
}

type XinoContext = LayerContext & { readonly hasUpper: boolean; readonly isIno32: boolean }

function xinoMode(table: FileSystemTable, { config, notes, hasUpper, isIno32 }: XinoContext): number {
  if (table.count - (hasUpper ? 0 : 1) === 1) {
    if (config.xino === 'on')
      notes.push({ about: 'xino', message: 'xino=on means nothing with all layers on one file system' })
    return 0
  }
  if (config.xino === 'off') return -1
  if (isIno32) return 32
  return 31 - Math.clz32(table.count - 1) + 2
}
