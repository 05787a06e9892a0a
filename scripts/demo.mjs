// `npm run demo`: unpacks a small image of fixtures/ to a bundle, shows what is in it and how to run it. Needs no
// privilege (as an ordinary user the files belong to that user) and can be repeated.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const isRoot = process.getuid?.() === 0
process.chdir(path.join(path.dirname(fileURLToPath(import.meta.url)), '..'))

const image = 'fixtures/images/hello.docker.tar'
const bundle = path.join(writableDirectory(), 'demo-bundle')

ovl('layers', image)
ovl('unpack', '--flat', ...(isRoot ? [] : ['--rootless']), '--force', image, bundle)
console.log(`\n${bundle}`)
for (const line of treeLines(bundle)) console.log(line)
showNextCommand()

/** The checkout, or a directory of this user's own where the checkout belongs to somebody else. */
function writableDirectory() {
  try {
    fs.accessSync('.', fs.constants.W_OK)
    return '.'
  } catch {
    return fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-demo-')) // not writable for this user
  }
}

function ovl(...words) {
  console.log(`\n$ ovl ${words.join(' ')}`)
  const { status } = spawnSync(process.execPath, ['bin/ovl.js', ...words], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** The tree below a directory, drawn with lines; names that are no text are shown as the replacement character. */
function treeLines(directory, indent = '') {
  const entries = readEntries(directory)
  return entries.flatMap((entry, index) => {
    const last = index === entries.length - 1
    const full = path.join(directory, entry.name)
    const target = entry.isSymbolicLink() ? ` -> ${fs.readlinkSync(full)}` : ''
    const name = shorten(entry.name) + (entry.isDirectory() ? '/' : target)
    const line = `${indent}${last ? '└── ' : '├── '}${name}`
    return [line, ...(entry.isDirectory() ? treeLines(full, `${indent}${last ? '    ' : '│   '}`) : [])]
  })
}

function readEntries(directory) {
  try {
    const entries = fs.readdirSync(directory, { withFileTypes: true })
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (error.code === 'EACCES') return [] // a private directory of the image, seen by an ordinary user
    throw error
  }
}

function shorten(name) {
  return name.length > 40 ? `${name.slice(0, 20)}…${name.slice(-8)} (${name.length} characters)` : name
}

function showNextCommand() {
  console.log(`\nnext: runc${isRoot ? '' : ' --root ~/run'} run -b ${bundle} hello`)
  const found = (process.env.PATH ?? '').split(':').some(directory => fs.existsSync(path.join(directory, 'runc')))
  if (!found) console.log('(runc is not installed here; on Debian: apt-get install runc)')
}
