import type { CopyReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { countText, sizeText } from '../wording.ts'

/** The lines about a copy that go to standard error: standard output has the digest alone. */
export function renderCopied(report: CopyReport): string[] {
  const { source, destination, transport, names, blobs, bytes, notes } = report
  const place = names.length === 0 ? destination : `${destination}:${names[0]}`
  return [
    `copied ${source} to ${transport}:${escapeControls(place)}  (${countText(blobs, 'blob')}, ${sizeText(bytes)})`,
    ...notes.map(note => `note: ${note}`),
  ]
}

/** The JSON of `ovl copy`. */
export function copyToJson({ names, notes, ...report }: CopyReport): { readonly [key: string]: Json } {
  return { ...report, names: [...names], notes: [...notes] }
}
