// What changed, as data: one `Change` for each path whose meaning differs. It says what is different and not how it is
// stored; how a layer writes it is the business of layer-entries.ts.
import type { FileType } from '../../fs/index.ts'
import type { LayerPath } from '../../path/index.ts'

/** Something that was one value and is another. Before is null where it is not known. */
export type BeforeAfter<Value> = { readonly before: Value | null; readonly after: Value }

/** Seconds and nanoseconds of a modification time. */
export type ChangeTime = { readonly sec: number; readonly nsec: number }

/** How a change is written down in an upperdir, where it is. */
export type WhiteoutForm =
  | 'device' // a character device 0:0
  | 'xattr' // an empty file with overlay.whiteout
  | 'name' // a file ".wh.NAME", as AUFS and fuse-overlayfs write it

/** What happened to one path. Only what differs is there. */
export type Change = {
  readonly path: LayerPath
  readonly kind: 'added' | 'changed' | 'deleted' | 'renamed'
  /** As it is now; of something deleted as it was, null when that is not known. */
  readonly type: FileType | null
  /** Of a regular file that is there now. */
  readonly sizeBytes?: number
  /** There was something of another type. */
  readonly typeBefore?: FileType
  /** Bytes of content; equal when only bytes differ. */
  readonly content?: BeforeAfter<number>
  readonly mode?: BeforeAfter<number>
  readonly owner?: BeforeAfter<{ readonly uid: number; readonly gid: number }>
  readonly time?: BeforeAfter<ChangeTime>
  /** Of a symlink. */
  readonly target?: BeforeAfter<string>
  /** Of a device. */
  readonly device?: BeforeAfter<{ readonly major: number; readonly minor: number }>
  readonly xattrs?: XattrChange
  /** Its hard links are others than before. */
  readonly links?: true
  /** The first name of the hard link group that it belongs to, when it is not the first itself. */
  readonly linkTo?: LayerPath
  /** A directory in which nothing of the lower layers shows. */
  readonly opaque?: true
  /** Names of lower layers that do not show in this directory any more; absent where that is not known. */
  readonly hides?: readonly string[]
  /** Where it was: the path in the lower layers. */
  readonly from?: LayerPath
  /** Only its metadata is in the upper layer. */
  readonly metacopy?: true
  /** How the upper layer says that it is deleted. */
  readonly whiteout?: WhiteoutForm
  /** A whiteout of a name that no lower layer has. */
  readonly hidesNothing?: true
  /** It is in the upper layer but nothing differs. */
  readonly identical?: true
  /** A directory that stands here for what is in it. */
  readonly isParent?: true
}

/** Names of extended attributes, sorted. */
export type XattrChange = {
  readonly added: readonly string[]
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** True when a directory's own metadata is as it was, its time aside, which changes with what is made in it. */
export function isOnlyParent(change: Change): boolean {
  if (change.isParent !== true || change.kind !== 'changed' || change.opaque === true) return false
  const { typeBefore, mode, owner, xattrs, hides } = change
  return typeBefore === undefined && mode === undefined && owner === undefined && xattrs === undefined && !hides
}
