// The examples of docs/emulator.md print what the document says.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'

const example = /```js\n(.*?)```\n\nprints\n\n```\n(.*?)```/gs

describe('docs/emulator.md', () => {
  for (const [at, [, program = '', printed = '']] of [
    ...fs.readFileSync('docs/emulator.md', 'utf8').matchAll(example),
  ].entries())
    it(`shows what example ${at + 1} prints`, () => {
      const library = pathToFileURL(path.resolve('.test-build/src/index.js')).href
      const source = program.replace("from 'ovl'", `from ${JSON.stringify(library)}`)
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], {
        encoding: 'utf8',
      })
      expect(stderr).to.equal('')
      expect(stdout).to.equal(printed)
    })
})
