// `node scripts/generate-docs.mjs`: writes docs/cli, docs/errors.md, docs/doctor.md and docs/overlayfs/rules.md from the built command tree (`npm run build`).

import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderManual } from '../dist/cli/manual.js'

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..')
const documents = renderManual()
fs.rmSync(path.join(root, 'docs/cli'), { recursive: true, force: true })
for (const [file, text] of documents) {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
  fs.writeFileSync(path.join(root, file), text)
}
console.log(`wrote ${documents.size} documents`)
