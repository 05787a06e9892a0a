// The example of docs/emulator.md prints what the document says.
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'

describe('docs/emulator.md', () => {
  it('shows what its example prints', () => {
    const text = fs.readFileSync('docs/emulator.md', 'utf8')
    const [, program = '', printed = ''] = /```js\n(.*?)```\n\nprints\n\n```\n(.*?)```/s.exec(text) ?? []
    const library = pathToFileURL(path.resolve('.test-build/src/index.js')).href
    const source = program.replace("from 'ovl'", `from ${JSON.stringify(library)}`)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
    expect(stderr).to.equal('')
    expect(stdout).to.equal(printed)
  })
})
