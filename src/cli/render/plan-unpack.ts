import type { UnpackPlan } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { jsonName } from '../../path/index.ts'
import { countText, sizeText } from '../wording.ts'
import { unpackedImageToJson, unpackHeadline } from './unpack.ts'

/** The lines of `ovl unpack --dry-run`. */
export function renderPlan(plan: UnpackPlan): string[] {
  const documents = plan.hasConfig ? 'config.json ovl.json' : 'ovl.json'
  const verb = plan.replaces ? 'would replace' : 'would write'
  const space = `needs ${sizeText(plan.neededBytes)}, ${sizeText(plan.freeBytes)} free`
  return [
    unpackHeadline(plan.image),
    `${verb} ${escapeControls(plan.bundle)}: ${contentText(plan)} ${documents}; ${space}`,
    ...(plan.mode === 'flat' ? [] : plan.layers.flatMap(impliedNote)),
  ]
}

function contentText(plan: UnpackPlan): string {
  if (plan.mode === 'flat') return `rootfs (${treeText(plan)})`
  const merged = plan.mode === 'native' ? 'merged/ (a mount of the layers)' : `merged/ (${treeText(plan)})`
  return [...plan.layers.map(layerText), 'upper/ work/', merged].join(' ')
}

function treeText(plan: UnpackPlan): string {
  const parts = [
    countText(plan.files, 'file'),
    countText(plan.directories, 'directory', 'directories'),
    ...(plan.symlinks === 0 ? [] : [countText(plan.symlinks, 'symlink')]),
    ...(plan.specialFiles === 0 ? [] : [countText(plan.specialFiles, 'device or FIFO', 'devices and FIFOs')]),
  ]
  return parts.join(', ')
}

function layerText({ number, entries, whiteouts, opaques }: UnpackPlan['layers'][number]): string {
  const marks = [
    ...(whiteouts === 0 ? [] : [countText(whiteouts, 'whiteout')]),
    ...(opaques === 0 ? [] : [countText(opaques, 'opaque directory', 'opaque directories')]),
  ]
  const all = countText(entries, 'entry', 'entries')
  return `lower/${number} (${marks.length === 0 ? all : `${all}: ${marks.join(', ')}`})`
}

const shownDirectories = 4

function impliedNote({ number, implied }: UnpackPlan['layers'][number]): string[] {
  if (implied.length === 0) return []
  const shown = implied.slice(0, shownDirectories).map(path => `${escapeControls(path)}/`)
  const rest = implied.length > shown.length ? ` and ${implied.length - shown.length} more` : ''
  const verb = implied.length === 1 ? 'it gets' : 'they get'
  return [
    `note: layer ${number} has no entry for ${shown.join(', ')}${rest}: ${verb} mode and owner from the layer below`,
  ]
}

/** The JSON of `ovl unpack --dry-run`. */
export function planToJson({ image, hasConfig, layers, ...plan }: UnpackPlan): { readonly [key: string]: Json } {
  return {
    image: unpackedImageToJson(image),
    ...plan,
    layers: layers.map(({ implied, ...layer }) => ({ ...layer, implied: implied.map(jsonName) })),
    config: hasConfig,
  }
}
