import { expect } from 'chai'
import { createWarnings } from '../../src/cli/warnings.ts'

function collect(verbosity: number) {
  const lines: string[] = []
  return { lines, warnings: createWarnings({ print: line => lines.push(line), verbosity }) }
}

describe('createWarnings()', () => {
  it('prints the first of a kind and counts the others', () => {
    const { lines, warnings } = collect(0)
    for (let i = 1; i <= 3; i++) warnings.warn({ code: 'XATTR_SKIPPED', message: `attribute ${i}` })
    warnings.warn({ code: 'DOTDOT_PATH', message: 'dots' })
    expect(lines).to.deep.equal(['ovl: warning: attribute 1', 'ovl: warning: dots'])
    expect(warnings.summary()).to.equal('ovl: 2 more warnings of the same kind (2 XATTR_SKIPPED); -v shows all')
  })

  it('prints all with -v and then has nothing to sum up', () => {
    const { lines, warnings } = collect(1)
    for (let i = 1; i <= 3; i++) warnings.warn({ code: 'DUPLICATE_ENTRY', message: `${i}` })
    expect(lines).to.have.length(3)
    expect(warnings.summary()).to.equal(undefined)
  })

  it('says nothing about duplicate entries without -v', () => {
    const { lines, warnings } = collect(0)
    for (let i = 1; i <= 3; i++) warnings.warn({ code: 'DUPLICATE_ENTRY', message: `${i}` })
    expect(lines).to.deep.equal([])
    expect(warnings.summary()).to.equal(undefined)
    expect(warnings.toJSON()).to.have.length(3)
  })

  it('escapes what an archive wrote', () => {
    const { lines, warnings } = collect(0)
    warnings.warn({ code: 'DOTDOT_PATH', message: 'a\x1b[2Jb' })
    expect(lines).to.deep.equal(['ovl: warning: a\\x1b[2Jb'])
  })

  it('gives paths that are not UTF-8 as base64 in JSON, and keeps at most a thousand', () => {
    const { warnings } = collect(0)
    warnings.warn({ code: 'XATTR_SKIPPED', message: 'm', layer: 2, path: 'a\udcff' })
    for (let i = 0; i < 2000; i++) warnings.warn({ code: 'XATTR_SKIPPED', message: 'm' })
    const json = warnings.toJSON() as unknown[]
    expect(json[0]).to.deep.equal({ code: 'XATTR_SKIPPED', message: 'm', layer: 2, path: { base64: 'Yf8=' } })
    expect(json).to.have.length(1000)
  })
})
