// What an overlay holds while it is mounted: its layers, and for every name that was looked up what it stands for.
// As in the kernel (fs/overlayfs/ovl_entry.h) a name (`OverlayDentry`) and an object (`OverlayInode`) are two things:
// hard links of the upper layer are several names of one object, names of a lower hard link are one object each until
// an index joins them.
//
// Where the parts are (kernel functions in brackets). Mount and identity:
//   mount.ts     mountOverlay(options): OverlayMount                                            [ovl_fill_super]
//                makeRoot(mount): OverlayDentry                                                 [ovl_get_root]
//   origin.ts    originHandle(mount, lower: LowerObject): Uint8Array | null; null: none can be made, stored as empty
//                                                                                               [ovl_get_origin_fh]
//                setOrigin(mount, upper: Inode, handle: Uint8Array | null)                      [ovl_set_origin_fh]
//                hasOriginMark(mount, layer, inode): boolean                                    [ovl_path_check_origin_xattr]
//                findOrigin(mount, upper: Inode, type): LowerObject | null                      [ovl_check_origin]
//                matchesOrigin(mount, upper: Inode, lower: LowerObject): boolean                [ovl_verify_origin, set=false]
//   index.ts     needsIndex(mount, inode: OverlayInode): boolean                                [ovl_need_index]
//                indexName(mount, origin: LowerObject): string                                  [ovl_get_index_name]
//                lookupIndex(mount, upper: Inode | null, origin: LowerObject): Inode | null     [ovl_lookup_index, verify=true]
//                createIndex(mount, handle: Uint8Array, upperDirectory: Inode)                  [ovl_create_index]
//                unionNlink(mount, inode: OverlayInode, fallback: number): number               [ovl_get_nlink]
//                setNlinkUpper(mount, inode: OverlayInode), setNlinkLower(…)                    [ovl_set_nlink_upper, …_lower]
//                cleanupIndex(mount, dentry)                                                    [ovl_cleanup_index]
//   stat.ts      statOf(mount, dentry): Stat                                                    [ovl_getattr]
//                mapIno(mount, inode: OverlayInode, from: {ino, fsid})                          [ovl_map_ino]
//                remapLowerIno(mount, ino, fsid): bigint                                        [ovl_remap_lower_ino]
//                statfsOf(mount): FileSystemStat                                                [ovl_statfs]
// Names and objects: lookup.ts, inode-table.ts (the hash: getInode, isTrap), readdir.ts, copy-up.ts, whiteout.ts
// (whiteout, cleanup, cleanUpAndWhiteout), opaque.ts, redirect.ts, create.ts, link.ts, remove.ts, rename.ts,
// open-file.ts, change.ts, xattr.ts, marks.ts, super-block.ts (all of it as a SuperBlock), overlay-fs.ts.
import { type Credentials, type FileType, type Inode, O_NOATIME, type Ownership, type SuperBlock } from '../fs/index.ts'
import type { OverlayEvent } from './events.ts'
import type { MarkNames } from './marks.ts'
import type { ModuleDefaults, OverlayConfig, OverlayNote } from './settings.ts'

/** One file system among those of the layers (struct ovl_sb). */
export type LayerFileSystem = {
  readonly superBlock: SuperBlock
  /** 0: the upper one's. */
  readonly fsid: number
  /** st_dev of its non-directories, where numbers cannot be made unique. */
  readonly pseudoDev: number
  /** Another file system among the layers has the same uuid, so that it tells nothing. */
  readonly hasAmbiguousUuid: boolean
}

/** One layer (struct ovl_layer). */
export type Layer = {
  /** 0: the upper one; lower ones from 1, top-most first; data-only ones behind them. */
  readonly index: number
  readonly role: 'upper' | 'lower' | 'data'
  readonly fileSystem: LayerFileSystem
  /** Of `fileSystem`: the hot paths ask it. */
  readonly superBlock: SuperBlock
  readonly root: Inode
  /** As the caller named it; for messages and traces. */
  readonly path: string
  /** A directory with opaque=x was seen in it. */
  hasXattrWhiteouts: boolean
}

/** An object of a lower layer (struct ovl_path). */
export type LowerObject = { readonly layer: Layer; readonly inode: Inode }

/** Where things are prepared before they appear in the upper layer. On the upper layer's file system. */
export type WorkPlace = {
  /** The directory that workdir= named. */
  readonly base: Inode
  /** Its "work", or with index=on "index". */
  readonly directory: Inode
  /** The last number of a temporary name "#%x". */
  temporaryNames: number
  /** The whiteout that deletions link (rule 55); null until the first one, and after a failure to link. */
  whiteout: { readonly name: string; readonly inode: Inode } | null
  sharesWhiteouts: boolean
}

