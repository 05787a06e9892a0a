// What the arguments of `ovl diff` are: an upperdir, a bundle, an image, or a directory that is a tree by itself. How
// others than directories are opened is in files of their own, which are loaded when they are needed.
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Bundle, isBundle, readBundle } from '../../bundle/index.ts'
import { isCode, isErrno, OvlError, quote } from '../../errors/index.ts'
import { type HostView, hostPath, openHostView, probePrivileges, readMounts } from '../../host/index.ts'
import type { TreeView } from '../../layer/index.ts'
import { splitLowerdir } from '../../overlay/index.ts'

/** Things to close when the work is done, the last one first. */
export type Closers = (() => void)[]

/** Closes everything. */
export function closeAll(closers: Closers): void {
  for (const close of closers.toReversed()) close()
}

/** What an argument turned out to be. */
export type Input =
  | { readonly kind: 'bundle'; readonly bundle: Bundle }
  | { readonly kind: 'directory'; readonly directory: string }
  | { readonly kind: 'image'; readonly argument: string }

/** Recognises an argument by what is there. Errors: those of `readBundle`. */
export function recogniseInput(argument: string): Input {
  const stat = statSync(hostPath(argument), { throwIfNoEntry: false })
  if (stat?.isDirectory() !== true) return { kind: 'image', argument }
  if (isBundle(argument)) return { kind: 'bundle', bundle: readBundle(argument) }
  return holdsImage(argument) ? { kind: 'image', argument } : { kind: 'directory', directory: argument }
}

/** An OCI layout, or what skopeo calls dir. */
function holdsImage(directory: string): boolean {
  const has = (name: string): boolean => existsSync(hostPath(`${directory}/${name}`))
  return has('oci-layout') || (has('manifest.json') && has('version'))
}

/** Lower directories, top-most first, and the prefix of their marks. */
export type LowerStack = { readonly directories: readonly string[]; readonly userxattr: boolean }

/** Reads --lower. Errors: OVL_BAD_LOWERDIR. */
export function readLower(lower: readonly string[]): readonly string[] {
  const layers = splitLowerdir(lower.join(':'))
  if (typeof layers !== 'string' && layers.data.length === 0) return layers.lower
  const fault = typeof layers === 'string' ? layers : 'data-only layer, which cannot be compared with'
  throw new OvlError('OVL_BAD_LOWERDIR', `Cannot compare with --lower ${quote(lower.join(':'))}: it has a ${fault}`, {
    data: { lower: [...lower] },
  })
}

/** The lower directories of a bundle; null for a flat one. */
export function lowersOf({ directory, state }: Bundle): LowerStack | null {
  if (state.overlay === null) return null
  const { lowers, xattrs } = state.overlay
  const directories = lowers.toReversed().map(number => join(directory, 'lower', String(number)))
  return { directories, userxattr: xattrs === 'user' }
}

/** The bundle whose upper directory this is; null when it is none. */
export function bundleOfUpper(directory: string): Bundle | null {
  const absolute = resolve(directory)
  const parent = dirname(absolute)
  if (basename(absolute) !== 'upper' || !isBundle(parent)) return null
  return readBundle(parent)
}

/** True when an overlay is mounted on the bundle's merged directory: what changes then changes in upper. */
export function isMounted({ directory }: Bundle): boolean {
  const path = hostPath(join(directory, 'merged'))
  if (!existsSync(path)) return false // reading it says so
  const merged = realpathSync(path)
  return readMounts().some(({ mountPoint, type }) => mountPoint === merged && type === 'overlay')
}

/** A host directory to be read. Errors: INPUT_NOT_FOUND, NEEDS_PRIVILEGE. */
export function openDirectory(directory: string, closers: Closers): HostView {
  try {
    const view = openHostView(directory)
    closers.push(() => view.close())
    return view
  } catch (error) {
    throw cannotOpen(error, directory)
  }
}

/** Whether an upperdir was written with userxattr: by its root, or because this user sees no marks but those. */
export function usesUserXattrs(upper: TreeView): boolean {
  const names = [...(upper.xattrs(upper.root)?.keys() ?? [])]
  if (names.some(name => name.startsWith('trusted.overlay.'))) return false
  return names.some(name => name.startsWith('user.overlay.')) || !probePrivileges().canSetTrustedXattrs
}

/** Layer `number` of a bundle, and the lower ones. Errors: LAYER_NOT_FOUND. */
export function layerOfBundle(bundle: Bundle, number: number): { readonly upper: string; readonly lower: LowerStack } {
  const lowers = lowersOf(bundle)
  const count = bundle.state.layers.length
  if (lowers === null || number < 1 || number > count) {
    throw new OvlError('LAYER_NOT_FOUND', `Cannot find layer ${number} in bundle ${quote(bundle.directory)}`, {
      facts: [lowers === null ? 'it is flat, its layers are one tree' : `it has ${count} layers`],
      data: { layer: number, layers: count },
    })
  }
  const place = (layer: number): string => join(bundle.directory, 'lower', String(layer))
  const below = Array.from({ length: number - 1 }, (_, index) => place(number - 1 - index))
  return { upper: place(number), lower: { ...lowers, directories: below } }
}

/** What a directory that cannot be opened means to a user; other errors come back as they are. */
export function cannotOpen(error: unknown, directory: string): unknown {
  const details = { data: { path: directory }, cause: error }
  if (isCode(error, 'ENOENT'))
    return new OvlError('INPUT_NOT_FOUND', `Cannot read ${quote(directory)}: no such directory`, details)
  if (isCode(error, 'ENOTDIR'))
    return new OvlError('INPUT_NOT_FOUND', `Cannot read ${quote(directory)}: it is no directory`, details)
  if (isCode(error, 'EACCES') || isErrno(error, 'EPERM'))
    return new OvlError('NEEDS_PRIVILEGE', `Cannot read ${quote(directory)}: not permitted for this user`, details)
  return error
}
