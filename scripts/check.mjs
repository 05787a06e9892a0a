// `node scripts/check.mjs [--write] [ROOT]`: what lint and types cannot see. Prints `file:line: reason (check)` for
// every problem and ends with 1 when there is one.

import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkCodes } from './check/codes.mjs'
import { checkDocComments } from './check/doc-comments.mjs'
import { checkDocuments, writeDocuments } from './check/documents.mjs'
import { checkLockfile } from './check/lockfile.mjs'
import { checkOverlayChecks, writeOverlayChecks } from './check/overlay-checks.mjs'
import { checkRooms } from './check/rooms.mjs'
import { checkSizes } from './check/sizes.mjs'
import { checkVocabulary } from './check/vocabulary.mjs'

const checks = {
  rooms: checkRooms,
  vocabulary: checkVocabulary,
  sizes: checkSizes,
  'doc-comments': checkDocComments,
  codes: checkCodes,
  documents: checkDocuments,
  lockfile: checkLockfile,
  'overlay-checks': checkOverlayChecks,
}

const [argument] = process.argv.slice(2).filter(word => word !== '--write')
const root = path.resolve(argument ?? path.join(path.dirname(fileURLToPath(import.meta.url)), '..'))
if (process.argv.includes('--write')) {
  writeDocuments(root)
  writeOverlayChecks(root)
}

for (const [name, check] of Object.entries(checks)) {
  const problems = check(root)
  for (const { file, line, reason } of problems) console.log(`${file}:${line}: ${reason} (${name})`)
  if (problems.length > 0) process.exitCode = 1
  else console.log(`${name}: ok`)
}
