// How the decisions of an overlay read: one line an event, for traces of `ovl replay`, for `ovl explain` and lessons.

import { escapeControls, unreachable } from '../errors/index.ts'
import type { LayerAnswer, OverlayEvent, RenameStrategy } from '../overlay/index.ts'

/** What layers are called. By default "upper" and "lower 1". */
export type LayerNames = (index: number) => string

/** One line, without the number of the rule: `copy up /etc/passwd (1204 bytes)`. */
export function describeEvent(event: OverlayEvent, layerName: LayerNames = usualName): string {
  const path = escapeControls(event.path)
  switch (event.kind) {
    case 'lookup':
      return `look up ${path} in ${layerName(event.layer)}: ${answers[event.answer]}${follows(event.redirect)}`
    case 'copy-up':
      return `copy up ${path}${copied(event)}`
    case 'copy-up-data':
      return `copy the data of ${path} (${event.dataBytes} bytes)`
    case 'whiteout':
      return `whiteout at ${path}`
    case 'no-whiteout':
      return `no whiteout at ${path}: ${event.reason}`
    case 'opaque':
      return `${path} becomes opaque: ${event.reason}`
    case 'redirect':
      return `${path} redirects to ${escapeControls(event.value)}`
    case 'origin':
      return `overlay.origin on ${path}: ${event.reason}`
    case 'impure':
      return `${path} ${event.value ? 'holds' : 'no longer holds'} copied-up objects (overlay.impure)`
    case 'index':
      return `index entry of ${path}: ${event.action}`
    case 'create':
      return `make ${event.type} ${path}${event.overWhiteout ? ' in place of a whiteout' : ''}`
    case 'clear-whiteouts':
      return `empty ${path} of its whiteouts (${event.names.length})`
    case 'rename':
      return `rename ${path} to ${escapeControls(event.to)}: ${strategies[event.strategy]}`
    case 'refused':
      return `${event.operation} ${path}: ${event.errno}`
    default:
      return unreachable(event)
  }
}

const answers: Readonly<Record<LayerAnswer, string>> = {
  missing: 'nothing',
  whiteout: 'whiteout, which hides what is beneath',
  'xattr-whiteout': 'whiteout made of an attribute, which hides what is beneath',
  file: 'found',
  metacopy: 'metadata only, the data is beneath',
  directory: 'directory, merged with those beneath',
  'opaque-directory': 'opaque directory, which hides what is beneath',
  ignored: 'something else than the directory above it, which does not count',
}

const strategies: Readonly<Record<RenameStrategy, string>> = {
  plain: 'nothing stays behind',
  'leave-whiteout': 'a whiteout stays behind',
  'exchange-whiteout': 'the whiteout there moves to the old name',
  exchange: 'both change places',
  'exchange-and-clean': 'the whiteout there goes away',
}

function usualName(index: number): string {
  return index === 0 ? 'upper' : `lower ${index}`
}

function follows(redirect: string | undefined): string {
  return redirect === undefined ? '' : `, further down as ${escapeControls(redirect)}`
}

function copied({ type, dataBytes, metacopy }: OverlayEvent & { readonly kind: 'copy-up' }): string {
  if (type === 'dir') return ' (the directory alone)'
  if (type !== 'file') return ` (${type})`
  return metacopy ? ' (metadata only)' : ` (${dataBytes} bytes)`
}
