import { expect } from 'chai'
import { OvlError } from '../../src/errors/index.ts'
import { parseScenario, readScenario } from '../../src/scenario/index.ts'

const head = { schema: 'ovl.scenario/1', lower: [{}] }

/** A document, and what is said about it. */
const mistakes: readonly (readonly [document: unknown, message: string])[] = [
  [[], 'the document is a list, not an object'],
  [{}, 'schema: it is missing, not "ovl.scenario/1"'],
  [{ ...head, schema: 'ovl.scenario/2' }, 'schema: it is "ovl.scenario/2", not "ovl.scenario/1"'],
  [{ ...head, stepz: [] }, 'unknown key "stepz"; did you mean "steps"?'],
  [{ ...head, title: 3 }, 'title: it is no text'],
  [{ ...head, umask: '888' }, 'umask: it is "888", not an octal mask such as "022"'],
  [{ ...head, lower: [] }, 'lower: an overlay needs a lower layer'],
  [{ ...head, lower: {} }, 'lower: it is an object, not a list'],
  [{ ...head, lower: [{ dataOnly: {} }, {}] }, 'lower[1]: data-only layers stand behind all others'],
  [{ ...head, lower: [{ 'a/../b': '' }] }, 'lower[0] of x.json: "a/../b": '],
  [{ ...head, upper: { a: { type: 'file', target: 'x' } } }, 'upper of x.json: "a": '],
  [{ ...head, lower: [{}, { dataOnly: { a: 3 } }] }, 'lower[1].dataOnly of x.json: "a": '],
  [{ ...head, options: { redirectdir: 'on' } }, 'options: unknown key "redirectdir"; did you mean "redirect_dir"?'],
  [
    { ...head, options: { redirect_dir: true } },
    'options.redirect_dir: it is true, not one of on, off, follow, nofollow',
  ],
  [{ ...head, options: { userxattr: 'on' } }, 'options.userxattr: it is "on", not true or false'],
  [{ ...head, steps: {} }, 'steps: it is an object, not a list'],
  [{ ...head, steps: [['remount'], []] }, 'steps[1]: a step is ["operation", …arguments]'],
  [{ ...head, steps: [['renam', '/a', '/b']] }, 'steps[0]: unknown operation "renam"; did you mean "rename"?'],
  [{ ...head, steps: [['rename', '/a']] }, 'steps[0]: rename needs path, path, flags'],
  [{ ...head, steps: [['lstat', '/a', '/b']] }, 'steps[0]: lstat takes one argument, got 2'],
  [{ ...head, steps: [['remount', 'now']] }, 'steps[0]: remount takes no argument, got 1'],
  [{ ...head, steps: [['lstat', 7]] }, 'steps[0]: path of lstat is 7, not text without a NUL'],
  [{ ...head, steps: [['lstat', 'a\0b']] }, 'steps[0]: path of lstat is "a\\x00b", not text without a NUL'],
  [
    { ...head, steps: [['mkdir', '/a', '0999']] },
    'steps[0]: mode of mkdir is "0999", not an octal mode such as "0644"',
  ],
  [
    { ...head, steps: [['rename', '/a', '/b', 'SWAP']] },
    'steps[0]: flags of rename is "SWAP", not flags joined by "|"',
  ],
  [{ ...head, steps: [['mknod', '/a', 'f', '0644']] }, 'steps[0]: type of mknod is "f", not one of c, b, p, s'],
  [{ ...head, steps: [['utimens', '/a', 'now', '1.0000000001']] }, 'steps[0]: time of utimens is "1.0000000001", not '],
  [{ ...head, steps: [['lstat', '/a', { order: true }]] }, 'steps[0]: lstat has no option "order"'],
  [{ ...head, steps: [['lstat', '/a', { as: { uid: -1 } }]] }, 'steps[0]: "as" is {"uid": NUMBER, '],
  [{ ...head, steps: [['pread', 'h', 0, 1]] }, 'steps[0]: no step before it opens "h"'],
  [
    {
      ...head,
      steps: [
        ['open', 'h', '/a', 'O_RDONLY'],
        ['open', 'h', '/b', 'O_RDONLY'],
      ],
    },
    'steps[1]: "h" was opened by steps[0] and not closed since',
  ],
]

describe('parseScenario()', () => {
  for (const [document, message] of mistakes) {
    it(`says: ${message}`, () => {
      expect(() => parseScenario(Buffer.from(JSON.stringify(document)), 'x.json'))
        .to.throw(OvlError, message)
        .that.satisfies(
          ({ code, message: text }: OvlError) => code === 'BAD_SCENARIO' && /^Cannot read .*x.json: /.test(text),
        )
    })
  }

  it('names line and column of what is no JSON', () => {
    expect(() => parseScenario(Buffer.from('{\n  "schema": ovl\n}'), 'x.json'))
      .to.throw(OvlError, 'line 2 column 13')
      .with.property('code', 'BAD_JSON')
  })

  it('takes every option and step in the forms that are documented', () => {
    const scenario = readScenario({
      schema: 'ovl.scenario/1',
      options: { redirect_dir: 'on', uuid: 'null', xino: 'auto', fsync: 'strict', volatile: true, userxattr: false },
      lower: [{ dataOnly: 'a file' }, { dataOnly: { a: 'a data-only layer' } }],
      steps: [
        ['open', 'h', '', 'O_RDWR|O_CREAT|O_EXCL'],
        ['close', 'h'],
        ['open', 'h', '/a', 'O_RDONLY', '0600', { as: { uid: 1000 } }],
        ['setxattr', '/a', 'user.a', { base64: 'AP8=' }, 'CREATE|REPLACE', { as: { uid: 1, gid: 2, groups: [3] } }],
        ['readdir', '/', { order: true }],
        ['utimens', '/a', -5, '12.5'],
        ['chown', '/a', -1, 0],
        ['mkdir', '/a', 493],
        ['pread', 'h', 0, 4],
      ],
    })
    expect(scenario).to.have.property('title', '')
    expect(scenario.steps).to.have.length(9)
    expect(scenario).not.to.have.property('upper')
  })
})
