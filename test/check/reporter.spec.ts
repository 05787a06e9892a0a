// What a script may rely on: the last line of `npm test`, its exit status, and that nothing is skipped in silence.

import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'

const probe = pathToFileURL(path.resolve('.test-build/test/support/probe.js')).href

type Case = {
  readonly name: string
  readonly spec: string
  readonly inCI?: boolean
  readonly last: string
  readonly status: number
  readonly says?: readonly string[]
}

const cases: readonly Case[] = [
  { name: 'counts what passed', spec: "it('a', () => {}); it('b', () => {})", last: '2 passed, 0 failed', status: 0 },
  {
    name: 'shows what failed',
    spec: "it('a', () => {}); it('b', () => { throw new Error('no such luck') })",
    last: '1 passed, 1 failed',
    status: 1,
    says: ['1) b:', 'no such luck'],
  },
  {
    name: 'counts a hook that failed',
    spec: "describe('s', () => { before(() => { throw new Error('early') }); it('a', () => {}) })",
    last: '0 passed, 1 failed',
    status: 1,
    says: ['early'],
  },
  {
    name: 'gives the reason of a skipped suite once',
    spec: "describe('s', () => { before(function () { skipUnless(this, false, 'no runc') }); it('a', () => {}); it('b', () => {}) })",
    last: '0 passed, 0 failed, 2 skipped',
    status: 0,
    says: ['skipped 2: no runc'],
  },
  {
    name: 'gives the reason of a skipped test',
    spec: "it('a', function () { skipUnless(this, false, 'no xattrs') }); it('b', function () { skipUnless(this, true, '') })",
    last: '1 passed, 0 failed, 1 skipped',
    status: 0,
    says: ['skipped 1: no xattrs'],
  },
  {
    name: 'names a test that gave no reason',
    spec: "describe('s', () => { it.skip('a', () => {}) })",
    last: '0 passed, 0 failed, 1 skipped',
    status: 0,
    says: ['skipped 1: no reason given', 's a'],
  },
  {
    name: 'lets nothing be skipped in CI for a missing tool',
    spec: "it('a', function () { skipUnless(this, false, 'no runc') })",
    inCI: true,
    last: '0 passed, 1 failed',
    status: 1,
    says: ['Cannot run in CI: no runc'],
  },
  {
    name: 'lets what is optional be skipped in CI',
    spec: "it('a', function () { skipUnless(this, false, 'no corpus', { optional: true }) })",
    inCI: true,
    last: '0 passed, 0 failed, 1 skipped',
    status: 0,
  },
]

describe('npm test', () => {
  let directory = ''
  before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-reporter-'))
  })
  after(() => fs.rmSync(directory, { recursive: true, force: true }))

  for (const { name, spec, inCI = false, last, status, says = [] } of cases) {
    it(name, () => {
      const file = path.join(directory, 'one.spec.mjs')
      fs.writeFileSync(file, `import { skipUnless } from '${probe}'\n${spec}\n`)
      const mocha = spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', file], {
        encoding: 'utf8',
        env: { ...process.env, CI: String(inCI), NO_COLOR: '1' },
      })
      expect(mocha.stdout.trimEnd().split('\n').at(-1)).to.equal(last)
      expect(mocha.status).to.equal(status)
      for (const text of says) expect(mocha.stdout).to.contain(text)
    })
  }

  it('has told a failure, with the seed of a property, when a run is stopped', () => {
    const file = path.join(directory, 'one.spec.mjs')
    const property = "fc.assert(fc.property(fc.integer(), () => { throw new Error('no such luck') }), { seed: 4711 })"
    fs.writeFileSync(
      file,
      `import fc from '${import.meta.resolve('fast-check')}'\nit('a', () => ${property}); it('b', () => process.exit(7))\n`,
    )
    const mocha = spawnSync(process.execPath, ['node_modules/mocha/bin/mocha.js', file], { encoding: 'utf8' })
    expect(mocha.status).to.equal(7)
    expect(mocha.stdout).to.match(/FAILED .*one\.spec\.mjs: a\n.*\n {4}\{ seed: 4711, path: /)
  })
})
