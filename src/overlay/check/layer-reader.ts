import { decodeName } from '../../path/index.ts'

/** What a layer has at a path, as far as overlayfs cares. */
export type LayerNode = {
  /** `whiteout` is a character device 0:0. */
  readonly type: 'directory' | 'file' | 'whiteout' | 'other'
  readonly sizeBytes: number
  /** The attributes under the prefix that counts, without it: "opaque", "redirect", … */
  readonly marks: ReadonlyMap<string, Uint8Array>
  /** Full names of marks under prefixes that do not count. */
  readonly otherMarks: readonly string[]
}

/** A name in a directory of a layer. */
export type LayerName = { readonly name: string; readonly isDirectory: boolean }

/** One layer. Paths are relative to its root, "" is the root; no symlink is followed. */
export type LayerReader = {
  /** Null for what is not there, and for what cannot be looked at. */
  readonly look: (path: string) => LayerNode | null
  /** Empty for what cannot be listed. */
  readonly list: (directory: string) => readonly LayerName[]
}

/** An overlay that is not mounted. */
export type StoredOverlay = {
  /** Top-most first, the upperdir in front if there is one; without data-only layers. */
  readonly layers: readonly LayerReader[]
  readonly dataLayers: readonly LayerReader[]
  readonly hasUpper: boolean
  /** redirect_dir is on or follow. */
  readonly followsRedirects: boolean
  /** Files that hold metadata only are read. */
  readonly metacopy: boolean
}

/** A directory or file of a layer that takes part in something merged. */
export type Member = { readonly layer: number; readonly path: string; readonly node: LayerNode }

/** True for what hides its name: a character device 0:0, or an empty file with overlay.whiteout. */
export function isWhiteout({ type, sizeBytes, marks }: LayerNode): boolean {
  return type === 'whiteout' || (type === 'file' && sizeBytes === 0 && marks.has('whiteout'))
}

/** `y`, `x`, another text, or null: overlay.opaque of a directory. */
export function opaqueValue({ marks }: LayerNode): string | null {
  return textMark(marks.get('opaque'))
}

/** overlay.redirect as C reads it, or null. */
export function redirectValue({ marks }: LayerNode): string | null {
  return textMark(marks.get('redirect'))?.split('\0')[0] ?? null
}

/** True when a redirect is one name or an absolute path without empty parts (fs/overlayfs/util.c: ovl_get_redirect_xattr()). */
export function isValidRedirect(redirect: string): boolean {
  if (!redirect.startsWith('/')) return redirect !== '' && !redirect.includes('/')
  return redirect
    .slice(1)
    .split('/')
    .every(part => part !== '')
}

/** A path of a layer and a name in it. */
export function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

function textMark(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : decodeName(value)
}
