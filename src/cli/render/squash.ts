import type { SquashReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { countText, shortDigest, sizeText } from '../wording.ts'

/** The line about a squash that goes to standard error: standard output has the digest alone. */
export function renderSquashed({ source, destination, transport, names, before, layer }: SquashReport): string {
  const place = `${transport}:${escapeControls(names.length === 0 ? destination : `${destination}:${names[0]}`)}`
  const was = `${countText(before.layers, 'layer')}, ${sizeText(before.sizeBytes)}`
  if (layer === null) return `squashed ${source} to ${place}: it has no layers`
  const is = `${shortDigest(layer.diffID, false)}, ${countText(layer.entries, 'entry', 'entries')}, ${sizeText(layer.sizeBytes)}`
  return `squashed ${source} to ${place}: ${was} -> layer ${is}`
}

/** The JSON of `ovl squash`. */
export function squashToJson({ names, before, layer, ...report }: SquashReport): { readonly [key: string]: Json } {
  return { ...report, names: [...names], before: { ...before }, layer: layer === null ? null : { ...layer } }
}
