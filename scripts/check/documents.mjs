// Documents that do not lie: links and paths resolve, `npm run` names exist, the table of rooms is the one of
// scripts/rooms.json (`node scripts/check.mjs --write` rewrites it).

import fs from 'node:fs'
import path from 'node:path'
import { readRooms } from './rooms.mjs'
import { filesBelow, lineAt, readText } from './source.mjs'

const roomsTable = /(<!-- rooms -->\n)([^]*?)(<!-- \/rooms -->)/

/** Problems as `{ file, line, reason }`. */
export function checkDocuments(root) {
  const { scripts = {} } = JSON.parse(readText(root, 'package.json'))
  return documents(root).flatMap(file => {
    const text = readText(root, file)
    return [
      ...links(root, file, text),
      ...paths(root, file, text),
      ...commands(file, text, scripts),
      ...table(root, file, text),
    ]
  })
}

/** Rewrites the generated parts of the documents. */
export function writeDocuments(root) {
  for (const file of documents(root)) {
    const text = readText(root, file)
    const fresh = text.replace(roomsTable, (_, open, _old, close) => `${open}${renderRooms(root)}${close}`)
    if (fresh !== text) fs.writeFileSync(path.join(root, file), fresh)
  }
}

function documents(root) {
  const top = fs.readdirSync(root).filter(name => name.endsWith('.md'))
  return [...top, ...filesBelow(root, 'docs', ['.md']), ...filesBelow(root, 'fixtures', ['.md'])]
}

function links(root, file, text) {
  const problems = []
  for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    const target = match[1]
    if (/^[a-z]+:/.test(target)) continue
    const [name, anchor] = target.split('#')
    const linked = name === '' ? file : path.join(path.dirname(file), name)
    const line = lineAt(text, match.index)
    if (!fs.existsSync(path.join(root, linked)))
      problems.push({ file, line, reason: `link to ${target}: no such file` })
    else if (anchor !== undefined && !anchors(readText(root, linked)).has(anchor))
      problems.push({ file, line, reason: `link to ${target}: no such heading` })
  }
  return problems
}

/** The anchors that a Markdown renderer gives to the headings of a text. */
function anchors(text) {
  const headings = [...text.matchAll(/^#+ +(.+)$/gm)].map(match => match[1])
  return new Set(
    headings.map(heading =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  )
}

/** Paths of this repository in back quotes (`src/tar/reader.ts`, `docs/adr/`). Placeholders in capitals are skipped. */
function paths(root, file, text) {
  const named = /`((?:src|test|scripts|docs|fixtures|\.ci)\/[\w./-]*)`/g
  return [...text.matchAll(named)]
    .filter(match => !/[A-Z]{3,}/.test(match[1]) && !fs.existsSync(path.join(root, match[1])))
    .map(match => ({ file, line: lineAt(text, match.index), reason: `${match[1]} does not exist` }))
}

function commands(file, text, scripts) {
  return [...text.matchAll(/\bnpm run ([\w:-]+)/g)]
    .filter(match => !Object.hasOwn(scripts, match[1]))
    .map(match => ({ file, line: lineAt(text, match.index), reason: `package.json has no script "${match[1]}"` }))
}

function table(root, file, text) {
  const match = roomsTable.exec(text)
  if (match === null || match[2] === renderRooms(root)) return []
  return [
    { file, line: lineAt(text, match.index), reason: 'the table of rooms is old; run: node scripts/check.mjs --write' },
  ]
}

function renderRooms(root) {
  const rows = readRooms(root).map(({ name, pure, planned, holds }) => {
    const state = planned ? 'planned' : pure ? 'pure' : ''
    return `| \`${name}\` | ${state} | ${holds} |`
  })
  return ['| room | | holds |', '|---|---|---|', ...rows, ''].join('\n')
}
