// What the arguments of `ovl diff` are: an upperdir, a bundle, an image, or a directory that is a tree by itself; and
// how each is opened for reading.
import { existsSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Bundle, isBundle, readBundle, rootPathOf } from '../../bundle/index.ts'
import { isCode, isErrno, OvlError, quote } from '../../errors/index.ts'
import { type FileSystem, MemoryFs } from '../../fs/index.ts'
import { hostPath, openHostFs, openHostView, probePrivileges, readMounts } from '../../host/index.ts'
import { openImage } from '../../image/index.ts'
import { type LayerFs, type TreeSource, type TreeView, viewFileSystem } from '../../layer/index.ts'
import { OverlayFs, type OverlaySettings, splitLowerdir } from '../../overlay/index.ts'
import { mountLayers, openMergedImage } from '../../unpack/index.ts'
import type { ImageOptions } from '../image-options.ts'
import { checkLayerNumber } from '../tree-errors.ts'

/** Things to close when the work is done, the last one first. */
export type Closers = (() => void)[]

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
  const merged = realpathSync(hostPath(join(directory, 'merged')))
  return readMounts().some(({ mountPoint, type }) => mountPoint === merged && type === 'overlay')
}

/** A host directory to be read. Errors: INPUT_NOT_FOUND, NEEDS_PRIVILEGE. */
export function openDirectory(directory: string, closers: Closers): TreeView {
  try {
    const view = openHostView(directory)
    closers.push(() => view.close())
    return view
  } catch (error) {
    throw cannotOpen(error, directory)
  }
}

/** What lower directories show together, as the kernel's overlay of them would. Errors: those of a mount. */
export function openStack({ directories, userxattr }: LowerStack, closers: Closers): TreeSource {
  const lower = directories.map(directory => ({ fs: openFileSystem(directory, closers), path: '/' }))
  // An overlay without upper layer needs two lower ones; an empty one at the bottom adds nothing.
  while (lower.length < 2) lower.push({ fs: new MemoryFs(), path: '/' })
  const options: OverlaySettings = userxattr ? { userxattr: true } : { redirect_dir: 'on', metacopy: 'on' }
  const overlay = new OverlayFs({ lower, options })
  closers.push(() => overlay.unmount())
  return viewFileSystem(overlay)
}

function openFileSystem(directory: string, closers: Closers): FileSystem {
  try {
    const host = openHostFs(directory, { readOnly: true, noAtime: true })
    closers.push(() => host.close())
    return host
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

/** An input as one whole tree. Errors: those of opening it. */
export async function openTree(input: Input, options: ImageOptions, closers: Closers): Promise<TreeSource> {
  if (input.kind === 'directory') return openDirectory(input.directory, closers)
  if (input.kind === 'bundle') return openMergedBundle(input.bundle, closers)
  return (await openImageTree(input.argument, options, closers)).merged
}

/** What a container sees. A native bundle that is not mounted is put together from its directories. */
function openMergedBundle(bundle: Bundle, closers: Closers): TreeSource {
  const { directory, state } = bundle
  const lowers = lowersOf(bundle)
  if (state.mode !== 'native' || lowers === null || isMounted(bundle))
    return openDirectory(join(directory, rootPathOf(state.mode)), closers)
  const directories = [join(directory, 'upper'), ...lowers.directories]
  return openStack({ ...lowers, directories }, closers)
}

/** An image as file systems. Errors: those of `openImage` and `openMergedImage`. */
async function openImageTree(
  argument: string,
  options: ImageOptions,
  closers: Closers,
): Promise<{ readonly merged: FileSystem; readonly layers: readonly LayerFs[] }> {
  const image = await openImage(argument, options)
  closers.push(() => image.close())
  const opened = await openMergedImage(image, options)
  closers.push(opened.close)
  return opened
}

/** Layer `number` of an image, and what the layers below it show. Errors: LAYER_NOT_FOUND and as `openTree`. */
export async function openImageLayer(
  argument: string,
  options: ImageOptions & { readonly layer: number },
  closers: Closers,
): Promise<{ readonly upper: TreeSource; readonly lower: TreeSource }> {
  const image = await openImage(argument, options)
  closers.push(() => image.close())
  checkLayerNumber(image, options.layer)
  const { layers, close } = await openMergedImage(image, options)
  closers.push(close)
  const upper = layers[options.layer - 1]
  if (upper === undefined) throw new Error('the number was checked')
  return { upper, lower: mountLayers(layers.slice(0, options.layer - 1), null) }
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

function cannotOpen(error: unknown, directory: string): unknown {
  const details = { data: { path: directory }, cause: error }
  if (isCode(error, 'ENOENT'))
    return new OvlError('INPUT_NOT_FOUND', `Cannot read ${quote(directory)}: no such directory`, details)
  if (isCode(error, 'ENOTDIR'))
    return new OvlError('INPUT_NOT_FOUND', `Cannot read ${quote(directory)}: it is no directory`, details)
  if (isCode(error, 'EACCES') || isErrno(error, 'EPERM'))
    return new OvlError('NEEDS_PRIVILEGE', `Cannot read ${quote(directory)}: not permitted for this user`, details)
  return error
}
