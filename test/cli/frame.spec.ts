import { expect } from 'chai'
import { commandTree } from '../../src/cli/tree/index.ts'
import { topics } from '../../src/cli/topics.ts'
import { errorCodes } from '../../src/errors/index.ts'
import { ovl, startOvl } from '../support/cli.ts'

describe('ovl (no command)', () => {
  it('lists every command that exists', async () => {
    const { stdout, stderr, status } = await ovl([])
    expect([stderr, status]).to.deep.equal(['', 0])
    for (const spec of commandTree)
      expect(stdout).to.match(new RegExp(`^  ${spec.name} +${spec.summary.slice(0, 20)}`, 'm'))
  })

  it('prints its version, fast path and command alike', async () => {
    const fast = await ovl(['--version'])
    expect(fast.stdout).to.match(/^ovl \d+\.\d+\.\d+\n$/)
    expect((await ovl(['-q', '--version'])).stdout).to.equal(fast.stdout)
    const json = JSON.parse((await ovl(['version', '--json'])).stdout)
    expect(json).to.include({ schema: 'ovl.version/1', ovl: fast.stdout.slice(4).trim(), node: process.versions.node })
  })
})

describe('ovl help', () => {
  for (const spec of commandTree) {
    it(`explains ${spec.name}: usage, three examples, flags`, async () => {
      const { stdout, status } = await ovl(['help', spec.name])
      expect(status).to.equal(0)
      expect(stdout).to.match(new RegExp(`^Usage: ovl ${spec.name} \\[flags\\]`))
      expect(spec.examples).to.have.length(3)
      for (const example of spec.examples) expect(stdout).to.contain(example.command)
      for (const flag of spec.flags) expect(stdout).to.contain(flag.long)
      expect(stdout).to.contain('--no-trunc')
      expect((await ovl([spec.name, '--help'])).stdout).to.equal(stdout)
    })
  }

  for (const topic of topics) {
    it(`explains the topic ${topic.name}`, async () => {
      const { stdout, status } = await ovl(['help', topic.name])
      expect([status, stdout]).to.deep.equal([0, `${topic.lines().join('\n')}\n`])
    })
  }

  it('keeps all lines within 120 columns', () => {
    for (const line of topics.flatMap(topic => topic.lines())) expect(line.length, line).to.be.at.most(120)
  })

  it('lists every error code with its exit status', async () => {
    const { stdout } = await ovl(['help', 'exit-status'])
    const words = stdout.split('\n').map(line => line.trim().replaceAll(/ +/g, ' '))
    for (const [code, row] of Object.entries(errorCodes)) expect(words).to.include(`${code} ${row.exit} ${row.title}`)
  })

  it('refuses an unknown topic, exit 2', async () => {
    const { stdout, stderr, status } = await ovl(['help', 'exit-stats'])
    expect([stdout, status]).to.deep.equal(['', 2])
    expect(stderr).to.match(/^ovl: No help for "exit-stats"\. Did you mean "exit-status"\?\n/)
  })
})

describe('ovl and its streams', () => {
  it('answers a mistake in the command line with one JSON object when JSON is asked for', async () => {
    for (const asked of [['--json'], ['--format=json'], ['--format', 'json']]) {
      const { stdout, stderr, status } = await ovl(['nosuch', ...asked])
      expect([stdout, status]).to.deep.equal(['', 2])
      expect(JSON.parse(stderr).error).to.include({ code: 'USAGE', message: 'Unknown command "nosuch".' })
    }
  })

  it('colours nothing in a pipe, errors neither, unless told to', async () => {
    expect((await ovl(['nosuch'])).stderr).not.to.contain('\x1b')
    expect((await ovl(['nosuch', '--color', 'always'])).stderr).to.contain('\x1b[31m')
  })

  for (const args of [['help', 'exit-status'], ['--version']]) {
    it(`is quiet when the reader goes away: ${args.join(' ')}`, async () => {
      const child = startOvl(args)
      child.stdout?.destroy()
      let stderr = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        stderr += chunk.toString()
      })
      const status = await new Promise(resolve => child.on('close', resolve))
      expect([stderr, status]).to.deep.equal(['', 0])
    })
  }
})
