// Why a path of a merged tree looks as it does: the emulator is asked, and its lookup is listened to.

import { type Errno, FsError } from '../../errors/index.ts'
import { type FileSystem, fileTypeOf } from '../../fs/index.ts'
import {
  type LayerAnswer,
  type OverlayEvent,
  type OverlayFs,
  type OverlaySettings,
  readOnlyOverlay,
} from '../../overlay/index.ts'
import { type ExplainedLayer, type NodeSummary, ownNode, summarize } from './own-node.ts'

/** What a layer says about the path. */
export type LayerView = {
  readonly label: string
  /** What the lookup found there; null: it was not asked, since something above ends the search. */
  readonly answer: LayerAnswer | null
  /** The rule that decided. */
  readonly rule: number | null
  /** What it was looked up as, where a redirect of a layer above leads elsewhere. */
  readonly redirect: string | null
  /** What the layer has there, or at this very path if it was not asked; shown or not. */
  readonly own: NodeSummary | null
  /** The topmost that has an answer. */
  readonly decides: boolean
  /** What hides it: a directory above the path, in a layer above. */
  readonly hiddenBy: { readonly path: string; readonly label: string; readonly answer: LayerAnswer } | null
}

/** Why a path looks as it does. */
export type PathExplanation = {
  /** The path after symlinks on the way to it. */
  readonly path: string
  readonly symlinks: readonly { readonly path: string; readonly target: string }[]
  /** What shows; null with an errno. */
  readonly node: NodeSummary | null
  readonly errno: Errno | null
  /** Where the path ends before its last name: this directory does not exist. */
  readonly missingParent: string | null
  /** Top-most first. */
  readonly layers: readonly LayerView[]
  /** Numbers of rules, the deciding one first. */
  readonly rules: readonly number[]
}

/** How the layers are combined. */
export type ExplainPathOptions = { readonly settings?: OverlaySettings }

/** Explains a path of an overlay of these layers, top-most first. Nothing is written. */
export function explainPath(
  layers: readonly ExplainedLayer[],
  path: string,
  { settings = {} }: ExplainPathOptions = {},
): PathExplanation {
  const { resolved, symlinks, missingParent } = resolvePath(readOnlyOverlay(layers, { options: settings }), path)
  const asked = missingParent ?? resolved
  const events: OverlayEvent[] = []
  const overlay = readOnlyOverlay(layers, { options: settings, trace: event => void events.push(event) })
  const result = look(overlay, asked)
  const views = layers.map((layer, index) => viewOf({ layer, layers, index, path: asked, events }))
  const top = views.findIndex(({ answer }) => answer !== null && answer !== 'missing' && answer !== 'ignored')
  const decided = views.map((view, index) => ({ ...view, decides: index === top }))
  const hiding = decided.filter(({ answer, own }) => answer === null && own !== null)
  const telling = [...decided.filter(({ decides }) => decides), ...hiding, ...decided]
  const rules = telling.flatMap(({ rule }) => rule ?? [])
  return {
    path: resolved,
    symlinks,
    ...result,
    missingParent,
    layers: decided,
    rules: [...new Set([...rules, ...events.flatMap(event => (event.kind === 'refused' ? event.rule : []))])],
  }
}

const maxSymlinks = 40

/** The path without symlinks on the way to its last name. */
function resolvePath(
  fs: FileSystem,
  path: string,
): Pick<PathExplanation, 'symlinks' | 'missingParent'> & { readonly resolved: string } {
  const symlinks: { path: string; target: string }[] = []
  const trail: string[] = []
  const pending = namesOf(path)
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      trail.pop()
      continue
    }
    const at = `/${[...trail, name].join('/')}`
    const target = pending.length > 0 ? linkTarget(fs, at) : null
    if (target === 'missing')
      return { resolved: `/${[...trail, name, ...pending].join('/')}`, symlinks, missingParent: at }
    if (target === null || symlinks.length === maxSymlinks) {
      trail.push(name)
      continue
    }
    symlinks.push({ path: at, target: target.link })
    if (target.link.startsWith('/')) trail.length = 0
    pending.unshift(...namesOf(target.link))
  }
  return { resolved: `/${trail.join('/')}`, symlinks, missingParent: null }
}

function namesOf(path: string): string[] {
  return path.split('/').filter(name => name !== '' && name !== '.')
}

function linkTarget(fs: FileSystem, path: string): { readonly link: string } | 'missing' | null {
  try {
    return fileTypeOf(fs.lstat(path).mode) === 'symlink' ? { link: fs.readlink(path) } : null
  } catch (error) {
    if (error instanceof FsError) return 'missing'
    throw error
  }
}

function look(overlay: OverlayFs, path: string): Pick<PathExplanation, 'node' | 'errno'> {
  try {
    overlay.lstat(path)
    const { superBlock } = overlay
    let inode = superBlock.root
    for (const name of namesOf(path)) inode = superBlock.lookup(inode, name) ?? inode
    return { node: summarize(superBlock, inode), errno: null }
  } catch (error) {
    if (error instanceof FsError) return { node: null, errno: error.code }
    throw error
  }
}

type Viewed = {
  readonly layer: ExplainedLayer
  readonly layers: readonly ExplainedLayer[]
  readonly index: number
  readonly path: string
  readonly events: readonly OverlayEvent[]
}

type LookupEvent = OverlayEvent & { readonly kind: 'lookup' }

/** Layers of a read-only overlay are numbered from 1. */
function viewOf({ layer, layers, index, path, events }: Viewed): LayerView {
  const lookups = events.filter((event): event is LookupEvent => event.kind === 'lookup')
  const mine = lookups.findLast(event => event.path === path && event.layer === index + 1)
  const shared = { label: layer.label, own: ownNode(layer, path), decides: false }
  // The root is what it is: nothing looks it up.
  if (path === '/') return { ...shared, answer: 'directory', rule: 68, redirect: null, hiddenBy: null }
  if (mine !== undefined) {
    const redirect = mine.redirect === undefined ? null : mine.redirect
    // The emulator cites what makes a file end the search; what people ask is why this layer is the one.
    const own =
      redirect === null ? shared.own : ownNode(layer, redirect.startsWith('/') ? redirect : besideOf(path, redirect))
    return {
      ...shared,
      own,
      answer: mine.answer,
      rule: mine.answer === 'file' ? 1 : mine.rule,
      redirect,
      hiddenBy: null,
    }
  }
  const stop = lookups.findLast(event => event.layer <= index && ends.has(event.answer) && isOnTheWay(event.path, path))
  const hiddenBy =
    stop === undefined ? null : { path: stop.path, label: layers[stop.layer - 1]?.label ?? '', answer: stop.answer }
  return { ...shared, answer: null, rule: stop?.rule ?? null, redirect: null, hiddenBy }
}

function besideOf(path: string, name: string): string {
  return `${path.slice(0, path.lastIndexOf('/'))}/${name}`
}

/** What ends a search through the layers. */
const ends: ReadonlySet<LayerAnswer> = new Set<LayerAnswer>([
  'whiteout',
  'xattr-whiteout',
  'file',
  'opaque-directory',
  'ignored',
])

function isOnTheWay(ancestor: string, path: string): boolean {
  return path === ancestor || path.startsWith(`${ancestor}/`)
}
