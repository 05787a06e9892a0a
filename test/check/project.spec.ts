// This project passes its own checks; one test a check, so that the summary says which one does not.

import { spawnSync } from 'node:child_process'
import { expect } from 'chai'

const names = ['rooms', 'vocabulary', 'sizes', 'doc-comments', 'codes', 'documents', 'lockfile', 'overlay-checks']

describe('this project', () => {
  let lines: readonly string[] = []
  before(() => {
    const { stdout, stderr } = spawnSync(process.execPath, ['scripts/check.mjs'], { encoding: 'utf8' })
    expect(stderr).to.equal('')
    lines = stdout.trim().split('\n')
  })

  for (const name of names) {
    it(`passes the check "${name}"`, () => {
      expect(lines.filter(line => line.endsWith(` (${name})`)).join('\n')).to.equal('')
      expect(lines).to.include(`${name}: ok`)
    })
  }

  it('runs no check that this list lacks', () => {
    const ran = lines.filter(line => line.endsWith(': ok')).map(line => line.replace(': ok', ''))
    expect(names).to.include.members(ran)
  })
})
