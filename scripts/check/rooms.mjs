// Arrows between rooms: a room imports only rooms of earlier groups (scripts/rooms.json) and only through their
// index.ts; pure rooms know neither Node nor packages nor Buffer; every folder of src/ is a room.

import fs from 'node:fs'
import path from 'node:path'
import { codeOnly, filesBelow, lineAt, readText, withoutComments } from './source.mjs'

/** The rooms in order: `{ name, rank, pure, planned, holds }`. */
export function readRooms(root) {
  const { groups } = JSON.parse(readText(root, 'scripts/rooms.json'))
  return groups.flatMap((group, rank) => group.map(room => ({ pure: false, planned: false, ...room, rank })))
}

/** Problems as `{ file, line, reason }`. */
export function checkRooms(root) {
  const rooms = new Map(readRooms(root).map(room => [room.name, room]))
  return [
    ...foldersAndTable(root, rooms),
    ...filesBelow(root, 'src').flatMap(file => [...arrows(root, file, rooms), ...purity(root, file, rooms)]),
    ...filesBelow(root, 'bin', ['.js']).flatMap(file => binImports(root, file)),
  ]
}

function foldersAndTable(root, rooms) {
  const folders = fs
    .readdirSync(path.join(root, 'src'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name)
  const table = 'scripts/rooms.json'
  const problems = folders
    .filter(name => rooms.get(name)?.planned ?? true)
    .map(name => ({
      file: rooms.has(name) ? table : `src/${name}`,
      line: 1,
      reason: rooms.has(name) ? `room "${name}" exists but is marked planned` : `"${name}" is no room of ${table}`,
    }))
  for (const room of rooms.values()) {
    if (!room.planned && !folders.includes(room.name))
      problems.push({ file: table, line: 1, reason: `room "${room.name}" does not exist in src/` })
  }
  return problems
}

function arrows(root, file, rooms) {
  const from = rooms.get(roomOf(file))
  const problems = []
  for (const { specifier, line } of importsOf(readText(root, file))) {
    if (!specifier.startsWith('.')) continue
    const target = path.join(path.dirname(file), specifier)
    const to = rooms.get(roomOf(target))
    if (to === from || target === 'package.json') continue
    if (to === undefined) {
      problems.push({ file, line, reason: `${specifier} is outside the rooms` })
    } else if (from === undefined ? to.name === 'cli' : to.rank >= from.rank) {
      problems.push({ file, line, reason: `${from?.name ?? 'the public index'} must not import ${to.name}` })
    }
    if (to !== undefined && target !== `src/${to.name}/index.ts`)
      problems.push({ file, line, reason: `${specifier} reaches inside ${to.name}; import its index.ts` })
  }
  return problems
}

function purity(root, file, rooms) {
  const room = rooms.get(roomOf(file))
  if (!room?.pure) return []
  const source = readText(root, file)
  const outside = importsOf(source)
    .filter(({ specifier }) => !specifier.startsWith('.'))
    .map(({ specifier, line }) => ({ file, line, reason: `pure room ${room.name} imports ${specifier}` }))
  const globals = [...codeOnly(source).matchAll(/(?<![\w$.])(?:Buffer|process|__dirname|require)\b(?!\s*[?]?:)/g)].map(
    match => ({
      file,
      line: lineAt(source, match.index),
      reason: `pure room ${room.name} uses ${match[0]}, which a browser has not`,
    }),
  )
  return [...outside, ...globals]
}

function binImports(root, file) {
  return importsOf(readText(root, file))
    .filter(({ specifier }) => specifier.startsWith('.') && !specifier.startsWith('../dist/program/'))
    .map(({ specifier, line }) => ({ file, line, reason: `bin imports ${specifier}, not the room cli` }))
}

/** The room of a path such as `src/tar/reader.ts`; '' for src/index.ts, undefined outside src. */
function roomOf(file) {
  const [top, room, ...rest] = file.split(path.sep)
  if (top !== 'src') return undefined
  return rest.length === 0 ? '' : room
}

const importForms = [
  /\bfrom\s*(['"])([^'"\n]+)\1/g,
  /\bimport\s*(['"])([^'"\n]+)\1/g,
  /\b(?:import|require)\s*\(\s*(['"])([^'"\n]+)\1/g,
  /\bnew\s+URL\s*\(\s*(['"])(\.[^'"\n]+)\1\s*,\s*import\.meta\.url/g,
]

/** Every module that a source names: static, side-effect, dynamic imports and worker URLs. */
function importsOf(source) {
  const text = withoutComments(source)
  return importForms.flatMap(form =>
    [...text.matchAll(form)].map(match => ({
      specifier: match[2].replace(/\.js$/, '.ts'),
      line: lineAt(text, match.index),
    })),
  )
}