/** A mounted overlay (struct ovl_fs). Made by `mountOverlay` (mount.ts). */
export type OverlayMount = {
  readonly config: OverlayConfig
  readonly defaults: ModuleDefaults
  /** Null: read-only. */
  readonly upper: Layer | null
  /** Without data-only layers; top-most first. At least one, unless there are data-only layers alone. */
  readonly lowers: readonly Layer[]
  readonly dataLayers: readonly Layer[]
  readonly fileSystems: readonly LayerFileSystem[]
  /** Null without upper layer, and when the workdir could not be prepared: the overlay is then read-only. */
  readonly work: WorkPlace | null
  readonly readOnly: boolean
  /** What was ignored or fell back, and what may surprise. */
  readonly notes: readonly OverlayNote[]
  /** How many overlays lie upon each other, this one included: at most 2 (rule 36). */
  readonly stackDepth: number
  /** st_dev of the overlay. */
  readonly dev: number
  readonly uuid: Uint8Array
  /** Longest name, the maximum over the layers. */
  readonly nameMax: number
  /** Full names of the attributes that overlayfs keeps for itself. */
  readonly marks: MarkNames
  /** -1: numbers of several file systems are not made unique; 0: one file system; else the unused high bits. */
  readonly xinoMode: number
  /** The upper layer makes files without a name (O_TMPFILE). */
  readonly usesTemporaryFiles: boolean
  /** The upper layer stores no attributes; found out at mount or by the first failure. */
  hasNoXattrs: boolean
  /** Nobody's caller: changes of layers are made with these. */
  readonly mounter: Credentials
  /** Roots of layers and of the workdir, by their numbers: whoever looks one up gets ELOOP (rule 33). */
  readonly traps: ReadonlyMap<SuperBlock, ReadonlySet<bigint>>
  /** The last number given to a directory that has no number of its own (rule 87). */
  lastIno: bigint
  /** Objects by what they stand for (the kernel's inode hash): directories, and files with several names. */
  readonly inodes: Map<SuperBlock, Map<bigint, OverlayInode>>
  /** A redirect of a lower layer was followed: what is beneath may be found under several names. */
  hasLowerRedirects: boolean
  /** Null: nobody listens, and no event is made. */
  readonly trace: ((event: OverlayEvent) => void) | null
}

/** An object of the overlay (struct ovl_inode). */
export class OverlayInode {
  readonly type: FileType
  upper: Inode | null
  /**
   * Of a directory: what it merges. Of a pure lower file: itself, and beneath it its data if it is a metacopy. Of a
   * copied-up file: its origin, for the number alone, or what holds the data if it is a metacopy.
   */
  lower: readonly LowerObject[]
  /** Value of overlay.redirect of the upper object; how a renamed directory is found below. */
  redirect: string | null = null
  /** OVL_HAS_DIGEST: the metacopy names the fs-verity digest that its data must have; looked for with verity= only. */
  hasDigest = false
  /** Where the data-only layers have the data; looked for when it is needed (rule 76). */
  lazyDataRedirect: string | null = null
  /** OVL_IMPURE: an upper directory that holds objects with an origin. */
  isImpure = false
  /** OVL_WHITEOUTS: a directory whose listing has to be filtered (rule 82). */
  mayHaveWhiteouts = false
  /** OVL_INDEX: the upper object is in the index. */
  isIndexed = false
  /** OVL_UPPERDATA: the upper file is no metacopy. */
  hasUpperData = false
  /** OVL_CONST_INO: the number of the lower object stays after copy-up. */
  keepsLowerIno = false
  /** How many names: meaningful for indexed objects only (rule 90). */
  nlink = 1
  /** i_ino; of directories that got a number of the overlay's own. */
  ino = 0n
  /** Counts changes that make a listing stale. */
  version = 0
  /** The merged listing of `version` (rule 81). */
  listing: DirectoryListing | null = null
  /** Under which it is found in `OverlayMount.inodes`; null when it is not there. */
  key: InodeKey | null = null
  /**
   * Mode and owner as they were when the object was last used: of an upper file that has several names, which may be
   * those of several objects. Null: whatever the layer has now.
   */
  ownership: Ownership | null = null
  /** How many cached names lead to it. */
  names = 0
  /** One of them; `moreNames` has the others. */
  name: OverlayDentry | null = null
  moreNames: Set<OverlayDentry> | null = null
  /** How many open files and directories keep it. */
  opened = 0
  /** Lets go of the upper object that lost its name while this was open. */
  releaseUpper: (() => void) | null = null
  /** Open files, which read from the upper object once there is one. */
  openFiles: Set<{ refresh(): void }> | null = null

