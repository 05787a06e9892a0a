// ovl doctor as a user runs it: as root and as somebody else.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { AT_FDCWD, loadSystem } from '../../src/host/index.ts'
import { ovl } from '../support/cli.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'

const nobody = 65534
let cwd: string

beforeEach(() => {
  cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-doctor-cli-'))
  fs.chmodSync(cwd, 0o755)
})

afterEach(() => {
  // What ordinary users made in namespaces of their own is theirs, whatever its mode.
  fs.rmSync(cwd, { recursive: true, force: true })
})

const whiteout = (file: string): void =>
  loadSystem()?.mknodat(AT_FDCWD, path.join(cwd, file), { mode: 0o20000, major: 0, minor: 0 })

describe('ovl doctor', () => {
  it('prints a report and leaves nothing behind', async () => {
    const { stdout, stderr } = await ovl(['doctor', cwd])
    expect(stderr).to.equal('')
    const lines = stdout.split('\n')
    expect(lines[0]).to.match(/^kernel \S+ \(\w+\) {3}overlay: (?:yes|no|as a module that is not loaded)/)
    expect(lines[1]).to.match(
      /^you: \S+.*, CAP_SYS_ADMIN (?:yes|no), CAP_MKNOD (?:yes|no) {3}user namespaces: .* {3}FUSE: /,
    )
    expect(lines[2])
      .to.contain(cwd)
      .and.to.match(/upperdir.* {3}\d+(?:\.\d+)? \w+ free$/)
    expect(stdout).to.match(/^ {2}d_type yes, trusted\.\* /m)
    expect(stdout).to.match(/^decompression: gzip .*, zstd .*, xz .*, bzip2 .* {3}koffi: \d/m)
    expect(fs.readdirSync(cwd)).to.deep.equal([])
  })

  it('prints JSON, of which the exit status is the verdict', async () => {
    const { stdout, status } = await ovl(['doctor', '--json', cwd])
    const report = JSON.parse(stdout)
    expect(report).to.include({ schema: 'ovl.doctor/1', ok: status === 0 })
    expect(report.problems).to.have.length(report.ok ? 0 : report.problems.length)
    expect(report.directory.path).to.equal(cwd)
    expect(report.directory.space).to.include({ freeBytes: report.directory.space.freeBytes, readOnly: false })
    expect(report.directory.trials.files.hardLinks).to.deep.equal({ ok: true, reason: null })
    expect(report.directory.trials.times.nanoseconds.ok).to.equal(true)
    expect(report.tools.map(({ name }: { name: string }) => name)).to.include.members([
      'runc',
      'umoci',
      'fuse-overlayfs',
    ])
    expect(report.decoders.map(({ compression }: { compression: string }) => compression)).to.deep.equal([
      'gzip',
      'zstd',
      'xz',
      'bzip2',
    ])
    expect(report.user.uid).to.equal(process.getuid?.())
  })

  it('says of a directory that cannot be written to what is the case', async () => {
    const { stdout, status } = await ovl(['doctor', '/proc'])
    expect(status).to.equal(1)
    expect(stdout).to.match(/^\/proc \(proc.*\): cannot be written to \(\w+\)/m)
    expect(stdout).to.match(/^problem {2}\/proc cannot be written to/m)
  })

  it('refuses what is no directory, and flags that do not go together', async () => {
    const refusals: readonly (readonly [readonly string[], number, RegExp])[] = [
      [['doctor', path.join(cwd, 'none')], 3, /no such directory {3}\[INPUT_NOT_FOUND\]/],
      [['doctor', '/etc/passwd'], 3, /it is no directory {3}\[INPUT_NOT_FOUND\]/],
      [['doctor', '--clean', path.join(cwd, 'none')], 3, /no such directory/],
      [['doctor', '--overlay'], 2, /--overlay needs --lower/],
      [['doctor', '--overlay', '--clean', '--lower', 'l'], 2, /exclude each other/],
      [['doctor', '--overlay', '--lower', 'l', 'more'], 2, /not from DIR/],
      [['doctor', '--fix=lower'], 2, /--fix=lower needs --overlay/],
      [['doctor', '--upper', 'u'], 2, /--upper needs --overlay/],
      [['doctor', '-n'], 2, /--dry-run needs --fix or --clean/],
      [['doctor', '-n', '--overlay', '--lower', '/'], 2, /--dry-run needs --fix or --clean/],
      [['doctor', '--overlay', '--lower', '/', '--work', '/tmp'], 2, /--work needs --upper/],
      [['doctor', '--overlay', '--lower', '/:'], 2, /trailing colon {3}\[OVL_BAD_LOWERDIR\]/],
      [['doctor', '--overlay', '--lower', path.join(cwd, 'none')], 3, /no such directory/],
    ]
    for (const [args, wanted, message] of refusals) {
      const { stderr, status } = await ovl(args)
      expect([args.join(' '), status]).to.deep.equal([args.join(' '), wanted])
      expect(stderr).to.match(message)
    }
  })

  it('as an ordinary user', async function () {
    skipUnless(this, isRoot(), 'needs root to become somebody else')
    fs.chownSync(cwd, nobody, nobody)
    const { stdout } = await ovl(['doctor', '--json', cwd], { uid: nobody })
    const { trials } = JSON.parse(stdout).directory
    expect(trials.xattrs.trusted).to.deep.include({ ok: false, reason: 'EPERM' })
    expect(trials.files.devices).to.deep.equal({ ok: false, reason: 'EPERM' })
    expect(trials.files.owners).to.deep.equal({ ok: false, reason: 'EPERM' })
    expect(trials.overlay.native.mounts.ok).to.equal(null)
    // What is said about a user namespace is what a user namespace says.
    const entered = trySetpriv(['unshare', '--user', '--map-root-user', '--mount', 'true'])
    expect(trials.overlay.userxattr.namespace.ok).to.equal(entered)
    expect(fs.readdirSync(cwd)).to.deep.equal([])
  })
})

