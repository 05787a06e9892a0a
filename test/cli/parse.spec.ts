import { expect } from 'chai'
import { parseCommandLine } from '../../src/cli/parse.ts'
import type { CommandSpec } from '../../src/cli/spec.ts'
import { OvlError } from '../../src/errors/index.ts'

const spec = (name: string, more: Partial<CommandSpec>): CommandSpec => ({
  name,
  group: 'Other',
  summary: '',
  description: '',
  arguments: [],
  flags: [],
  examples: [],
  load: () => Promise.reject(new Error('not run here')),
  ...more,
})

const tree = [
  spec('unpack', {
    arguments: [
      { name: 'IMAGE', text: '' },
      { name: 'BUNDLE', text: '' },
    ],
    flags: [
      { long: '--platform', value: 'P', text: '' },
      { long: '--no-config', text: '' },
      { long: '--dry-run', short: '-n', text: '' },
      { long: '--force', inlineChoices: ['any'], text: '' },
      { long: '--raw', value: 'WHAT', choices: ['index', 'config'], text: '' },
    ],
  }),
  spec('ls', {
    aliases: ['list'],
    arguments: [
      { name: 'IMAGE', text: '' },
      { name: 'PATH', text: '', optional: true },
    ],
  }),
  spec('run', {
    arguments: [
      { name: 'PLACE', text: '' },
      { name: 'COMMAND', text: '', optional: true, rest: true },
    ],
  }),
]

const parse = (line: string) => parseCommandLine(line.split(' ').filter(Boolean), tree)

function call(line: string) {
  const invocation = parse(line)
  if (invocation.kind !== 'call') throw new Error(`not a call: ${invocation.kind}`)
  return invocation
}

describe('parseCommandLine()', () => {
  it('keeps the words behind -- apart for a command that runs them', () => {
    expect(call('run here -- sh -c x --json')).to.deep.include({
      positionals: ['here'],
      rest: ['sh', '-c', 'x', '--json'],
    })
    expect(call('run here')).to.deep.include({ positionals: ['here'], rest: [] })
    expect(call('ls -- --odd --name')).to.deep.include({ positionals: ['--odd', '--name'], rest: [] })
    expect(() => parse('run -- here')).to.throw(OvlError, 'run needs PLACE, got 0 arguments')
    expect(() => parse('run'))
      .to.throw(OvlError)
      .with.deep.property('facts', ['Usage: ovl run [flags] PLACE [-- COMMAND…]'])
  })

  it('takes global flags before and after the verb', () => {
    for (const line of ['-q --format json unpack a b', 'unpack a -q b --format=json', 'unpack --format json a b -q']) {
      const { flags, positionals } = call(line)
      expect([positionals, flags.has('--quiet'), flags.text('--format')]).to.deep.equal([['a', 'b'], true, 'json'])
    }
  })

  it('counts -v, also when bundled with flags of the command', () => {
    expect(call('-v unpack a b -nvv').flags.all('--verbose')).to.have.length(3)
    expect(call('unpack a b -nq').flags.has('--dry-run')).to.equal(true)
  })

  it('keeps a negative flag apart from a positive one', () => {
    expect(call('unpack --no-config a b').flags.has('--no-config')).to.equal(true)
    expect(call('unpack a b').flags.has('--no-config')).to.equal(false)
  })

  it('takes --force=any without swallowing the next argument of --force', () => {
    expect(call('unpack --force a b').positionals).to.deep.equal(['a', 'b'])
    expect(call('unpack --force=any a b').flags.has('--force-any')).to.equal(true)
  })

  it('takes everything behind -- as an argument', () => {
    expect(call('ls -- -a --force=any').positionals).to.deep.equal(['-a', '--force=any'])
  })

  it('finds a command by its alias', () => {
    expect(call('list a').spec.name).to.equal('ls')
  })

  it('knows help from a call', () => {
    expect(parse('').kind).to.equal('overview')
    expect(parse('--help').kind).to.equal('overview')
    expect(parse('-V').kind).to.equal('version')
    expect(parse('unpack --help').kind).to.equal('help')
    expect(parse('-h unpack').kind).to.equal('help')
  })

  const refused: [string, RegExp][] = [
    ['unpak', /^Unknown command "unpak"\. Did you mean "unpack"\?$/],
    ['lits x', /^Unknown command "lits"\. Did you mean "list"\?$/],
    ['unpak --flat x', /^Unknown command "unpak"/],
    ['quux', /^Unknown command "quux"\.$/],
    ['unpack a', /^unpack needs IMAGE and BUNDLE, got 1 argument$/],
    ['unpack a b c', /^unpack needs IMAGE and BUNDLE, got 3 arguments$/],
    ['ls', /^ls needs IMAGE and \[PATH\], got 0 arguments$/],
    ['unpack --plaform x a b', /^Unknown flag "--plaform"\. Did you mean "--platform"\?$/],
    ['unpack --platfrom=x a b', /^Unknown flag "--platfrom=x"\. Did you mean "--platform"\?$/],
    ['unpack --quite a b', /Did you mean "--quiet"\?$/],
    ['unpack a b --platform', /^--platform needs a value$/],
    ['unpack --raw blob a b', /^--raw takes index or config, not "blob"$/],
    ['unpack --force=all a b', /^Unknown flag "--force=all"\. Did you mean "--force"\?$/],
    ['--platform x unpack a b', /^Unknown flag "--platform" before a command$/],
    ['--progress=often ls a', /^--progress takes auto, plain, json or none, not "often"$/],
  ]
  for (const [line, message] of refused) {
    it(`refuses: ovl ${line}`, () => {
      expect(() => parse(line))
        .to.throw(OvlError, message)
        .with.property('code', 'USAGE')
    })
  }
})
