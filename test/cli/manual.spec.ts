import fs from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import { renderManual } from '../../src/cli/manual.ts'
import { projectRoot } from '../support/cli.ts'

describe('generated documents', () => {
  for (const [file, text] of renderManual()) {
    it(`${file} is current (else run: npm run build && node scripts/generate-docs.mjs)`, () => {
      expect(fs.readFileSync(path.join(projectRoot, file), 'utf8')).to.equal(text)
    })
  }

  it('docs/cli holds nothing else', () => {
    const known = [...renderManual().keys()]
      .filter(file => file.startsWith('docs/cli/'))
      .map(file => path.basename(file))
    expect(fs.readdirSync(path.join(projectRoot, 'docs/cli')).toSorted()).to.deep.equal(known.toSorted())
  })
})
