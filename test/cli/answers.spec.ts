// What ovl answers to the mistakes people make with such tools: message, code, exit status, as text and as JSON, and
// that nothing is left behind.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type CliOptions, type CliResult, ovl } from '../support/cli.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { blobPath, copySampleLayout, layoutManifest, sampleImage } from '../support/sample-image.ts'

let cwd: string
let digest: string

before(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-answers-'))
  fs.chmodSync(cwd, 0o755)
  const at = (name: string): string => path.join(cwd, name)
  fs.copyFileSync(sampleImage('hello.docker.tar'), at('note.tar'))
  fs.copyFileSync(sampleImage('hello.oci.tar'), at('good.oci.tar'))
  for (const name of ['good', 'bad', 'miss', 'json']) copySampleLayout(at(name))
  fs.writeFileSync(at('text.txt'), 'hello\n')
  fs.mkdirSync(at('empty'))
  fs.writeFileSync(at('trunc.docker.tar'), fs.readFileSync(at('note.tar')).subarray(0, 40_000))
  const layer = layoutManifest(at('bad')).layers[0]!
  digest = layer.digest
  const blob = fs.readFileSync(blobPath(at('bad'), digest))
  blob[blob.length >> 1]! ^= 1
  fs.writeFileSync(blobPath(at('bad'), digest), blob)
  fs.rmSync(blobPath(at('miss'), digest))
  fs.writeFileSync(at('json/index.json'), '{\n')
  copySampleLayout(at('two'))
  const index = JSON.parse(fs.readFileSync(at('two/index.json'), 'utf8'))
  const nested = JSON.parse(fs.readFileSync(blobPath(at('two'), index.manifests[0].digest), 'utf8'))
  const { mediaType, digest: otherDigest, size } = nested.manifests[1]
  const other = { mediaType, digest: otherDigest, size, annotations: { 'org.opencontainers.image.ref.name': '2.0' } }
  fs.writeFileSync(at('two/index.json'), JSON.stringify({ ...index, manifests: [...index.manifests, other] }))
  fs.mkdirSync(at('ok6/rootfs'), { recursive: true })
  fs.writeFileSync(at('ok6/config.json'), '{}')
})

after(() => fs.rmSync(cwd, { recursive: true, force: true }))

/** Runs a command line in the directory of the samples. */
function run(line: string, options: CliOptions = {}): Promise<CliResult> {
  return ovl(line.split(' '), { cwd, ...options })
}

type Answer = {
  readonly line: string
  readonly status: number
  readonly code: string
  /** The whole error stream, without what says how far the work was. */
  readonly stderr: RegExp
}

/** Message, code and status agree between text and JSON, and the directory looks as before. */
async function check(answer: Answer, options: CliOptions = {}): Promise<void> {
  const before = fs.readdirSync(cwd)
  const text = await run(`-q ${answer.line}`, options)
  expect(text.stderr).to.match(answer.stderr)
  expect([text.stdout, text.status]).to.deep.equal(['', answer.status])
  const json = await run(`${answer.line} --json`, options)
  expect([json.stdout, json.status]).to.deep.equal(['', answer.status])
  const { error } = JSON.parse(json.stderr)
  expect(error.code).to.equal(answer.code)
  expect(text.stderr.startsWith(`ovl: ${error.message}`)).to.equal(true)
  expect(fs.readdirSync(cwd)).to.deep.equal(before)
}

