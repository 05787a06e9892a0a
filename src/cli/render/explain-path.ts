// The screen of `ovl explain SOURCE PATH`: what shows, a line for each layer from the base up, the rule that decides.

import type { PathReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import type { LayerView, NodeSummary, OperationOutcome } from '../../explain/index.ts'
import { jsonName } from '../../path/index.ts'
import { renderTable } from '../table.ts'
import { octalMode, sizeText, typeNames } from '../wording.ts'
import { ruleLines } from './explain.ts'
import type { View } from './view.ts'

/** What shows at the path, each layer's part, what is still shipped, and what operations do. */
export function renderPathReport(report: PathReport, view: View): string[] {
  return [
    ...report.symlinks.map(({ path, target }) => `${escapeControls(path)} is a symlink to ${escapeControls(target)}`),
    view.style('heading', headline(report)),
    ...layerTable(report, view),
    ...shipped(report),
    ...operationLines(report),
    ...ruleLines(view.verbosity > 0 ? report.rulesText : report.rulesText.slice(0, 1), view),
  ]
}

/** The JSON of `ovl explain SOURCE PATH`. */
export function pathReportToJson(report: PathReport): { readonly [key: string]: Json } {
  const { title, path, symlinks, node, errno, missingParent, layers, operations, rulesText } = report
  return {
    kind: 'path',
    source: title,
    path: jsonName(path),
    exists: node !== null,
    errno,
    node: nodeToJson(node),
    missingParent: missingParent === null ? null : jsonName(missingParent),
    symlinks: symlinks.map(each => ({ path: jsonName(each.path), target: jsonName(each.target) })),
    layers: layers.toReversed().map(layer => ({
      label: layer.label,
      answer: layer.answer ?? 'not-asked',
      rule: layer.rule,
      decides: layer.decides,
      redirect: layer.redirect === null ? null : jsonName(layer.redirect),
      hiddenBy: layer.hiddenBy === null ? null : { ...layer.hiddenBy, path: jsonName(layer.hiddenBy.path) },
      own: nodeToJson(layer.own),
    })),
    ...(operations === null ? {} : { operations: operations.map(each => ({ ...each })) }),
    rules: rulesText.map(({ number, text, checks }) => ({ number, text, checks })),
  }
}

function headline({ path, node, errno, missingParent, title, layers }: PathReport): string {
  const name = escapeControls(path)
  if (missingParent !== null)
    return `${name} does not exist in ${title}: ${escapeControls(missingParent)} does not exist`
  if (node === null)
    return `${name} ${errno === 'ENOENT' ? 'does not exist' : `cannot be looked up (${errno})`} in ${title}`
  const from = layers.filter(({ answer }) => answer === 'directory' || answer === 'opaque-directory')
  const top = layers.find(({ decides }) => decides)?.label.split('  ')[0]
  const where = from.length > 1 ? `merged from ${from.length} layers; attributes of ${top}` : `from ${top}`
  return `${name} is a ${describeNode(node)}, ${where}`
}

function layerTable({ layers }: PathReport, view: View): string[] {
  const rows = layers
    .toReversed()
    .map(layer => [`  ${layer.label}`, layer.own === null ? '–' : describeNode(layer.own), verdict(layer, view)])
  return renderTable([{}, {}, {}], rows)
}

const verdicts = {
  missing: '',
  whiteout: 'hides every lower entry of this name',
  'xattr-whiteout': 'hides every lower entry of this name',
  file: '',
  metacopy: 'metadata only: the data is beneath',
  directory: '',
  'opaque-directory': 'opaque: hides everything beneath',
  ignored: 'not merged: it is no directory, or a directory stands above it',
} as const

function verdict({ answer, decides, redirect, hiddenBy, own }: LayerView, view: View): string {
  if (answer === null) {
    if (own === null || hiddenBy === null) return ''
    return view.style('marker', `hidden by ${escapeControls(hiddenBy.path)} of ${hiddenBy.label.split('  ')[0]}`)
  }
  const parts = [
    ...(decides ? [view.style('added', '<- decides')] : []),
    ...(verdicts[answer] === '' ? [] : [verdicts[answer]]),
    ...(redirect === null ? [] : [`looked up as ${escapeControls(redirect)}`]),
  ]
  return parts.join(': ')
}

/** Files that no path shows, though their bytes are in the image. */
function shipped({ layers }: PathReport): string[] {
  return layers.flatMap(({ answer, own, label }) =>
    answer === null && own?.type === 'file' && own.sizeBytes > 0
      ? [`The ${sizeText(own.sizeBytes)} of ${label.split('  ')[0]} still ship.`]
      : [],
  )
}

function operationLines({ operations }: PathReport): string[] {
  if (operations === null) return []
  return ['If you …', ...renderTable([{}, {}], operations.flatMap(outcomeRows))]
}

function outcomeRows({ operations, errno, effects }: OperationOutcome): string[][] {
  const told = errno === null ? effects : [`fails with ${errno}`, ...effects]
  const lines = told.length === 0 ? ['nothing changes in the upper layer'] : told
  return lines.map((line, index) => [
    index === 0 ? `  ${operations.join(', ')}` : '',
    index === 0 ? `-> ${line}` : `   ${line}`,
  ])
}

function describeNode({ type, mode, uid, gid, sizeBytes, target, rdev, marks }: NodeSummary): string {
  if (type === 'whiteout') return 'whiteout'
  const words = [
    typeNames[type],
    ...(type === 'symlink' ? [] : [octalMode(mode)]),
    `${uid}:${gid}`,
    ...(type === 'file' ? [sizeText(sizeBytes)] : []),
    ...(target === null ? [] : [`-> ${escapeControls(target)}`]),
    ...(rdev === null ? [] : [rdev]),
    ...marks.filter(mark => mark !== 'overlay.origin' && mark !== 'overlay.impure').map(mark => `[${mark}]`),
  ]
  return words.join(' ')
}

function nodeToJson(node: NodeSummary | null): Json {
  if (node === null) return null
  const { mode, target, ...rest } = node
  return { ...rest, mode: octalMode(mode), target: target === null ? null : jsonName(target) }
}
