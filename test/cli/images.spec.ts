// inspect, layers, ls, cat and verify over the sample images, as a user runs them.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { expect } from 'chai'
import { ovl, ovlPath, startOvl } from '../support/cli.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { sampleImage } from '../support/sample-image.ts'

const layout = sampleImage('hello.oci')
const samples = [
  'hello.docker.tar',
  'hello.hybrid.tar',
  'hello.oci',
  'hello.oci.tar',
  'hello.zstd.oci.tar',
  'hello.mixed.docker.tar',
]

async function answer(...args: readonly string[]): Promise<string> {
  const { stdout, stderr, status } = await ovl(args)
  expect([stderr, status]).to.deep.equal(['', 0])
  return stdout
}

describe('ovl inspect', () => {
  it('says what the input was taken for', async () => {
    expect(await answer('inspect', sampleImage('hello.oci.tar'))).to.match(
      new RegExp(
        [
          String.raw`^\S+hello\.oci\.tar {3}oci-archive \(\d+\.\d KiB\) {3}tags: 1\.0`,
          String.raw`manifest {2}sha256:\w{12} {2}application/vnd\.oci\.image\.manifest\.v1\+json`,
          String.raw`config {4}sha256:\w{12} {2}linux/amd64 {2}created \S+Z {2}Entrypoint \["/bin/hello"\] {2}Cmd \["world"\] {2}Env 2`,
          String.raw`layers {4}4 +\d+\.\d KiB gzip\n$`,
        ].join('\n'),
      ),
    )
  })

  it('prints digests in full with --no-trunc and details with -v', async () => {
    const stdout = await answer('inspect', '-v', '--no-trunc', layout)
    expect(stdout.match(/sha256:[0-9a-f]{64}\b/g)).to.have.length(6)
    expect(stdout).to.contain('GREETING=a=b c')
  })

  it('gives the same in JSON for every form of the image', async () => {
    const all = await Promise.all(
      samples.map(async name => JSON.parse(await answer('inspect', '--json', sampleImage(name)))),
    )
    for (const [i, json] of all.entries()) {
      expect(json, samples[i]).to.include({ schema: 'ovl.inspect/1' })
      expect(json.config.diffIDs, samples[i]).to.deep.equal(all[0].config.diffIDs)
      expect(json.layers, samples[i]).to.have.length(4)
      expect(json.platform).to.deep.equal({ os: 'linux', architecture: 'amd64' })
      expect(json.warnings).to.deep.equal([])
    }
  })

  it('prints documents exactly as stored', async () => {
    const json = JSON.parse(await answer('inspect', '--json', layout))
    const stored = (digest: string): string => fs.readFileSync(`${layout}/blobs/${digest.replace(':', '/')}`, 'utf8')
    expect(await answer('inspect', '--raw', 'manifest', layout)).to.equal(stored(json.manifest.digest))
    expect(await answer('inspect', '--raw', 'config', layout)).to.equal(stored(json.config.digest))
    expect(await answer('inspect', '--raw', 'index', layout)).to.equal(fs.readFileSync(`${layout}/index.json`, 'utf8'))
  })

  it('reads standard input', async () => {
    const input = fs.readFileSync(sampleImage('hello.docker.tar'))
    const { stdout, status } = await ovl(['inspect', '-'], { input })
    expect([stdout.split('\n')[0], status]).to.deep.equal([
      'standard input   docker-archive (68.5 KiB)   tags: hello:1.0',
      0,
    ])
  })
})

