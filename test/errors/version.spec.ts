import fs from 'node:fs'
import { expect } from 'chai'
import { ovlVersion } from '../../src/errors/index.ts'
import { projectRoot } from '../support/cli.ts'

describe('version', () => {
  it('is the one of package.json', () => {
    const { version } = JSON.parse(fs.readFileSync(`${projectRoot}package.json`, 'utf8')) as { version: string }
    expect(ovlVersion).to.equal(version)
  })
})
