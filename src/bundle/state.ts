// ovl.json: what ovl remembers of a bundle, so that later commands (diff, commit, mount, a second unpack) know what
// they have before them. Documented with its JSON Schema in docs/ovl.json.md and docs/ovl.schema.json.
//
// It holds no times and no host names: the same image unpacked the same way gives the same bytes.

import type { UserNamespace } from './id-map.ts'
import type { StandsFor } from './override-stat.ts'

/** Value of `schema`; the number changes when an old reader would misunderstand. */
export const stateSchema = 'ovl.bundle/1'
/** Name of the state file in a bundle. */
export const stateFileName = 'ovl.json'
/** Name of the runtime configuration in a bundle. */
export const configFileName = 'config.json'

/** How the merged tree came about: `flat` has no layers, the others are overlays, in `merged`. */
export type BundleMode = 'flat' | 'emulated' | 'native' | 'fuse'

/** What ovl.json says. */
export type BundleState = {
  /** Version of ovl that wrote the bundle. */
  readonly ovl: string
  readonly mode: BundleMode
  readonly image: BundleImage
  /** Base first. */
  readonly layers: readonly BundleLayer[]
  /** How `lower/` is written and what of it is mounted; null for a flat bundle. */
  readonly overlay: BundleOverlay | null
  readonly userNamespace: UserNamespace | null
  readonly notKept: NotKept
  /** Null until `ovl diff --save` puts what was changed in `merged` into `upper`. */
  readonly saved: SavedChanges | null
}

/** What was changed in each directory when the one was saved to the other, as diff IDs of layers. */
export type SavedChanges = { readonly merged: string; readonly upper: string }

/** Where the image came from and what it is. */
export type BundleImage = {
  /** Form and place the image was read from: an absolute path, or "standard input". */
  readonly transport: string
  readonly location: string
  readonly names: readonly string[]
  /** `os/architecture[/variant]` */
  readonly platform: string
  /** Digests; an old docker-archive has no manifest. */
  readonly manifest: string | null
  readonly config: string
}

/** A layer of the image, and what was in it. */
export type BundleLayer = {
  /** 1 is the base. */
  readonly number: number
  readonly diffID: string | null
  /** Digest, type and size as the image stores the layer; null where it does not say. */
  readonly digest: string | null
  readonly mediaType: string | null
  readonly sizeBytes: number | null
  /** Bytes of the tar. */
  readonly uncompressedBytes: number
  readonly entries: number
  readonly whiteouts: number
  readonly opaques: number
}

/** The overlay of a bundle. */
export type BundleOverlay = {
  /** Namespace of overlayfs' attributes: `user` needs the mount option `userxattr`. */
  readonly xattrs: 'trusted' | 'user'
  /** Whiteouts are character devices 0:0, or, where those cannot be made, empty files with an attribute (Linux 6.7). */
  readonly whiteouts: 'device' | 'xattr'
  /** Numbers of the layers that make up the tree, base first: not those below a layer that hides everything. */
  readonly lowers: readonly number[]
}

/** What this machine or this user could not keep. Paths are byte-exact and relative to the root of the image. */
export type NotKept = {
  /** Files that belong to somebody else in the image; with `--rootless` the others belong to 0:0 in the image. */
  readonly owners: readonly OwnerNote[]
  /** Devices and other files for which an ordinary file stands, or nothing. */
  readonly files: readonly FileNote[]
  readonly xattrs: readonly XattrNote[]
}

/** A file and its owner in the image. */
export type OwnerNote = { readonly path: string; readonly uid: number; readonly gid: number }

/** A file whose type could not be kept, with its permission bits in the image. */
export type FileNote = { readonly path: string; readonly mode: number; readonly was: StandsFor }

/** Names of extended attributes; byte-exact like paths. */
export type XattrNote = { readonly path: string; readonly names: readonly string[] }

/** For a bundle that is exactly what the image says. */
export const nothingLost: NotKept = { owners: [], files: [], xattrs: [] }

/** The directory of a bundle that a container sees as "/". */
export function rootPathOf(mode: BundleMode): 'rootfs' | 'merged' {
  return mode === 'flat' ? 'rootfs' : 'merged'
}
