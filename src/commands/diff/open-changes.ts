// The changes that the arguments of a command name, found and kept open as long as they are written somewhere.
import type { Bundle } from '../../bundle/index.ts'
import { OvlError, quote } from '../../errors/index.ts'
import type { HostView } from '../../host/index.ts'
import type { Image } from '../../image/index.ts'
import { type Changeset, diffTrees, diffUpper, type MarkStyle, type TreeView } from '../../layer/index.ts'
import type { FoundChanges } from '../changes/image-changes.ts'
import { type ImageOptions, justRun } from '../image-options.ts'
import {
  bundleOfUpper,
  closeAll,
  type Closers,
  type Input,
  layerOfBundle,
  openDirectory,
  readLower,
  recogniseInput,
} from './inputs.ts'
import { openLower, openUpper } from './upper-directory.ts'

/** How changes are looked for. */
export type ChangeOptions = Omit<ImageOptions, 'ref'> & {
  /** Values of --lower, top-most first, each in the form of lowerdir=. */
  readonly lower: readonly string[]
  readonly userxattr: boolean
  /** Whose marks an upperdir has; found out when absent. */
  readonly style?: MarkStyle
  readonly all: boolean
  readonly withoutParents: boolean
  /** What this layer of an image or bundle changes. */
  readonly layer?: number
  /** The image that a flat bundle was unpacked from; null for where ovl.json says. */
  readonly parent: string | null
  /** Of an emulated bundle only what is in `merged`, whatever `upper` holds. */
  readonly onlyMerged?: boolean
}

/** Changes, readable as long as `use` runs. */
export type OpenChanges = {
  /** Made when it is first asked for. */
  readonly changeset: Changeset
  /** Things worth knowing about how they were found. */
  readonly notes: readonly string[]
  /** The upper directory that is read, for changes that come from one alone. */
  readonly upper: UpperDirectory | null
  /** The bundle, and where it has its changes. */
  readonly place: BundlePlace | null
}

/** Where the changes of a bundle were found. */
export type BundlePlace = { readonly bundle: Bundle; readonly from: FoundChanges['from'] }

/** An upper directory, as it is read. */
export type UpperDirectory = {
  readonly host: HostView
  /** The directory as it is meant: owners and types that files of an ordinary user stand for. */
  readonly view: TreeView
  readonly userxattr: boolean
  readonly style?: MarkStyle
  /** No lower layers take part: it can be written while it is read. */
  readonly isAlone: boolean
}

/**
 * Finds what changed: in UPPER, in a bundle, in a layer, or between two trees, images or bundles.
 *
 * Errors: USAGE, INPUT_NOT_FOUND, LAYER_NOT_FOUND, NEEDS_PRIVILEGE, READ_FAILED, those of `diffUpper`, `bundleChanges`
 * and `openParent`, of opening images and of the overlay of lower directories.
 */
export async function withChanges<T>(
  args: readonly string[],
  options: ChangeOptions,
  use: (changes: OpenChanges) => T | Promise<T>,
): Promise<T> {
  const closers: Closers = []
  try {
    return await use(await findChanges(args, options, closers))
  } finally {
    closeAll(closers)
  }
}

async function findChanges(args: readonly string[], options: ChangeOptions, closers: Closers): Promise<OpenChanges> {
  const [first = '', second] = args
  const { letGo = justRun } = options
  if (second !== undefined) {
    checkTwo(options)
    const [a, b] = [recogniseInput(first), recogniseInput(second)]
    const { openTree } = await import('./whole-trees.ts')
    const [before, after] = [await openTree(a, options, closers), await openTree(b, options, closers)]
    const ignoresLinks = isFlat(a) !== isFlat(b)
    return found(letGo(() => diffTrees(before, after, { ...options, ignoresLinks })))
  }
  const input = recogniseInput(first)
  if (input.kind !== 'directory' && options.lower.length > 0)
    throw new OvlError('USAGE', `--lower belongs to an upperdir, and ${quote(first)} is ${names[input.kind]}`)
  if (options.layer !== undefined) return found(await diffLayer(input, { ...options, layer: options.layer }, closers))
  if (input.kind === 'image') {
    const { withImage } = await import('../with-image.ts')
    await withImage(first, options, () => undefined) // what is no image is told first
    throw new OvlError('USAGE', `Cannot compare ${quote(first)} with nothing: it is an image`, {
      hint: 'name two images, or one of its layers: ovl diff --layer N IMAGE',
    })
  }
  return input.kind === 'bundle' ? diffBundle(input.bundle, options, closers) : diffDirectory(input, options, closers)
}

/** Layers lose hard links between them, a flat tree has them. */
function isFlat(input: Input): boolean {
  return input.kind === 'bundle' && input.bundle.state.mode === 'flat'
}

const names = { image: 'an image', bundle: 'a bundle' } as const

