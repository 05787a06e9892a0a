// The facts that were measured of the kernel, and the checks that show them: docs/overlayfs/checks.md is made from the
// tables in test/overlay/checks/ and from facts.json beside them.

import fs from 'node:fs'
import path from 'node:path'
import { filesBelow, lineAt, readText } from './source.mjs'

const directory = 'test/overlay/checks'
const facts = `${directory}/facts.json`
const page = 'docs/overlayfs/checks.md'
/** `['L01', 'the fact', …` or `path('V01', 'what is done', 'ENOENT', …` */
const row = /[[(]\s*'([A-Z]\d\d[\w-]*)',\s*'((?:\\.|[^'\\])*)'(?:,\s*'(E[A-Z0-9]+|OK)')?/g

/** Problems as `{ file, line, reason }`. */
export function checkOverlayChecks(root) {
  if (!fs.existsSync(path.join(root, facts))) return []
  const { sections, elsewhere, excused } = JSON.parse(readText(root, facts))
  const covered = findChecks(root)
  const known = new Set(sections.flatMap(({ ids }) => ids))
  const problem = reason => ({ file: facts, line: 1, reason })
  const problems = [
    ...sections
      .filter(({ complete }) => complete)
      .flatMap(({ ids }) => ids)
      .filter(id => !covered.has(id) && !(id in elsewhere) && !(id in excused))
      .map(id => problem(`no check has the id ${id}, and nothing excuses it`)),
    ...Object.keys(excused)
      .filter(id => covered.has(id))
      .map(id => problem(`${id} is excused, and ${covered.get(id)[0].file} checks it`)),
    ...[...Object.keys(excused), ...Object.keys(elsewhere)]
      .filter(id => !known.has(id))
      .map(id => problem(`${id} is no fact of a section`)),
    ...Object.values(elsewhere)
      .filter(({ file }) => !fs.existsSync(path.join(root, file)))
      .map(({ file }) => problem(`${file} does not exist`)),
    ...twice(covered),
  ]
  // The page follows from the tables: until they are right there is nothing to compare it with.
  return problems.length > 0 ? problems : stale(root)
}

/** Writes the page. */
export function writeOverlayChecks(root) {
  if (fs.existsSync(path.join(root, facts))) fs.writeFileSync(path.join(root, page), render(root))
}

function stale(root) {
  const isFresh = fs.existsSync(path.join(root, page)) && readText(root, page) === render(root)
  return isFresh ? [] : [{ file: page, line: 1, reason: 'is not up to date: node scripts/check.mjs --write' }]
}

function twice(covered) {
  return [...covered.values()]
    .filter(places => places.length > 1)
    .map(([, { file, line, id }]) => ({ file, line, reason: `${id} is checked twice` }))
}

/** id → where it is checked and what it says. */
function findChecks(root) {
  const found = new Map()
  for (const file of filesBelow(root, directory, ['.spec.ts'])) {
    const text = readText(root, file)
    for (const match of text.matchAll(row)) {
      const [, id, words, answer] = match
      const fact = `${words.replaceAll(/\\(.)/g, '$1')}${answer === undefined ? '' : `: ${answer}`}`
      const place = { id, file, line: lineAt(text, match.index), fact }
      found.set(id, [...(found.get(id) ?? []), place])
    }
  }
  return found
}

function render(root) {
  const { sections, elsewhere, excused } = JSON.parse(readText(root, facts))
  const covered = findChecks(root)
  const known = new Set(sections.flatMap(({ ids }) => ids))
  const lines = [
    '# What was measured of the kernel, and where it is checked',
    '',
    '<!-- Written by `node scripts/check.mjs --write` from the tables of checks: change those, not this file. -->',
    '',
    'Each fact was measured with Linux 6.18. Each check runs on the emulator in memory, on the emulator over host',
    'directories, and on a real mount, unless the table says why one of them cannot show it; `npx mocha` names them',
    'by these ids.',
  ]
  for (const { title, ids } of sections) lines.push(...renderSection({ title, ids, covered, elsewhere, excused }))
  const more = [...covered.keys()].filter(id => !known.has(id))
  if (more.length > 0) lines.push(...renderSection({ title: 'Beyond that', ids: more, covered, elsewhere, excused }))
  return `${lines.join('\n')}\n`
}

function renderSection({ title, ids, covered, elsewhere, excused }) {
  const rows = ids.flatMap(id => {
    const { fact, file } = covered.get(id)?.[0] ?? elsewhere[id] ?? {}
    return fact === undefined ? [] : [`| ${id} | ${fact.replaceAll('|', '\\|')} | \`${path.basename(file)}\` |`]
  })
  const without = ids.filter(id => id in excused).map(id => `- ${id}: ${excused[id]}`)
  const open = ids.filter(id => !covered.has(id) && !(id in elsewhere) && !(id in excused))
  return [
    '',
    `## ${title}`,
    '',
    ...(rows.length === 0 ? [] : ['| id | fact | check |', '|---|---|---|', ...rows]),
    ...(without.length === 0 ? [] : ['', 'Without a check:', '', ...without]),
    ...(open.length === 0 ? [] : ['', `Not yet: ${open.join(', ')}.`]),
  ]
}
