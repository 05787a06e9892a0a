// ovl unpack as a user runs it: what is written, what is said where, and what is refused.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { ovl, ovlPath } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'

let cwd: string
const image = sampleImage('hello.oci.tar')

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-unpack-cli-'))
})

afterEach(() => fs.rmSync(cwd, { recursive: true, force: true }))

/** As root the image's owners are set, as an ordinary user they are recorded. */
const mode = isRoot() ? [] : ['--rootless']

const unpack = (...args: readonly string[]) => ovl(['unpack', '--flat', ...mode, ...args], { cwd })

describe('ovl unpack', () => {
  it('writes a bundle; the answer on standard output, the steps on standard error', async () => {
    const { stdout, stderr, status } = await unpack(image, 'b', '--progress', 'plain')
    expect(status).to.equal(0)
    expect(stdout).to.match(
      /^bundle ready: b {2}\(4 layers, \d+\.\d KiB of files; config\.json for linux\/amd64\) {3}\d+\.\d\d s\n[^]*next: runc .*run -b b b\n$/,
    )
    const steps = stderr.split('\n').filter(line => !line.startsWith('ovl: '))
    expect(steps[0]).to.match(/hello\.oci\.tar: oci-archive, 1\.0, linux\/amd64, 4 layers, \d\.\d KiB$/)
    expect(steps[3]).to.match(/^ {2}3\/4 {2}\w{12} +8\.5 KiB +11 entries {2}2 whiteouts {2}1 opaque directory$/)
    expect(fs.readdirSync(path.join(cwd, 'b')).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
    expect(fs.statSync(path.join(cwd, 'b')).mode & 0o777).to.equal(0o700)
    expect(fs.readdirSync(cwd)).to.deep.equal(['b'])
  })

  it('says nothing with -q', async () => {
    const { stdout, stderr, status } = await unpack('-q', image, 'b')
    expect([stdout, stderr, status]).to.deep.equal(['', '', 0])
  })

  it('prints JSON', async () => {
    const { stdout, stderr, status } = await unpack('--json', image, 'b')
    expect([stderr, status]).to.deep.equal(['', 0])
    const json = JSON.parse(stdout)
    expect(json).to.include({ schema: 'ovl.unpack/1', bundle: 'b', mode: 'flat', config: true })
    expect(json.image).to.include({ transport: 'oci-archive', layerCount: 4 })
    expect(json.layers[2]).to.include({ number: 3, entries: 11, whiteouts: 2, opaques: 1 })
    expect(json.layers[0].diffID).to.match(/^sha256:[0-9a-f]{64}$/)
    expect(json.warnings).to.be.an('array')
  })

  it('reports progress as JSON lines when asked to', async () => {
    const { stderr } = await unpack('--progress', 'json', '--json', image, 'b')
    const last = stderr
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).progress)
      .filter(each => each.finished)
    expect(last.map(each => [each.layer, each.of])).to.deep.equal([
      [1, 4],
      [2, 4],
      [3, 4],
      [4, 4],
    ])
  })

  it('draws on a terminal and leaves one line per layer', function () {
    skipUnless(this, hasTool('script'), 'no script(1) to make a terminal')
    const command = `'${process.execPath}' '${ovlPath}' unpack --flat ${mode.join(' ')} '${image}' b`
    const screen = execFileSync('script', ['-qec', command, '/dev/null'], { cwd }).toString()
    for (const number of [1, 2, 3, 4]) expect(screen).to.match(new RegExp(`  ${number}/4  \\w{12} +\\d+\\.\\d KiB`))
    expect(screen).to.contain('bundle ready: b')
  })

  it('reads standard input', async () => {
    const { status } = await ovl(['unpack', '-q', '--flat', ...mode, '-', 'b'], { cwd, input: fs.readFileSync(image) })
    expect(status).to.equal(0)
    expect(fs.readFileSync(path.join(cwd, 'b/rootfs/etc/os-release'), 'utf8')).to.match(/^NAME=/)
  })

  it('writes nothing with --dry-run', async () => {
    const { stdout, status } = await unpack('-n', image, 'b')
    expect(status).to.equal(0)
    expect(stdout).to.match(
      /^would write b: rootfs \(\d+ files, \d+ directories, \d+ symlinks, 1 device or FIFO\) config\.json ovl\.json; needs \d+\.\d KiB, \S+ [KMGT]iB free$/m,
    )
    expect(fs.readdirSync(cwd)).to.deep.equal([])
    const json = JSON.parse((await unpack('-n', '--json', image, 'b')).stdout)
    expect(json).to.include({ schema: 'ovl.unpack-plan/1', bundle: 'b', replaces: false, specialFiles: 1 })
  })

  it('plans exactly what it then writes', async () => {
    const plan = JSON.parse((await unpack('-n', '--json', image, 'b')).stdout)
    await unpack('-q', image, 'b')
    const kinds = countInodes(path.join(cwd, 'b/rootfs'))
    expect(kinds).to.deep.equal({
      files: plan.files,
      directories: plan.directories,
      symlinks: plan.symlinks,
      other: plan.specialFiles,
    })
  })

  it('replaces its own bundle with --force, anything else only with --force=any', async () => {
    await unpack('-q', image, 'b')
    expect((await unpack('-q', image, 'b')).status).to.equal(6)
    expect((await unpack('-n', image, 'b')).status).to.equal(6)
    expect((await unpack('-n', '--force', image, 'b')).stdout).to.contain('would replace b:')
    fs.writeFileSync(path.join(cwd, 'b/rootfs/trace'), '')
    expect((await unpack('-q', '--force', image, 'b')).status).to.equal(0)
    expect(fs.existsSync(path.join(cwd, 'b/rootfs/trace'))).to.equal(false)
    fs.mkdirSync(path.join(cwd, 'other'))
    fs.writeFileSync(path.join(cwd, 'other/mine'), 'precious')
    expect((await unpack('-q', '--force', image, 'other')).status).to.equal(6)
    expect((await unpack('-n', '--force', image, 'other')).status).to.equal(6)
    expect(fs.readFileSync(path.join(cwd, 'other/mine'), 'utf8')).to.equal('precious')
    expect((await unpack('-q', '--force=any', image, 'other')).status).to.equal(0)
    expect(fs.readdirSync(path.join(cwd, 'other')).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
    expect(fs.readdirSync(cwd).toSorted()).to.deep.equal(['b', 'other'])
  })

  it('leaves config.json out with --no-config and has no next command then', async () => {
    const { stdout } = await unpack('--no-config', image, 'b')
    expect(stdout).to.contain('no config.json').and.not.to.contain('next:')
    expect(fs.readdirSync(path.join(cwd, 'b')).toSorted()).to.deep.equal(['ovl.json', 'rootfs'])
  })

  it('takes the platform that is asked for', async () => {
    const json = JSON.parse((await unpack('--json', '--platform', 'linux/arm64', image, 'b')).stdout)
    expect(json.image.platform).to.include({ os: 'linux', architecture: 'arm64' })
  })

  it('keeps to a limit and leaves nothing', async () => {
    const { stderr, status } = await unpack('-q', '--limit', 'entries=10', image, 'b')
    expect(stderr).to.match(/^ovl: Cannot .*10 entries.*\[LIMIT_EXCEEDED\]\n {2}hint: .*--limit entries=/)
    expect(status).to.equal(4)
    expect(fs.readdirSync(cwd)).to.deep.equal([])
  })

  const refused: [string, readonly string[], RegExp][] = [
    ['a bad map', ['--uid-map', '0:x'], /^ovl: Cannot use --uid-map: "0:x" is not CONTAINER:HOST\[:SIZE\]\n/],
    ['a bad platform', ['--platform', 'a/b/c/d'], /^ovl: Cannot use platform "a\/b\/c\/d": it is not os\/architecture/],
  ]
  for (const [what, flags, message] of refused) {
    it(`refuses ${what}, exit 2`, async () => {
      const { stderr, status } = await unpack('-q', ...flags, image, 'b')
      expect(stderr).to.match(message)
      expect(status).to.equal(2)
      expect(fs.readdirSync(cwd)).to.deep.equal([])
    })
  }
})

/** Counts inodes below a directory, itself included; names may be no text, so paths are bytes. */
function countInodes(top: string): { files: number; directories: number; symlinks: number; other: number } {
  const kinds = { files: 0, directories: 0, symlinks: 0, other: 0 }
  const seen = new Set<number>()
  const pending = [Buffer.from(top)]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const stat = fs.lstatSync(next)
    if (stat.isDirectory()) {
      for (const name of fs.readdirSync(next, 'buffer')) pending.push(Buffer.concat([next, Buffer.from('/'), name]))
    }
    if (seen.has(stat.ino)) continue
    seen.add(stat.ino)
    if (stat.isFile()) kinds.files++
    else if (stat.isDirectory()) kinds.directories++
    else if (stat.isSymbolicLink()) kinds.symlinks++
    else kinds.other++
  }
  return kinds
}
