// Text tables: columns as wide as their widest cell, two spaces between them, nothing behind the last cell.

import { stripVTControlCharacters } from 'node:util'

/** Head and alignment of a column. */
export type Column = { readonly title?: string; readonly align?: 'left' | 'right' }

/** Lines of a table. Cells may be coloured; the titles are printed when at least one column has one. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(column => column.title ?? '')
  const all = titles.some(title => title !== '') ? [titles, ...rows] : rows
  const widths = columns.map((_, i) => all.reduce((widest, row) => Math.max(widest, displayWidth(row[i] ?? '')), 0))
  return all.map(row =>
    columns
      .map((column, i) => pad(row[i] ?? '', widths[i] ?? 0, column.align ?? 'left'))
      .join('  ')
      .trimEnd(),
  )
}

/** Places that a text takes on a terminal: combining marks none, East Asian wide characters and emoji two. */
export function displayWidth(text: string): number {
  let width = 0
  for (const char of stripVTControlCharacters(text)) width += charWidth(char)
  return width
}

function charWidth(char: string): number {
  if (char < '\u0300') return 1
  if (/^\p{Mn}|\p{Me}$/u.test(char)) return 0
  return /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\uff01-\uff60]$/u.test(
    char,
  )
    ? 2
    : 1
}

function pad(cell: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - displayWidth(cell)))
  return align === 'left' ? cell + space : space + cell
}