describe('answers to mistakes', () => {
  const answers: Record<string, Answer> = {
    '1: no such file, with a near name': {
      line: 'inspect nope.tar',
      status: 3,
      code: 'INPUT_NOT_FOUND',
      stderr:
        /^ovl: Cannot read nope\.tar: no such file {3}\[INPUT_NOT_FOUND\]\n {2}hint: did you mean \.\/note\.tar\?\n$/,
    },
    '1: no such file, nothing near': {
      line: 'inspect quite-another.tar',
      status: 3,
      code: 'INPUT_NOT_FOUND',
      stderr: /^ovl: Cannot read quite-another\.tar: no such file {3}\[INPUT_NOT_FOUND\]\n$/,
    },
    '2: a text file': {
      line: 'unpack --flat text.txt b',
      status: 4,
      code: 'NOT_AN_IMAGE',
      stderr: /^ovl: Cannot open text\.txt as an image: it is a plain text file \(6 bytes\).* {3}\[NOT_AN_IMAGE\]\n$/,
    },
    '2: an empty directory': {
      line: 'unpack --flat empty b',
      status: 4,
      code: 'NOT_AN_IMAGE',
      stderr: /^ovl: Cannot open empty as an image: it is an empty directory {3}\[NOT_AN_IMAGE\]\n$/,
    },
    '3: a truncated archive': {
      line: 'unpack --flat trunc.docker.tar b',
      status: 4,
      code: 'TRUNCATED',
      stderr:
        /^ovl: Cannot read trunc\.docker\.tar: the archive ends inside \S+\/layer\.tar.* {3}\[TRUNCATED\]\n {2}this member needs \d+ bytes, \d+ are there; \d+ are missing\n$/,
    },
    '4: a corrupt layer': {
      line: 'unpack --flat bad:1.0 b',
      status: 4,
      code: 'DIGEST_MISMATCH',
      stderr:
        /^ovl: Cannot unpack bad:1\.0: layer 1 does not match its digest {3}\[DIGEST_MISMATCH\]\n {2}expected sha256:\w+ {2}got sha256:\w+ .*\(\d+ bytes\)\n {2}hint: .*ovl verify bad/,
    },
    '6: the destination is in the way': {
      line: 'unpack --flat good ./ok6',
      status: 6,
      code: 'DEST_EXISTS',
      stderr:
        /^ovl: Cannot write bundle \.\/ok6: it exists and is not empty \(config\.json, rootfs\) {3}\[DEST_EXISTS\]\n {2}hint: choose another directory.*--force/,
    },
    '7: an unknown tag': {
      line: 'inspect good:nosuch',
      status: 3,
      code: 'TAG_NOT_FOUND',
      stderr: /^ovl: Cannot find tag "nosuch" in oci layout good: it has 1\.0 {3}\[TAG_NOT_FOUND\]\n$/,
    },
    '8: an unknown platform': {
      line: 'inspect --platform linux/sparc64 good:1.0',
      status: 3,
      code: 'PLATFORM_NOT_FOUND',
      stderr:
        /^ovl: Cannot find platform linux\/sparc64 in good:1\.0: it has linux\/amd64, linux\/arm64\/v8 {3}\[PLATFORM_NOT_FOUND\]\n$/,
    },
    '11: a mistyped command': {
      line: 'unpak --flat good b',
      status: 2,
      code: 'USAGE',
      stderr: /^ovl: Unknown command "unpak"\. Did you mean "unpack"\?\n$/,
    },
    '11: a mistyped flag': {
      line: 'unpack --flaat good b',
      status: 2,
      code: 'USAGE',
      stderr: /^ovl: Unknown flag "--flaat"\. Did you mean "--flat"\?\n/,
    },
    '12: a missing argument': {
      line: 'unpack good',
      status: 2,
      code: 'USAGE',
      stderr: /^ovl: unpack needs IMAGE and BUNDLE, got 1 argument\n {2}Usage: ovl unpack \[flags\] IMAGE BUNDLE\n$/,
    },
    '13: the wrong transport': {
      line: 'inspect docker-archive:good.oci.tar',
      status: 4,
      code: 'WRONG_FORMAT',
      stderr:
        /^ovl: Cannot open good\.oci\.tar as docker-archive: it is an oci-archive {3}\[WRONG_FORMAT\]\n {2}hint: leave the "docker-archive:" prefix away/,
    },
    '14: a missing blob': {
      line: 'unpack --flat miss:1.0 b',
      status: 4,
      code: 'BLOB_MISSING',
      stderr: /^ovl: Cannot read layer 1 of miss:1\.0: blob sha256:\w+ is not in the layout {3}\[BLOB_MISSING\]\n$/,
    },
    '15: broken JSON': {
      line: 'ls json',
      status: 4,
      code: 'BAD_JSON',
      stderr:
        /^ovl: Cannot read json\/index\.json: not valid JSON at line 2 column 1: the file ends early {3}\[BAD_JSON\]\n$/,
    },
    'several images and none named': {
      line: 'inspect two',
      status: 2,
      code: 'IMAGE_AMBIGUOUS',
      stderr: /^ovl: Cannot choose an image of two: it has 1\.0, 2\.0 {3}\[IMAGE_AMBIGUOUS\]\n/,
    },
    'a path that is not there': {
      line: 'cat good etc/passw',
      status: 3,
      code: 'PATH_NOT_FOUND',
      stderr:
        /^ovl: Cannot find "\/etc\/passw" in good:1\.0: no such file {3}\[PATH_NOT_FOUND\]\n {2}\/etc has passwd,/,
    },
    'a layer that is not there': {
      line: 'ls --layer 5 good',
      status: 3,
      code: 'LAYER_NOT_FOUND',
      stderr:
        /^ovl: Cannot find layer 5 in good:1\.0: it has layers 1 to 4 \(1 is the base\) {3}\[LAYER_NOT_FOUND\]\n$/,
    },
    'unpack --flat --native': {
      line: 'unpack --flat --native good b',
      status: 2,
      code: 'USAGE',
      stderr: /^ovl: unpack takes either --flat or --native: a flat bundle has no layers\n/,
    },
  }
  for (const [name, answer] of Object.entries(answers)) it(name, () => check(answer))

  it('2: a plain tar', async function () {
    skipUnless(this, hasTool('tar'), 'no tar')
    execFileSync('tar', ['cf', 'plain.tar', 'text.txt'], { cwd })
    await check({
      line: 'inspect plain.tar',
      status: 4,
      code: 'NOT_AN_IMAGE',
      stderr:
        /^ovl: Cannot open plain\.tar as an image: .*tar archive without manifest\.json or oci-layout \(1 entry: text\.txt\)/,
    })
  })

  it('4: verify names the bad layer, checks the others, and ends with 1', async () => {
    const { stdout, stderr, status } = await run('verify bad')
    expect([stderr, status]).to.deep.equal(['', 1])
    expect(stdout).to.match(
      /^layer 1 {2}sha256:\w{12} {2}FAILED {2}digest is sha256:\w{12} \(\d+ bytes, size agrees\)$/m,
    )
    expect(stdout).to.match(/^layer 2 {2}sha256:\w{12} {2}ok +digest ok, diff ID ok, tree not checked$/m)
    expect(stdout).to.match(/^bad:1\.0: 1 of 4 layers bad$/m)
    const json = JSON.parse((await run('verify bad --json')).stdout)
    expect(json).to.include({ schema: 'ovl.verify/1', ok: false })
    expect(json.layers[0]).to.include({ digest, ok: false, digestOk: false, treeOk: null })
    expect(json.layers[0].faults[0].code).to.equal('DIGEST_MISMATCH')
  })

  it('5: not permitted: hints at --rootless, and not when that was given', async function () {
    skipUnless(this, isRoot(), 'needs root, to become somebody else')
    const home = fs.mkdtempSync(path.join(cwd, 'nobody-'))
    fs.chownSync(home, 65534, 65534)
    const answer = await ovl(['-q', 'unpack', '--flat', '../good', 'b'], { cwd: home, uid: 65534 })
    expect(answer.stderr).to.match(
      /^ovl: Cannot \w+ \S+.*not permitted for uid 65534 {3}\[NEEDS_PRIVILEGE\]\n {2}hint: add --rootless/,
    )
    expect(answer.status).to.equal(5)
    expect(fs.readdirSync(home)).to.deep.equal([])
    const rootless = await ovl(['-q', 'unpack', '--flat', '--rootless', '../good', 'b'], { cwd: home, uid: 65534 })
    expect([rootless.stderr, rootless.status]).to.deep.equal(['', 0])
    fs.rmSync(home, { recursive: true })
  })

  it('9: a full disk: says how much is missing and leaves nothing', async function () {
    skipUnless(this, isRoot() && mountTmpfs(path.join(cwd, 'small')), 'cannot mount a tmpfs')
    try {
      for (const form of ['--flat ', '']) {
        const { stderr, status } = await run(`-q unpack ${form}good small/b`)
        expect(stderr).to.match(/^ovl: Cannot write \S+: no space left on \S*small.* more needed\)? {3}\[NO_SPACE\]\n/)
        expect(stderr).to.contain('nothing was left behind')
        expect(status).to.equal(7)
        expect(fs.readdirSync(path.join(cwd, 'small'))).to.deep.equal([])
        const plan = await run(`unpack ${form}--dry-run good small/b`)
        expect([plan.status, plan.stderr]).to.deep.equal([7, plan.stderr.match(/[^]*\[NO_SPACE\]\n[^]*/)?.[0]])
      }
    } finally {
      execFileSync('umount', ['-l', path.join(cwd, 'small')])
      fs.rmdirSync(path.join(cwd, 'small'))
    }
  })
})

function mountTmpfs(directory: string): boolean {
  fs.mkdirSync(directory)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32k', 'ovl-test', directory], { stdio: 'ignore' })
    return true
  } catch {
    fs.rmdirSync(directory)
    return false // no privilege, or a sandbox without mounts
  }
}
