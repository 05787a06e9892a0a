// Reads TypeScript just well enough for the checks: which characters are code, which are comment, which are string.
// Every result has the length and the line breaks of its input, so that offsets and line numbers stay true.

import fs from 'node:fs'
import path from 'node:path'

/** Every file of the project below `directory` of `root` with one of these endings, as sorted paths relative to `root`. */
export function filesBelow(root, directory, endings = ['.ts']) {
  const top = path.join(root, directory)
  if (!fs.existsSync(top)) return []
  return fs
    .readdirSync(top, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && endings.some(ending => entry.name.endsWith(ending)))
    .map(entry => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter(file => !file.split(path.sep).includes('node_modules'))
    .toSorted()
}

/** The text of a file below `root`. */
export function readText(root, file) {
  return fs.readFileSync(path.join(root, file), 'utf8')
}

/** 1-based line of an offset. */
export function lineAt(text, offset) {
  return text.slice(0, offset).split('\n').length
}

/** Source with comments turned to spaces. */
export const withoutComments = source => blank(source, new Set(['comment']))

/** Source with comments, the insides of strings, templates and regular expressions turned to spaces. */
export const codeOnly = source => blank(source, new Set(['comment', 'string']))

const token =
  /(?<comment>\/\/[^\n]*|\/\*[^]*?\*\/)|(?<string>'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*")|(?<regex>\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])*\/[a-z]*)|[`{}]|[^]/gy

/** What may stand before a regular expression; elsewhere a slash divides. */
const beforeRegex = /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|throw|await|yield))$/

function blank(source, kinds) {
  let out = ''
  let before = '' // code so far on this stretch, to tell a regular expression from a division
  const templates = [] // brace depth at which each open `${` ends
  let depth = 0
  let inTemplate = false
  for (let at = 0; at < source.length; ) {
    if (inTemplate) {
      const end = templateChunkEnd(source, at)
      out += hide(source.slice(at, end), kinds.has('string'))
      at = end
      inTemplate = false
      if (source.startsWith('${', at)) templates.push(depth++)
      const mark = source.startsWith('${', at) ? '${' : '`'
      out += mark
      before = mark
      at += mark.length
      continue
    }
    token.lastIndex = at
    const match = token.exec(source)
    const { comment, string, regex } = match.groups
    let text = match[0]
    if (regex !== undefined && !beforeRegex.test(before.trimEnd())) text = '/'
    at += text.length
    if (comment !== undefined) {
      out += hide(text, kinds.has('comment'))
      continue
    }
    if (string !== undefined || text.length > 1) {
      out += kinds.has('string') ? text[0] + hide(text.slice(1, -1), true) + text.at(-1) : text
      before = text[0]
      continue
    }
    if (text === '{') depth++
    if (text === '}') inTemplate = --depth === templates.at(-1) && templates.pop() !== undefined
    if (text === '`') inTemplate = true
    out += text
    before = (before + text).slice(-12)
  }
  return out
}

/** Offset of the backtick or `${` that ends the literal part starting at `at`. */
function templateChunkEnd(source, at) {
  while (at < source.length && source[at] !== '`' && !source.startsWith('${', at)) at += source[at] === '\\' ? 2 : 1
  return Math.min(at, source.length)
}

function hide(text, really) {
  return really ? text.replace(/[^\n]/g, ' ') : text
}