function trySetpriv(command: readonly string[]): boolean {
  try {
    execFileSync('setpriv', [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...command], { stdio: 'pipe' })
    return true
  } catch {
    return false // refused, or one of the programs is missing
  }
}

describe('ovl doctor on a poor file system', () => {
  let stage: Stage

  before(needsOverlayMounts)
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  it('ramfs without attributes: an upperdir on which things fail', async () => {
    stage.mount('-t', 'ramfs', 'ramfs', 'l3')
    const { stdout } = await ovl(['doctor', '--json', stage.at('l3')])
    const { trials, space } = JSON.parse(stdout).directory
    expect(space.type).to.equal('ramfs')
    expect(trials.files.renameWhiteout.ok).to.equal(false)
    const overlay = trials.overlay.native
    expect([overlay.mounts.ok, overlay.whiteout.ok, overlay.rename.ok]).to.deep.equal([true, true, false])
    expect((await ovl(['doctor', stage.at('l3')])).stdout).to.match(/poor upperdir: .*rename fails \(/)
  })

  it('vfat: no links, no case, coarse times, and no upperdir', async function () {
    skipUnless(this, hasTool('mkfs.vfat') && stage.mountImage(['mkfs.vfat'], 'l3'), 'vfat cannot be made here', {
      optional: true,
    })
    const { trials } = JSON.parse((await ovl(['doctor', '--json', stage.at('l3')])).stdout).directory
    expect(trials.files.hardLinks.ok).to.equal(false)
    expect(trials.files.caseSensitive.ok).to.equal(false)
    expect(trials.times.nanoseconds.ok).to.equal(false)
    expect(trials.overlay.native.mounts.ok).to.equal(false)
  })

  it('a read-only mount cannot be tried', async () => {
    stage.mount('--bind', stage.at('l1'), 'l1')
    stage.mount('-o', 'remount,bind,ro', 'l1')
    const { stdout, status } = await ovl(['doctor', stage.at('l1')])
    expect(status).to.equal(1)
    expect(stdout).to.match(/\(\w+, mounted ro\): cannot be written to \(EROFS\)/)
  })

  it('ext4 tells its limits', async function () {
    skipUnless(this, hasTool('mkfs.ext4'), 'mkfs.ext4 is not installed')
    const small = ['mkfs.ext4', '-q', '-I', '128', '-O', '^has_journal']
    skipUnless(this, stage.mountImage(small, 'l3'), 'ext4 cannot be mounted here', { optional: true })
    const { trials } = JSON.parse((await ovl(['doctor', '--json', stage.at('l3')])).stdout).directory
    // Inodes of 128 bytes have seconds of 32 bits.
    expect(trials.times).to.deep.equal({
      nanoseconds: { ok: false, reason: 'a coarser grain' },
      earliest: '1901-12-13T20:45:52.000Z',
      latest: '2038-01-19T03:14:07.000Z',
    })
    expect(trials.xattrs.user.largestBytes).to.be.within(500, 4096)
  })
})

describe('ovl doctor --overlay', function () {
  before(function () {
    skipUnless(this, loadSystem() !== null, 'needs koffi')
  })
  beforeEach(() => {
    for (const name of ['up', 'low', 'work', 'up/etc']) fs.mkdirSync(path.join(cwd, name))
  })

  const mark = isRoot() ? 'trusted.overlay.' : 'user.overlay.'
  const overlay = ['doctor', '--overlay', '--upper', 'up', '--lower', 'low', '--work', 'work']

  it('prints findings, the worst first, and what --fix would do', async () => {
    whiteout('up/etc/w')
    loadSystem()?.lsetxattr(path.join(cwd, 'up/etc'), `${mark}opaque`, Buffer.from('y'))
    fs.mkdirSync(path.join(cwd, 'up/x'))
    loadSystem()?.lsetxattr(path.join(cwd, 'up/x'), `${mark}redirect`, Buffer.from('/a//b'))
    const found = await ovl(overlay, { cwd })
    const redirect = isRoot() ? 'REDIRECT_INVALID, rule 58 84' : 'REDIRECT_'
    expect([found.stderr, found.status]).to.deep.equal(['', 1])
    expect(found.stdout)
      .to.match(/^error {4}up\/x redirects to "\/a\/\/b".*\n/)
      .and.to.contain(`[${redirect}`)
    expect(found.stdout).to.match(
      /^warning {2}up\/etc\/w is a whiteout.*: the name shows in listings +\[WHITEOUT_LISTED, rule 56 82\]$/m,
    )
    expect(found.stdout).to.match(
      /^note {5}up\/etc is opaque, and no layer beneath.* +\[OPAQUE_USELESS, rule 57 120 132\]$/m,
    )
    expect(found.stdout).to.match(/\nup over low: 1 error, 1 warning, 1 note; --fix mends 2\n$/)

    const planned = await ovl([...overlay, '--fix', '-n'], { cwd })
    expect(planned.stdout).to.match(/up\/etc\/w .* -> would be done: the whiteout is removed/)
    expect(fs.readdirSync(path.join(cwd, 'up/etc'))).to.deep.equal(['w'])

    const fixed = await ovl([...overlay, '--fix'], { cwd })
    expect(fixed.status).to.equal(1)
    expect(fixed.stdout).to.match(/up\/etc\/w .* -> done: the whiteout is removed/)
    expect(fixed.stdout).to.match(/1 note; 2 mended\n$/)
    expect(fs.readdirSync(path.join(cwd, 'up/etc'))).to.deep.equal([])
    fs.rmdirSync(path.join(cwd, 'up/x'))
    expect(await ovl(overlay, { cwd })).to.include({ status: 0, stdout: 'up over low: nothing is wrong\n' })
  })

  it('prints JSON', async () => {
    whiteout('up/caf\udce9')
    const { stdout, status } = await ovl([...overlay, '--json'], { cwd })
    expect(status).to.equal(1)
    const report = JSON.parse(stdout)
    expect(report).to.include({ schema: 'ovl.doctor-overlay/1', upper: 'up', ok: false, userxattr: !isRoot() })
    expect(report.findings).to.have.length(1)
    expect(report.findings[0]).to.deep.include({
      code: 'WHITEOUT_USELESS',
      severity: 'warning',
      role: 'upperdir',
      directory: 'up',
      path: { base64: Buffer.from('caf\xe9', 'latin1').toString('base64') },
      rules: [54, 56, 124],
      mend: { action: 'the whiteout is removed', state: 'possible', reason: null },
    })
    expect(report.findings[0].meaning).to.match(/^No layer beneath has the name/)
  })

  it('says nothing with -q, everything with -v', async () => {
    for (let i = 0; i < 30; i++) whiteout(`up/w${i}`)
    expect(await ovl([...overlay, '-q'], { cwd })).to.include({ stdout: '', status: 1 })
    const short = (await ovl(overlay, { cwd })).stdout
    expect(short.match(/WHITEOUT_USELESS/g)).to.have.length(20)
    expect(short).to.contain('… and 10 more like these')
    const long = (await ovl([...overlay, '-v'], { cwd })).stdout
    expect(long.match(/\[WHITEOUT_USELESS/g)).to.have.length(30)
    expect(long).to.contain('WHITEOUT_USELESS: a whiteout hides nothing\n  No layer beneath has the name.')
  })

  it('as an ordinary user: marks of user.overlay.*, and what could not be looked at', async function () {
    skipUnless(this, isRoot(), 'needs root to become somebody else')
    for (const name of ['up', 'low', 'work', 'up/etc']) fs.chownSync(path.join(cwd, name), nobody, nobody)
    loadSystem()?.lsetxattr(path.join(cwd, 'up/etc'), 'user.overlay.opaque', Buffer.from('y'))
    fs.mkdirSync(path.join(cwd, 'low/secret'), { mode: 0o700 })
    fs.mkdirSync(path.join(cwd, 'work/work'), { mode: 0o000 })
    const { stdout, status } = await ovl([...overlay, '--fix', '--json'], { cwd, uid: nobody })
    const report = JSON.parse(stdout)
    expect([report.userxattr, report.ok, status]).to.deep.equal([true, true, 0])
    const told = report.findings.map(
      ({ code, directory, path: at }: Record<string, string>) => `${code} ${directory}/${at}`,
    )
    expect(told.toSorted()).to.deep.equal(['NOT_CHECKED low/secret', 'NOT_CHECKED work/work', 'OPAQUE_USELESS up/etc'])
    expect(() => loadSystem()?.lgetxattr(path.join(cwd, 'up/etc'), 'user.overlay.opaque')).to.throw(/ENODATA/)
  })
})

describe('ovl doctor --clean', () => {
  it('removes workspaces of dead runs and nothing else', async () => {
    const gone = dead()
    for (const name of [`b.ovl-tmp-${gone}-a1b2`, `.ovl-tmp-${gone}-00ff`, `c.ovl-tmp-${process.pid}-a1b2`])
      fs.mkdirSync(path.join(cwd, name, 'rootfs'), { recursive: true })
    const others = [`b.ovl-tmp-${gone}-a1b2-old`, `b.ovl-tmp-${gone}`, `b.ovl-tmp-x-a1b2`, 'bundle']
    for (const name of others) fs.mkdirSync(path.join(cwd, name))
    fs.writeFileSync(path.join(cwd, `file.ovl-tmp-${gone}-a1b2`), '')
    fs.symlinkSync('bundle', path.join(cwd, `link.ovl-tmp-${gone}-a1b2`))

    const planned = await ovl(['doctor', '--clean', '-n'], { cwd })
    expect(planned.stdout).to.match(/2 leftovers would be removed\n$/)
    expect(fs.readdirSync(cwd)).to.have.length(9)

    const { stdout, status } = await ovl(['doctor', '--clean', cwd])
    expect(status).to.equal(0)
    expect(stdout).to.contain(`b.ovl-tmp-${gone}-a1b2: removed\n`)
    expect(stdout).to.contain(`c.ovl-tmp-${process.pid}-a1b2: in use by process ${process.pid}\n`)
    expect(stdout).to.match(/: 2 of 2 leftovers removed\n$/)
    expect(fs.readdirSync(cwd).toSorted()).to.deep.equal(
      [...others, `c.ovl-tmp-${process.pid}-a1b2`, `file.ovl-tmp-${gone}-a1b2`, `link.ovl-tmp-${gone}-a1b2`].toSorted(),
    )
    const again = JSON.parse((await ovl(['doctor', '--clean', '--json', cwd])).stdout)
    expect(again).to.include({ schema: 'ovl.doctor-clean/1', ok: true })
    expect(again.workspaces.map(({ state }: { state: string }) => state)).to.deep.equal(['in use'])
  })

  it('says what it could not remove', async function () {
    skipUnless(this, isRoot(), 'needs root to become somebody else')
    const name = `b.ovl-tmp-${dead()}-a1b2`
    fs.mkdirSync(path.join(cwd, name), { mode: 0o755 })
    fs.writeFileSync(path.join(cwd, name, 'f'), '')
    const { stdout, status } = await ovl(['doctor', '--clean', cwd], { uid: nobody })
    expect(status).to.equal(1)
    expect(stdout).to.match(/could not be removed\n {2}\S+\/f: EACCES\n.*: 0 of 1 leftover removed\n$/)
  })
})

/** The pid of a process that has just ended. */
function dead(): number {
  const pid = Number(execFileSync('sh', ['-c', 'echo $$']).toString())
  expect(fs.existsSync(`/proc/${pid}`)).to.equal(false)
  return pid
}
