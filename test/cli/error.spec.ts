import { expect } from 'chai'
import { toOvlError } from '../../src/cli/failure.ts'
import { errorToJson, renderError } from '../../src/cli/render/error.ts'
import { OvlError } from '../../src/errors/index.ts'

const view = { verbosity: 0, debug: false, style: (_: unknown, text: string) => text }

describe('renderError()', () => {
  const error = new OvlError('DIGEST_MISMATCH', 'Cannot unpack img: layer 1 does not match its digest', {
    facts: ['expected sha256:3', 'got sha256:2'],
    hint: 'fetch the image again',
    data: { layer: 1 },
    cause: new Error('outer', { cause: new Error('inner') }),
  })

  it('prints message and code, facts, hint', () => {
    expect(renderError(error, view)).to.deep.equal([
      'ovl: Cannot unpack img: layer 1 does not match its digest   [DIGEST_MISMATCH]',
      '  expected sha256:3',
      '  got sha256:2',
      '  hint: fetch the image again',
    ])
  })

  it('adds the chain of causes with -v', () => {
    expect(renderError(error, { ...view, verbosity: 1 }).slice(4)).to.deep.equal(['  cause: outer', '  cause: inner'])
  })

  it('adds the stack with --debug', () => {
    expect(renderError(error, { ...view, debug: true }).join('\n')).to.contain('error.spec')
  })

  it('lets no control character through', () => {
    const hostile = new OvlError('BAD_TAR', 'Cannot read \x1b[31m\r', { facts: ['\x07'], hint: '\u202e' })
    expect(renderError(hostile, view)).to.deep.equal([
      'ovl: Cannot read \\x1b[31m\\x0d   [BAD_TAR]',
      '  \\x07',
      '  hint: \\u{202e}',
    ])
  })

  it('makes one JSON object', () => {
    expect(errorToJson(error, false)).to.deep.equal({
      error: {
        code: 'DIGEST_MISMATCH',
        message: 'Cannot unpack img: layer 1 does not match its digest',
        data: { layer: 1 },
        facts: ['expected sha256:3', 'got sha256:2'],
        hint: 'fetch the image again',
        cause: 'outer; inner',
      },
    })
  })
})

describe('toOvlError()', () => {
  it('takes an unexpected error for a bug, exit status 70, and asks for a report', () => {
    const bug = toOvlError(new TypeError('x is undefined'))
    expect([bug.code, bug.exitStatus]).to.deep.equal(['BUG', 70])
    expect(renderError(bug, view).join('\n')).to.match(/\[BUG\]\n {2}hint: please report it/)
  })

  const table: [string, string, number][] = [
    ['ENOENT', 'Cannot open a\\x1bb: no such file or directory', 3],
    ['EACCES', 'Cannot open a\\x1bb: permission denied', 5],
    ['ENOSPC', 'Cannot open a\\x1bb: no space left', 7],
    ['EWEIRD', 'Cannot open a\\x1bb: EWEIRD', 7],
  ]
  for (const [errno, message, status] of table) {
    it(`keeps the reason of ${errno}`, () => {
      const error = toOvlError(Object.assign(new Error('x'), { code: errno, syscall: 'open', path: 'a\x1bb' }))
      expect([error.message, error.exitStatus]).to.deep.equal([message, status])
    })
  }
})