  constructor(type: FileType, upper: Inode | null, lower: readonly LowerObject[]) {
    this.type = type
    this.upper = upper
    this.lower = lower
  }
}

/** A place in `OverlayMount.inodes`. */
export type InodeKey = { readonly superBlock: SuperBlock; readonly ino: bigint }

/** A merged listing; its own type is readdir.ts's. */
export interface DirectoryListing {
  readonly version: number
}

/** What a directory knows of a name it does not hold. `whiteout`: because the upper layer has a whiteout (rule 118). */
export type NegativeEntry = 'missing' | 'whiteout'

/** A name of the overlay (struct dentry). The objects that `OverlayFs` hands to the Vfs. */
export class OverlayDentry implements Inode {
  readonly type: FileType
  name: string
  /** The root is its own parent. */
  parent: OverlayDentry
  inode: OverlayInode
  /** What lookups found; null before the first. Absent: not looked up yet. */
  children: Map<string, OverlayDentry | NegativeEntry> | null = null
  /** OVL_E_OPAQUE: the upper directory hides what is beneath. */
  isOpaque = false
  /** OVL_E_UPPER_ALIAS: this name is in the upper layer, not just another name of the object. */
  hasUpperAlias = false
  /** OVL_E_XWHITEOUTS: a lower member of this directory may hold xattr whiteouts. */
  hasXattrWhiteouts = false
  /** Dropped: the name was removed, only open handles lead here. */
  isDropped = false

  constructor(parent: OverlayDentry | null, name: string, inode: OverlayInode) {
    this.type = inode.type
    this.name = name
    this.parent = parent ?? this
    this.inode = inode
    inode.names++
    if (inode.name === null) inode.name = this
    else (inode.moreNames ??= new Set()).add(this)
  }
}

/** The path of a name, for traces and redirects: "/" for the root. */
export function pathOf(dentry: OverlayDentry): string {
  let path = ''
  for (let at = dentry; at.parent !== at; at = at.parent) path = `/${at.name}${path}`
  return path === '' ? '/' : path
}

/** The path that a name in a directory has. */
export function pathBelow(directory: OverlayDentry, name: string): string {
  const path = pathOf(directory)
  return path === '/' ? `/${name}` : `${path}/${name}`
}

/** The root above a name. */
export function rootOf(dentry: OverlayDentry): OverlayDentry {
  let at = dentry
  while (at.parent !== at) at = at.parent
  return at
}

/** __OVL_PATH_MERGE: several layers take part in it. */
export function isMerge(dentry: OverlayDentry): boolean {
  const { inode } = dentry
  if (inode.upper === null) return inode.lower.length > 1 || inode.lazyDataRedirect !== null
  if (inode.lower.length === 0) return false
  return inode.type === 'dir' || !hasUpperData(inode)
}

/** __OVL_PATH_ORIGIN: an upper object whose lower one lends it the number. */
export function hasOrigin({ inode }: OverlayDentry): boolean {
  return inode.upper !== null && inode.lower.length > 0 && inode.keepsLowerIno
}

/** False for an upper file that is a metacopy (ovl_has_upperdata()). */
export function hasUpperData(inode: OverlayInode): boolean {
  return inode.hasUpperData || inode.type !== 'file' || inode.lower.length === 0
}

/** True for a regular file whose data is in another layer than its metadata (ovl_is_metacopy_dentry()). */
export function isMetacopy({ inode }: OverlayDentry): boolean {
  if (inode.type !== 'file') return false
  return inode.upper === null ? inode.lower.length > 1 || inode.lazyDataRedirect !== null : !hasUpperData(inode)
}

/** All layers are on one file system (ovl_same_fs()). */
export function isSameFileSystem(mount: OverlayMount): boolean {
  return mount.xinoMode === 0
}

/** All objects have the overlay's st_dev (ovl_same_dev()). */
export function isSameDevice(mount: OverlayMount): boolean {
  return mount.xinoMode >= 0
}

/** The high bits of numbers that tell file systems apart; not above 0: none (ovl_xino_bits()). */
export function xinoBits({ xinoMode }: OverlayMount): number {
  return xinoMode
}

/** Whether redirects are followed (ovl_redirect_follow()). */
export function followsRedirects({ config }: OverlayMount): boolean {
  return config.redirectDir !== 'nofollow'
}

/** Lower layers are read as mounted with noatime (rule 115). */
export function accessFlags({ role }: Layer): number {
  return role === 'upper' ? 0 : O_NOATIME
}

/** With nfs_export every object is indexed, and lower directories are verified (ovl_index_all(), ovl_verify_lower()). */
export function indexesAll({ config }: OverlayMount): boolean {
  return config.nfsExport && config.index
}
