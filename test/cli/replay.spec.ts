import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { openKernelRunner } from '../../src/replay/index.ts'
import { ovl, ovlPath, projectRoot } from '../support/cli.ts'
import { kernelRunnerFor } from '../support/kernel-runner.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const scenario = {
  schema: 'ovl.scenario/1',
  title: 'a file that is deleted',
  lower: [{ 'd/a': 'lower', 'd/b': 'lower' }],
  upper: {},
  steps: [
    ['unlink', '/d/a'],
    ['rename', '/d', '/e'],
    ['readdir', '/d'],
  ],
}

describe('ovl replay', () => {
  let directory = ''
  let file = ''

  before(() => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-replay-test-'))
    fs.chmodSync(directory, 0o755)
    file = write('deleted.json', scenario)
  })
  after(() => fs.rmSync(directory, { recursive: true, force: true }))

  function write(name: string, content: unknown): string {
    fs.writeFileSync(path.join(directory, name), typeof content === 'string' ? content : JSON.stringify(content))
    return path.join(directory, name)
  }

  it('prints what each step answers', async () => {
    const { stdout, stderr, status } = await ovl(['replay', 'deleted.json'], { cwd: directory })
    expect(stdout.split('\n')).to.deep.equal([
      'deleted.json: 3 steps (emulator)',
      '  1  unlink /d/a   ok',
      '  2  rename /d /e  EXDEV',
      '  3  readdir /d    ["b"]',
      '',
    ])
    expect([stderr, status]).to.deep.equal(['', 0])
  })

  it('prints the trees with -v', async () => {
    const { stdout } = await ovl(['replay', '-v', file])
    expect(stdout).to.include('\n  merged\n    /     {"type":"dir",')
    expect(stdout).to.match(/\n {2}upper\n[^]*\n {4}\/d\/a {2}\{"type":"whiteout"\}\n/)
  })

  it('prints a line of JSON for each file and runner', async () => {
    const { stdout, status } = await ovl(['replay', '--json', file, file, '--on', 'emulator'])
    const lines = stdout.trimEnd().split('\n')
    expect([lines.length, status]).to.deep.equal([2, 0])
    const { merged, upper, ...rest } = JSON.parse(lines[1] ?? '') as Record<string, Record<string, unknown>>
    expect(rest).to.deep.equal({
      schema: 'ovl.replay/1',
      file,
      runner: 'emulator',
      steps: [{ ok: null }, { errno: 'EXDEV' }, { ok: ['b'] }],
    })
    expect(Object.keys(merged ?? {})).to.deep.equal(['', 'd', 'd/b'])
    expect(upper?.['d/a']).to.deep.equal({ type: 'whiteout' })
  })

  it('says that runners agree', async function () {
    await (await kernelRunnerFor(this)).close()
    const { stdout, status } = await ovl(['replay', file, '--on', 'emulator,kernel,host'])
    expect(stdout).to.match(/^\S+: 3 of 3 steps equal \(emulator, kernel [\d.]+\S*, emulator on directories\)\n$/)
    expect(status).to.equal(0)
  })

  it('runs random scenarios again from their seed', async () => {
    const { stdout, stderr, status } = await ovl(['replay', '--random', '20', '--seed', '7', '--on', 'emulator'])
    expect(stdout).to.match(/^random scenarios: 20 of 20 equal \(emulator; seed 7; [\d.]+ s\)\n$/)
    expect(stderr).to.match(/^20 random scenarios from seed 7\n/)
    expect(status).to.equal(0)
    const json = await ovl(['replay', '--random', '2', '--seed', '7', '--on', 'emulator', '--json'])
    expect(JSON.parse(json.stdout)).to.deep.equal({ schema: 'ovl.replay-random/1', seed: 7, done: 2, different: [] })
  })

  it('ends quietly when the reader of its output goes away', () => {
    const command = `"$0" "$1" replay --json "$2" "$2" "$2" | head -c 10`
    const output = execFileSync('sh', ['-c', command, process.execPath, ovlPath, file], { cwd: projectRoot })
    expect(output.toString()).to.equal('{"schema":')
  })

  const usageErrors: readonly (readonly [args: readonly string[], message: string])[] = [
    [[], 'replay needs FILE, or --random'],
    [['--random', '5', 'FILE'], 'replay runs either files or --random scenarios, not both'],
    [['FILE', '--seed', '5'], '--seed is for --random'],
    [['FILE', '--keep', 'x'], '--keep is for --random'],
    [['FILE', '--on', 'kernal'], '--on takes emulator, host, kernel, kernel-ext4, not "kernal"'],
    [['--random', 'many'], '--random takes a whole number up to 4294967296, not "many"'],
    [['--random', '1', '--seed', '-1'], '--seed takes a whole number up to 4294967295, not "-1"'],
  ]
  for (const [args, message] of usageErrors) {
    it(`says: ${message}`, async () => {
      const { stdout, stderr, status } = await ovl(['replay', ...args.map(word => (word === 'FILE' ? file : word))])
      expect([stdout, status]).to.deep.equal(['', 2])
      expect(stderr.split('\n')[0]).to.equal(`ovl: ${message}`)
    })
  }

  it('names a missing file, and the place of a mistake in another, before anything runs', async () => {
    const missing = await ovl(['replay', file, 'none.json'], { cwd: directory })
    expect(missing.stderr).to.equal('ovl: Cannot read none.json: no such file   [INPUT_NOT_FOUND]\n')
    expect([missing.stdout, missing.status]).to.deep.equal(['', 3])
    write('bad.json', { ...scenario, steps: [['renam', '/a', '/b']] })
    const bad = await ovl(['replay', file, 'bad.json'], { cwd: directory })
    expect(bad.stderr).to.equal(
      'ovl: Cannot read bad.json: steps[0]: unknown operation "renam"; did you mean "rename"?   [BAD_SCENARIO]\n',
    )
    expect([bad.stdout, bad.status]).to.deep.equal(['', 4])
  })

  it('says that mounting needs root', async function () {
    skipUnless(this, isRoot(), 'needs root to be somebody else')
    const { stderr, status } = await ovl(['replay', file, '--on', 'kernel'], { uid: 65534 })
    expect(stderr).to.equal(
      [
        'ovl: Cannot run scenarios on the kernel: mounting an overlay needs root   [NEEDS_PRIVILEGE]',
        '  hint: run the same command with sudo, or with --on emulator',
        '',
      ].join('\n'),
    )
    expect(status).to.equal(5)
  })

  it('mounts where nobody else sees it', async function () {
    await (await kernelRunnerFor(this)).close()
    const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8')
    const runner = await openKernelRunner()
    await runner.run({ ...scenario, schema: 'ovl.scenario/1', options: {}, steps: [['unlink', '/d/a']] })
    expect(fs.readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(mounts)
    await runner.close()
    expect(fs.readFileSync('/proc/self/mountinfo', 'utf8')).to.equal(mounts)
  })
})