/** Errors: USAGE. */
function checkTwo({ lower, layer, style, userxattr }: ChangeOptions): void {
  const flag =
    lower.length > 0
      ? '--lower'
      : layer !== undefined
        ? '--layer'
        : style !== undefined
          ? '--marks'
          : userxattr
            ? '--userxattr'
            : null
  if (flag !== null) throw new OvlError('USAGE', `${flag} belongs to one argument, and two are compared as whole trees`)
}

/** Differences of an upperdir from lower directories, or with nothing to compare it with. */
async function diffDirectory(
  { directory }: Extract<Input, { kind: 'directory' }>,
  options: ChangeOptions,
  closers: Closers,
): Promise<OpenChanges> {
  const bundle = options.lower.length > 0 ? null : bundleOfUpper(directory)
  if (bundle !== null && bundle.state.overlay !== null)
    return diffBundle(bundle, { ...options, only: 'upper' }, closers)
  const { host, view, ...marks } = openUpper(directory, options, closers)
  if (options.lower.length > 0) {
    const lower = await openLower({ directories: readLower(options.lower), userxattr: marks.userxattr }, closers)
    const { letGo = justRun } = options
    const changeset = letGo(() => diffUpper(view, { ...options, ...marks, lower }))
    return { ...found(changeset), upper: { host, view, ...marks, isAlone: false } }
  }
  const { lower: _, ...rest } = options
  return lazily(() => diffUpper(view, { ...rest, ...marks }), { host, view, ...marks, isAlone: true })
}

type How = { readonly options: ChangeOptions; readonly closers: Closers }

/** What a layer of a bundle changes upon those below it. */
async function diffLayerOf(
  bundle: Bundle,
  { upper, lower }: ReturnType<typeof layerOfBundle>,
  { options, closers }: How,
): Promise<Changeset> {
  const { openStack } = await import('./lower-stack.ts')
  const { recordedView } = await import('../changes/recorded-view.ts')
  const below = recordedView(openStack(lower, closers), bundle.state)
  const view = recordedView(openDirectory(upper, closers), bundle.state)
  const { letGo = justRun } = options
  return letGo(() => diffUpper(view, { ...options, lower: below, userxattr: lower.userxattr }))
}

/** Wherever the bundle has its changes; a flat one is compared with its image. */
async function diffBundle(
  bundle: Bundle,
  options: ChangeOptions & { readonly only?: 'upper' | 'merged' },
  closers: Closers,
): Promise<OpenChanges> {
  const { bundleChanges } = await import('../changes/bundle-changes.ts')
  const { userxattr, onlyMerged = false, ...rest } = options
  const open = async (): Promise<Image> => {
    const { openParent } = await import('../changes/parent-image.ts')
    const image = await openParent(bundle, { ...options, verb: 'compare' })
    closers.push(() => image.close())
    return image
  }
  const how = {
    ...rest,
    closers,
    ...(userxattr ? { userxattr } : {}),
    ...(onlyMerged ? { only: 'merged' as const } : {}),
  }
  const { changeset, from, upper } = await bundleChanges(bundle, open, how)
  return {
    ...found(changeset),
    upper: upper === null ? null : { ...upper, userxattr, isAlone: false },
    place: options.only === 'upper' ? null : { bundle, from },
  }
}

async function diffLayer(
  input: Input,
  options: ChangeOptions & { readonly layer: number },
  closers: Closers,
): Promise<Changeset> {
  if (input.kind === 'directory')
    throw new OvlError('USAGE', `--layer belongs to an image or a bundle, and ${quote(input.directory)} is neither`)
  if (input.kind === 'bundle') {
    return diffLayerOf(input.bundle, layerOfBundle(input.bundle, options.layer), { options, closers })
  }
  const { openImageLayer } = await import('./whole-trees.ts')
  const { upper, lower } = await openImageLayer(input.argument, options, closers)
  const { letGo = justRun } = options
  return letGo(() => diffUpper(upper, { ...options, lower, userxattr: false }))
}

function found(changeset: Changeset): OpenChanges {
  return { changeset, notes: notesOf(changeset), upper: null, place: null }
}

function lazily(make: () => Changeset, upper: UpperDirectory): OpenChanges {
  let changeset: Changeset | null = null
  const made = (): Changeset => (changeset ??= make())
  return {
    get changeset() {
      return made()
    },
    get notes() {
      return notesOf(made())
    },
    upper,
    place: null,
  }
}

/** What is worth knowing about how changes were found. */
export function notesOf({
  style,
  isCompared,
  changes,
}: Pick<Changeset, 'style' | 'isCompared' | 'changes'>): readonly string[] {
  const notes: string[] = []
  if (style === 'aufs') notes.push('the marks are those of AUFS')
  if (style === 'fuse-overlayfs') notes.push('the marks are those of fuse-overlayfs')
  if (!isCompared && changes.some(({ kind }) => kind === 'added'))
    notes.push('what carries no overlay.origin is shown as added; --lower DIR tells whether it replaces something')
  return notes
}
