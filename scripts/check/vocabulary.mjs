// Words of the house: identifiers and file names use the field's nouns (scripts/vocabulary.json), and nothing is
// left to do in a comment.

import path from 'node:path'
import { codeOnly, filesBelow, lineAt, readText } from './source.mjs'

/** Problems as `{ file, line, reason }`. */
export function checkVocabulary(root) {
  const table = JSON.parse(readText(root, 'scripts/vocabulary.json'))
  return ['src', 'test', 'scripts', 'fixtures'].flatMap(directory =>
    filesBelow(root, directory, ['.ts', '.mjs', '.cjs']).flatMap(file => [
      ...names(file, table),
      ...identifiers(root, file, table),
      ...debts(root, file, table),
    ]),
  )
}

function names(file, { words }) {
  const parts = path.basename(file).split(/[-.]/)
  return parts
    .filter(part => Object.hasOwn(words, part))
    .map(part => ({ file, line: 1, reason: `file name says "${part}": ${words[part]}` }))
}

function identifiers(root, file, { words, identifiers: whole }) {
  const code = codeOnly(readText(root, file))
  const problems = []
  for (const match of code.matchAll(/[A-Za-z_$][\w$]*/g)) {
    const name = match[0]
    const word = wordsOf(name).find(part => Object.hasOwn(words, part))
    const line = lineAt(code, match.index)
    if (Object.hasOwn(whole, name)) problems.push({ file, line, reason: `"${name}": write ${whole[name]}` })
    else if (word !== undefined) problems.push({ file, line, reason: `"${name}" says "${word}": ${words[word]}` })
  }
  return problems
}

/** The lower-case words of a camelCase, PascalCase or SNAKE_CASE name. */
function wordsOf(name) {
  return name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .split(/[\s_$]+/)
    .map(word => word.toLowerCase())
}

function debts(root, file, { comments }) {
  const text = readText(root, file)
  return Object.entries(comments).flatMap(([word, instead]) =>
    [...text.matchAll(new RegExp(`\\b${word}\\b`, 'g'))].map(match => ({
      file,
      line: lineAt(text, match.index),
      reason: `"${word}" in committed text: ${instead}`,
    })),
  )
}
