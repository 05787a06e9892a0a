// `node scripts/record-scenarios.mjs`, as root: what the kernel of this machine answers to fixtures/scenarios, written
// to fixtures/scenarios/answers. The tests compare the emulator with that also where nothing can be mounted.

import { execFileSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const directory = path.join(root, 'fixtures/scenarios')
const names = readdirSync(directory).filter(name => name.endsWith('.json'))
const args = ['bin/ovl.js', 'replay', '--json', '--on', 'kernel', ...names.map(name => path.join(directory, name))]
const lines = execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
  .trimEnd()
  .split('\n')
lines.forEach((line, index) => {
  const { mount, steps, merged, upper } = JSON.parse(line)
  const [release] = /^\d+\.\d+\.\d+/.exec(os.release()) ?? [os.release()]
  const answer = { kernel: release, ...(mount === undefined ? {} : { mount }), steps, merged, upper }
  writeFileSync(path.join(directory, 'answers', names[index]), format(answer))
})

/** A line for each step and node. */
function format({ steps, merged, upper, ...head }) {
  const fields = Object.entries(head).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
  fields.push(`"steps": ${formatList(steps)}`, `"merged": ${formatTree(merged)}`, `"upper": ${formatTree(upper)}`)
  return `{\n  ${fields.join(',\n  ')}\n}\n`
}

function formatList(items) {
  return items.length === 0 ? '[]' : `[\n    ${items.map(item => JSON.stringify(item)).join(',\n    ')}\n  ]`
}

function formatTree(nodes) {
  if (nodes === null) return 'null'
  const entries = Object.entries(nodes).map(([key, node]) => `${JSON.stringify(key)}: ${JSON.stringify(node)}`)
  return `{\n    ${entries.join(',\n    ')}\n  }`
}
