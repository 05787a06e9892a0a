import type { CommitReport } from '../../commands/index.ts'
import { escapeControls, type Json, quote } from '../../errors/index.ts'
import { countText, shortDigest, sizeText } from '../wording.ts'

/** The line about a commit that goes to standard error: standard output has the digest alone. */
export function renderCommitted(report: CommitReport): string {
  const { source, from, destination, transport, names, layer } = report
  const place = `${transport}:${escapeControls(names.length === 0 ? destination : `${destination}:${names[0]}`)}`
  if (layer === null) return `committed ${quote(source)} to ${place}: nothing was changed in ${from}, no new layer`
  const { diffID, entries, sizeBytes } = layer
  const size = `${countText(entries, 'entry', 'entries')}, ${sizeText(sizeBytes)}`
  return `committed ${quote(source)} to ${place}: layer ${shortDigest(diffID, false)} from ${from} (${size})`
}

/** The JSON of `ovl commit`. */
export function commitToJson({ names, layer, ...report }: CommitReport): { readonly [key: string]: Json } {
  return { ...report, names: [...names], layer: layer === null ? null : { ...layer } }
}