describe('ovl layers', () => {
  it('counts what each layer adds, replaces, removes, and what is hidden later', async () => {
    const lines = (await answer('layers', layout)).split('\n')
    expect(lines[0]).to.match(/^# {2}DIFF ID +SIZE +\+ +~ +- +HIDDEN BY LATER LAYERS {2}CREATED BY$/)
    expect(lines[1]).to.match(/^1 {2}\w{12} {2}27\.0 KiB {2}37 {2}- {2}- {2}6 files, 3\.1 KiB +COPY base/)
    expect(lines[3]).to.match(/^3 {2}\w{12} +8\.5 KiB +3 +4 +4 {2}– +RUN change and remove files$/)
    expect(lines[6]).to.equal('  3.1 KiB of layer 1 cannot be seen in the merged tree but are still in the image')
    expect(await answer('history', layout)).to.equal(lines.join('\n'))
  })

  it('gives the same in JSON for every form of the image', async () => {
    const all = await Promise.all(
      samples.map(async name => JSON.parse(await answer('layers', '--json', sampleImage(name)))),
    )
    for (const json of all) expect(countsOf(json)).to.deep.equal(countsOf(all[0]))
    expect(all[0].layers[0]).to.include({ number: 1, added: 37, replaced: 0, removed: 0, hiddenFiles: 6 })
    expect(all[0].schema).to.equal('ovl.layers/1')
  })
})

describe('ovl ls', () => {
  it('lists one level of the merged image, through symlinks', async () => {
    expect(await answer('ls', layout, '/var/lib/hello/')).to.equal(
      '-rw-r--r--  1000:1000  7  var/lib/hello/state.txt\n',
    )
    expect(await answer('ls', layout, 'etc')).to.match(/^-rw-r--r-- {2}0:0 {2} *\d+ {2}etc\/group$/m)
  })

  it('lists all levels with -R, sorted by path', async () => {
    const paths = JSON.parse(await answer('ls', '-R', '--json', layout)).entries.map(
      (each: { path: unknown }) => each.path,
    )
    expect(paths).to.include('bin/hello')
    const texts = paths.filter((each: unknown) => typeof each === 'string')
    expect(texts).to.deep.equal([...texts].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    expect(paths.filter((each: unknown) => typeof each === 'object')).to.have.length.above(0)
  })

  it('lists what a layer changes', async () => {
    const stdout = await answer('ls', '--layer', '3', layout)
    expect(stdout).to.match(/^\+ {2}-rw-r--r-- {2}0:0 +9 {2}etc\/motd$/m)
    expect(stdout).to.match(/^~ {2}-rw-r--r-- {2}0:0 +14 {2}etc\/mtab$/m)
    expect(stdout).to.match(/^- {2}whiteout +usr\/share\/doc\/hello$/m)
    expect(stdout).to.match(/^- {2}opaque +var\/cache\/hello\/a\.bin$/m)
  })

  it('lists what ships but does not show', async () => {
    const stdout = await answer('ls', '--deleted', layout, 'var/lib')
    expect(stdout).to.equal(
      [
        '-  -rw-r--r--  1000:1000  30  var/lib/hello/old.txt   layer 1, removed by layer 3',
        '~  -rw-r--r--  1000:1000   6  var/lib/hello/state.txt   layer 1, replaced by layer 3',
        '',
      ].join('\n'),
    )
  })

  it('gives times with nanoseconds, octal modes, and names that are not UTF-8 as base64', async () => {
    const { schema, entries } = JSON.parse(await answer('ls', '-R', '--json', layout))
    expect(schema).to.equal('ovl.ls/1')
    for (const entry of entries) {
      expect(entry.mtime).to.match(/^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
      expect(entry.mode).to.match(/^[0-7]{4}$/)
    }
    expect(entries.some((entry: { path: { base64?: string } }) => entry.path.base64 !== undefined)).to.equal(true)
  })

  it('escapes names, so that no line is forged', async () => {
    for (const line of (await answer('ls', '-R', layout)).split('\n')) expect(line).to.match(/^([dl-]|c|b|p|$)/)
  })

  it('colours when asked to, and only then', async () => {
    expect(await answer('ls', '--layer', '3', layout)).not.to.contain('\x1b')
    expect(await answer('ls', '--layer', '3', layout, '--color', 'always')).to.contain('\x1b[32m+\x1b[39m')
  })

  it('colours on a terminal, unless NO_COLOR or TERM=dumb say otherwise', function () {
    skipUnless(this, hasTool('script'), 'no script(1) to make a terminal')
    const command = `'${process.execPath}' '${ovlPath}' ls --layer 3 '${layout}'`
    expect(screenOf(command, { TERM: 'xterm' })).to.contain('\x1b[32m+')
    expect(screenOf(command, { NO_COLOR: '1', TERM: 'xterm' })).not.to.contain('\x1b[32m')
    expect(screenOf(command, { TERM: 'dumb' })).not.to.contain('\x1b')
  })

  it('refuses --layer with --deleted', async () => {
    const { stderr, status } = await ovl(['ls', '--layer', '1', '--deleted', layout])
    expect([stderr, status]).to.deep.equal([
      'ovl: --layer and --deleted are two different listings: give one of them\n',
      2,
    ])
  })

  it('ends quietly when the reader goes away', async () => {
    const child = startOvl(['ls', '-R', layout])
    child.stdout?.destroy()
    let stderr = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    expect([await new Promise(resolve => child.on('close', resolve)), stderr]).to.deep.equal([0, ''])
  })
})

describe('ovl cat', () => {
  it('prints a file of the merged image, through symlinks', async () => {
    expect(await answer('cat', layout, '/etc/../etc/mtab')).to.have.length(14)
    expect(await answer('cat', layout, 'etc/passwd')).to.match(/^root:x:0:0:/)
  })

  it('prints a file as a layer ships it, also when a later one removes or replaces it', async () => {
    const base = await answer('cat', '--layer', '1', layout, 'var/lib/hello/state.txt')
    const merged = await answer('cat', layout, 'var/lib/hello/state.txt')
    expect([base.length, merged.length]).to.deep.equal([6, 7])
    expect(await answer('cat', '--layer', '1', layout, 'usr/share/doc/hello/copyright')).to.have.length(39)
  })

  it('gives the same bytes from every form of the image', async () => {
    const all = await Promise.all(samples.map(name => answer('cat', sampleImage(name), 'bin/hello')))
    expect(all[0]).to.match(/^\x7fELF/)
    for (const bytes of all) expect(bytes).to.equal(all[0])
  })

  it('refuses what is no regular file', async () => {
    const { stderr, status } = await ovl(['cat', layout, 'etc'])
    expect([stderr.split('\n')[0], status]).to.deep.equal([
      'ovl: Cannot print "/etc": it is a directory   [PATH_NOT_FOUND]',
      3,
    ])
  })

  it('writes no binary data to a terminal', function () {
    skipUnless(this, hasTool('script'), 'no script(1) to make a terminal')
    expect(catOnTerminal('bin/hello')).to.match(/refusing to write binary data to the terminal\r\n.*\r\nstatus 2\r\n$/)
    expect(catOnTerminal('etc/motd')).to.match(/status 0\r\n$/)
  })
})

describe('ovl verify', () => {
  for (const name of samples) {
    it(`finds ${name} good`, async () => {
      const stdout = await answer('verify', sampleImage(name))
      expect(stdout.match(/^layer \d {2}sha256:\w{12} {2}ok {2}.*diff ID ok, tree ok$/gm)).to.have.length(4)
      expect(stdout).to.match(/: 4 layers ok\n$/)
    })
  }

  it('says nothing with -q', async () => {
    expect(await answer('verify', '-q', layout)).to.equal('')
  })
})

function countsOf(json: { readonly layers: readonly Record<string, unknown>[] }): unknown[] {
  return json.layers.map(({ diffID, added, replaced, removed, hiddenBytes, uncompressedBytes }) => [
    diffID,
    added,
    replaced,
    removed,
    hiddenBytes,
    uncompressedBytes,
  ])
}

function catOnTerminal(file: string): string {
  const command = `'${process.execPath}' '${ovlPath}' cat '${layout}' ${file}; echo "status $?"`
  return screenOf(command, { TERM: 'xterm' })
}

/** What a command writes when both its streams are a terminal. */
function screenOf(command: string, env: Readonly<Record<string, string>>): string {
  return execFileSync('script', ['-qec', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], ...env },
  }).toString()
}
