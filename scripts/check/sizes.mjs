// Files that one person can hold in the head. A longer one says why in its first lines: `// size: reason`.

import { filesBelow, readText } from './source.mjs'

const limits = { src: 400, scripts: 400, test: 600, fixtures: 600 }

/** Problems as `{ file, line, reason }`. */
export function checkSizes(root) {
  return Object.entries(limits).flatMap(([directory, limit]) =>
    filesBelow(root, directory, ['.ts', '.mjs', '.cjs']).flatMap(file => {
      const lines = readText(root, file).split('\n')
      const count = lines.length - 1
      if (count <= limit || statesReason(lines)) return []
      return [{ file, line: limit + 1, reason: `${count} lines; the limit is ${limit}` }]
    }),
  )
}

function statesReason(lines) {
  return lines.slice(0, 12).some(line => /\bsize:\s*\S{3,}/.test(line))
}
