import type { MergeReport } from '../../commands/index.ts'
import { escapeControls, type Json } from '../../errors/index.ts'
import { countText, sizeText } from '../wording.ts'

/** The line about a merge: `merged: 9 entries, 35.7 KiB of files -> out  (dir)`. */
export function renderMerged({ output, format, entries, fileBytes, digest }: MergeReport): string {
  const what = `${countText(entries, 'entry', 'entries')}, ${sizeText(fileBytes)} of files`
  return `merged: ${what} -> ${escapeControls(output)}  (${digest ?? format})`
}

/** The JSON of `ovl merge`. */
export function mergedToJson(report: MergeReport): { readonly [key: string]: Json } {
  return { ...report }
}
