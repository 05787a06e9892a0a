import { expect } from 'chai'
import { createStyle, wantsColor } from '../../src/cli/style.ts'

describe('wantsColor()', () => {
  const tty = { isTTY: true }
  const pipe = {}
  const table = [
    { mode: 'auto', target: tty, env: {}, want: true },
    { mode: 'auto', target: pipe, env: {}, want: false },
    { mode: 'auto', target: tty, env: { NO_COLOR: '1' }, want: false },
    { mode: 'auto', target: tty, env: { NO_COLOR: '' }, want: true },
    { mode: 'auto', target: tty, env: { TERM: 'dumb' }, want: false },
    { mode: 'always', target: pipe, env: { NO_COLOR: '1', TERM: 'dumb' }, want: true },
    { mode: 'never', target: tty, env: {}, want: false },
  ] as const
  for (const { mode, target, env, want } of table) {
    const where = target === tty ? 'a terminal' : 'a pipe'
    it(`--color ${mode} on ${where} with ${JSON.stringify(env)}: ${want}`, () => {
      expect(wantsColor(mode, target, env)).to.equal(want)
    })
  }
})

describe('createStyle()', () => {
  it('colours although the process itself has no terminal', () => {
    expect(createStyle('always', {}, {})('added', 'x')).to.equal('\x1b[32mx\x1b[39m')
  })
  it('leaves text alone where colour is unwanted', () => {
    expect(createStyle('never', { isTTY: true }, {})('deleted', 'x')).to.equal('x')
  })
})
