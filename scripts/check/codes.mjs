// The table of error codes stays closed and true: every code is thrown in src/, provoked by a test and documented.

import { filesBelow, lineAt, readText, withoutComments } from './source.mjs'

const table = 'src/errors/codes.ts'
const page = 'docs/errors.md'

/** Problems as `{ file, line, reason }`. */
export function checkCodes(root) {
  const text = withoutComments(readText(root, table))
  const start = text.indexOf('errorCodes')
  const codes = [...text.slice(start).matchAll(/^ {2}([A-Z][A-Z\d_]*):/gm)].map(match => ({
    code: match[1],
    line: lineAt(text, start + match.index),
  }))
  if (codes.length === 0) return [{ file: table, line: 1, reason: 'no code found in the table' }]
  const thrown = literals(root, 'src', file => file !== table)
  const tested = literals(root, 'test', () => true)
  const documented = filesBelow(root, 'docs', ['.md']).includes(page) ? readText(root, page) : ''
  return codes.flatMap(({ code, line }) => {
    const missing = []
    if (!thrown.has(code)) missing.push('is thrown nowhere in src/')
    if (!tested.has(code)) missing.push('is provoked by no test')
    if (!new RegExp(`\\b${code}\\b`).test(documented)) missing.push(`is not in ${page}`)
    return missing.map(reason => ({ file: table, line, reason: `${code} ${reason}` }))
  })
}

/** Every upper-case word that stands in quotes in the code below a directory. */
function literals(root, directory, accept) {
  const found = new Set()
  for (const file of filesBelow(root, directory).filter(accept)) {
    for (const match of withoutComments(readText(root, file)).matchAll(/['"`]([A-Z][A-Z\d_]+)['"`]/g))
      found.add(match[1])
    for (const match of withoutComments(readText(root, file)).matchAll(/\[([A-Z][A-Z\d_]+)\]/g)) found.add(match[1])
  }
  return found
}
