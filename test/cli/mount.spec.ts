// `ovl mount` and `ovl umount` as a user meets them: eighteen mistakes that mount(8) answers with three sentences, and
// what works.

import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { makeBundle } from '../support/bundle-on-disk.ts'
import { type CliOptions, type CliResult, ovl, ovlPath } from '../support/cli.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'
import { hasTool, skipUnless } from '../support/probe.ts'

let stage: Stage

function run(line: string, options: CliOptions = {}): Promise<CliResult> {
  return ovl(line.split(' '), { cwd: stage.directory, ...options })
}

type Mistake = {
  readonly options: string
  readonly status: number
  readonly code: string
  /** What stands behind "Cannot mount overlay on m: ". */
  readonly fact: RegExp
  readonly prepare?: () => void
}

const plain = 'lowerdir=l1,upperdir=u,workdir=w'

const mistakes: Record<string, Mistake> = {
  'a missing lower layer': {
    options: 'lowerdir=none,upperdir=u,workdir=w',
    status: 3,
    code: 'OVL_LOWER_NOT_FOUND',
    fact: /^lowerdir none does not exist/,
  },
  'a missing upperdir': {
    options: 'lowerdir=l1,upperdir=none,workdir=w',
    status: 3,
    code: 'OVL_UPPER_NOT_FOUND',
    fact: /^upperdir none does not exist/,
  },
  'a missing workdir': {
    options: 'lowerdir=l1,upperdir=u,workdir=none',
    status: 3,
    code: 'OVL_WORKDIR_NOT_FOUND',
    fact: /^workdir none does not exist/,
  },
  'an unescaped colon': {
    options: 'lowerdir=a:b,upperdir=u,workdir=w',
    status: 2,
    code: 'OVL_UNESCAPED_COLON',
    fact: /the colon separates layers/,
    prepare: () => void stage.make('a:b'),
  },
  'an unescaped comma': {
    options: 'lowerdir=a,b,upperdir=u,workdir=w',
    status: 2,
    code: 'OVL_UNESCAPED_COMMA',
    fact: /the comma separates options/,
    prepare: () => void stage.make('a,b'),
  },
  'no workdir': {
    options: 'lowerdir=l1,upperdir=u',
    status: 2,
    code: 'OVL_NO_WORKDIR',
    fact: /^upperdir needs a workdir/,
  },
  'no lowerdir': { options: 'upperdir=u,workdir=w', status: 2, code: 'OVL_NO_LOWERDIR', fact: /^there is no lowerdir/ },
  'one lower layer alone': {
    options: 'lowerdir=l1',
    status: 2,
    code: 'OVL_TOO_FEW_LAYERS',
    fact: /^one lower layer and no upperdir/,
  },
  'workdir = upperdir': {
    options: 'lowerdir=l1,upperdir=u,workdir=u',
    status: 4,
    code: 'OVL_WORKDIR_IS_UPPERDIR',
    fact: /same directory/,
  },
  'workdir in upperdir': {
    options: 'lowerdir=l1,upperdir=u,workdir=u/w',
    status: 4,
    code: 'OVL_WORKDIR_NESTED',
    fact: /^workdir lies inside upperdir/,
    prepare: () => void stage.make('u/w'),
  },
  'workdir on another file system': {
    options: 'lowerdir=l1,upperdir=u,workdir=m2',
    status: 4,
    code: 'OVL_WORKDIR_OTHER_FS',
    fact: /^workdir is on another filesystem/,
    prepare: () => stage.mount('-t', 'tmpfs', 'tmpfs', 'm2'),
  },
  'a bad value': {
    options: `${plain},index=yes`,
    status: 2,
    code: 'OVL_BAD_VALUE',
    fact: /^"yes" is no value of index/,
  },
  'an unknown option': {
    options: `${plain},indexx=on`,
    status: 2,
    code: 'OVL_UNKNOWN_OPTION',
    fact: /^unknown option "indexx"/,
  },
  'metacopy without redirect_dir': {
    options: `${plain},metacopy=on,redirect_dir=off`,
    status: 2,
    code: 'OVL_CONFLICTING_OPTIONS',
    fact: /^metacopy=on needs redirect_dir=on/,
  },
  'a file as lower layer': {
    options: 'lowerdir=file,upperdir=u,workdir=w',
    status: 4,
    code: 'OVL_NOT_A_DIRECTORY',
    fact: /^lowerdir file is not a directory/,
    prepare: () => fs.writeFileSync(stage.at('file'), ''),
  },
  'the same lower layer twice': {
    options: 'lowerdir=l1:l2:l1,upperdir=u,workdir=w',
    status: 4,
    code: 'OVL_LAYER_TWICE',
    fact: /^l1 is given twice as lowerdir/,
  },
  'a lower layer in another': {
    options: 'lowerdir=l1:l1/d,upperdir=u,workdir=w',
    status: 4,
    code: 'OVL_LAYERS_NESTED',
    fact: /^lowerdir l1\/d lies inside lowerdir l1/,
    prepare: () => void stage.make('l1/d'),
  },
  'more than 500 layers': {
    options: `lowerdir=${'l:'.repeat(500)}l`,
    status: 5,
    code: 'OVL_TOO_MANY_LAYERS',
    fact: /^501 lower layers; the kernel takes 500/,
  },
  'an upperdir in use': {
    options: 'lowerdir=l2,upperdir=u,workdir=w2,index=on',
    status: 6,
    code: 'OVL_IN_USE',
    fact: /^upperdir u is in use as upperdir of the overlay on /,
    prepare: () => (stage.make('w2'), mountWith(stage.options(), 'm2')),
  },
  'an upperdir of another lower layer': {
    options: 'lowerdir=l2,upperdir=u,workdir=w,index=on',
    status: 4,
    code: 'OVL_STALE_ORIGIN',
    fact: /^upperdir u was used with another lower layer/,
    prepare: () => (mountWith(`${plain},index=on`, 'm2'), void execFileSync('umount', [stage.at('m2')])),
  },
  'an upperdir on an overlay': {
    options: 'lowerdir=l2,upperdir=m2/u,workdir=m2/w',
    status: 5,
    code: 'OVL_UPPER_ON_OVERLAY',
    fact: /^upperdir m2\/u is on an overlay/,
    prepare: () => (stage.make('l1/u'), stage.make('l1/w'), mountWith(plain, 'm2')),
  },
}

describe('ovl mount: mistakes', () => {
  before(needsOverlayMounts)
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  for (const [name, { options, status, code, fact, prepare }] of Object.entries(mistakes)) {
    it(`${name}: ${code}`, async () => {
      prepare?.()
      const result = await run(`mount --json -o ${options} m`)
      const { error } = JSON.parse(result.stderr)
      expect([result.stdout, result.status, error.code]).to.deep.equal(['', status, code])
      expect(error.message).to.match(/^Cannot mount overlay on m: /)
      expect(error.message.replace('Cannot mount overlay on m: ', '')).to.match(fact)
    })
  }

  it('each has a reason of its own', () => {
    const all = Object.values(mistakes)
    expect(all).to.have.length.of.at.least(18)
    expect(new Set(all.map(({ code }) => code)).size).to.equal(all.length)
  })

  it('says where both directories are', async () => {
    stage.mount('-t', 'tmpfs', 'tmpfs', 'm2')
    const { stderr } = await run('mount -o lowerdir=l1,upperdir=u,workdir=m2 m')
    expect(stderr).to.match(
      /^ovl: Cannot mount overlay on m: workdir is on another filesystem than upperdir {3}\[OVL_WORKDIR_OTHER_FS\]\n {2}upperdir {2}u {3}\w+ +\S+ +\(mount \d+\)\n {2}workdir {3}m2 {2}tmpfs +tmpfs +\(mount \d+\)\n {2}hint: .*workdir=u\.work\n$/,
    )
  })

  it('an option string longer than a page is no mistake', async () => {
    const names = Array.from({ length: 60 }, (_, i) => stage.make(`${'long'.repeat(20)}${i}`))
    expect(names.join(':').length).to.be.above(4096)
    const { status, stderr } = await run(`mount -o lowerdir=${names.join(':')},upperdir=u,workdir=w m`)
    expect([stderr, status]).to.deep.equal(['', 0])
  })
})

describe('ovl mount and umount', () => {
  before(needsOverlayMounts)
  beforeEach(() => {
    stage = new Stage()
    fs.writeFileSync(stage.at('l1/file'), 'lower')
  })
  afterEach(() => stage.remove())

  it('checks, prints the command, and mounts nothing', async () => {
    const { stdout, status } = await run(`mount -n -o ${plain} m`)
    expect(stdout).to.equal(
      `ok: 1 lower, upper writable. Equivalent command:\n  mount -t overlay overlay -o lowerdir=${stage.at('l1')},upperdir=${stage.at('u')},workdir=${stage.at('w')} ${stage.at('m')}\nnotes: redirect_dir=follow here (module default): renaming a lower directory returns EXDEV; index=off: hard links break on copy-up\n`,
    )
    expect([status, fs.readdirSync(stage.at('m'))]).to.deep.equal([0, []])
  })

  it('mounts and unmounts', async () => {
    const mounted = await run(`mount -o ${plain} m`)
    expect(mounted.stdout).to.match(/^mounted m: 1 lower, upper writable\nnotes: /)
    expect(fs.readFileSync(stage.at('m/file'), 'utf8')).to.equal('lower')
    expect((await run('umount m')).stdout).to.equal(`unmounted ${stage.at('m')}\n`)
    const again = await run('umount m')
    expect([again.stdout, again.stderr, again.status]).to.deep.equal(['nothing is mounted on m\n', '', 0])
  })

  it('takes the directories as flags, as they stand', async () => {
    fs.writeFileSync(`${stage.make('a:b,c')}/odd`, '')
    const { status, stdout } = await run('mount --json --lower a:b,c --lower l1 m')
    expect(status).to.equal(0)
    expect(JSON.parse(stdout)).to.deep.include({ schema: 'ovl.mount/1', readOnly: true, mountPoint: stage.at('m') })
    expect(fs.readdirSync(stage.at('m')).toSorted()).to.deep.equal(['file', 'odd'])
  })

  it('takes names that are no UTF-8', () => {
    const script =
      'n=$(printf "caf\\351"); mkdir "$n"; : > "$n/odd"; "$0" "$1" mount -q --lower "$n" --lower l1 m && ls m'
    const stdout = execFileSync('sh', ['-c', script, process.execPath, ovlPath], {
      cwd: stage.directory,
      encoding: 'utf8',
    })
    expect(stdout).to.equal('file\nodd\n')
  })

  it('mounts the layers of a bundle, once', async () => {
    makeBundle(stage.make('b'), { layers: [{ 'etc/hostname': 'base', 'etc/other': '' }, { 'etc/hostname': 'top' }] })
    expect((await run('mount b')).stdout).to.match(/^mounted b\/merged: 2 lowers, upper writable\n/)
    expect(fs.readFileSync(stage.at('b/merged/etc/hostname'), 'utf8')).to.equal('top')
    fs.rmSync(stage.at('b/merged/etc/other'))
    const again = await run('mount b')
    expect([again.status, again.stderr]).to.deep.equal([
      6,
      again.stderr.match(
        /^ovl: Cannot mount bundle b: it is mounted already {3}\[OVL_ALREADY_MOUNTED\]\n[^]*hint: ovl umount b\n$/,
      )?.[0],
    ])
    expect(JSON.parse((await run('mount --json b')).stderr).error.code).to.equal('OVL_ALREADY_MOUNTED')
    expect((await run('umount b')).stdout).to.equal(`unmounted ${stage.at('b/merged')}\n`)
    expect(fs.lstatSync(stage.at('b/upper/etc/other')).isCharacterDevice()).to.equal(true)
  })

  it('mounts the bundle of an image without layers', async () => {
    makeBundle(stage.make('b'), { layers: [], lowers: [] })
    fs.mkdirSync(stage.at('b/lower'), { recursive: true })
    expect((await run('mount b')).stdout).to.match(/^mounted b\/merged: 1 lower, upper writable\n/)
    fs.writeFileSync(stage.at('b/merged/x'), '')
    expect((await run('umount b')).status).to.equal(0)
    expect(fs.readdirSync(stage.at('b/upper'))).to.deep.equal(['x'])
  })

  it('mounts only the layers that make up the tree of a bundle', async () => {
    makeBundle(stage.make('b'), { layers: [{ base: '' }, { top: '' }], lowers: [2] })
    await run('mount -o redirect_dir=on b')
    expect(fs.readdirSync(stage.at('b/merged'))).to.deep.equal(['top'])
  })

  it('unmounts what a killed process left, by the bundle', async () => {
    makeBundle(stage.make('b'), { layers: [{ base: '' }] })
    mountWith(
      `lowerdir=${stage.at('b/lower/1')},upperdir=${stage.at('b/upper')},workdir=${stage.at('b/work')}`,
      'b/merged',
    )
    mountWith(`lowerdir=${stage.at('l1')}:${stage.at('l2')}`, 'b/merged')
    expect((await run('umount b')).stdout).to.match(/^unmounted \S+\/b\/merged \(2 overlays\)\n$/)
  })

  it('refuses a flat bundle and a directory that is no bundle', async () => {
    makeBundle(stage.make('flat'), { layers: [], flat: true })
    expect((await run('mount flat')).stderr).to.match(
      /^ovl: Cannot mount bundle flat: it is flat, .* \[UNSUPPORTED\]\n/,
    )
    expect((await run('mount l1')).stderr).to.match(
      /^ovl: Cannot open bundle "l1": it has no ovl.json {3}\[INPUT_NOT_FOUND\]\n/,
    )
  })

  it('refuses a command without --userns', async () => {
    const { stderr, status } = await run('mount b -- true')
    expect([stderr, status]).to.deep.equal([
      'ovl: mount runs a command only with --userns\n  hint: ovl mount --userns b -- true\n',
      2,
    ])
  })
})

describe('ovl mount --userns', () => {
  const user = 54_321

  before(needsOverlayMounts)
  before(function () {
    skipUnless(this, hasTool('unshare') && canMakeNamespace(user), 'ordinary users cannot make user namespaces here', {
      optional: true,
    })
  })
  beforeEach(() => {
    stage = new Stage()
    fs.chmodSync(stage.directory, 0o777)
  })
  afterEach(() => stage.remove())

  it('runs a command where a bundle of an ordinary user is mounted', async () => {
    const layers = [{ 'etc/hostname': 'base' }, { 'etc/issue': 'top' }]
    makeBundle(stage.make('b'), { layers, xattrs: 'user', owner: user })
    const script = 'rm merged/etc/hostname; rm merged/etc/issue; mkdir merged/etc/issue; ls merged/etc; exit 3'
    const result = await ovl(['mount', '--userns', 'b', '--', 'sh', '-c', script], { cwd: stage.directory, uid: user })
    expect(result).to.deep.equal({ stdout: 'issue\n', stderr: '', status: 3, signal: null })
    expect(fs.readdirSync(stage.at('b/merged'))).to.deep.equal([])
    expect(fs.lstatSync(stage.at('b/upper/etc/hostname')).isCharacterDevice()).to.equal(true)
    const attribute = execFileSync(
      'getfattr',
      ['--only-values', '-n', 'user.overlay.opaque', stage.at('b/upper/etc/issue')],
      { stdio: 'pipe' },
    )
    expect(attribute.toString()).to.equal('y')
  })

  it('refuses layers whose marks a user namespace cannot see', async () => {
    makeBundle(stage.make('b'), { layers: [{ a: '' }], xattrs: 'trusted', opaques: 1, owner: user })
    const result = await ovl(['mount', '--userns', 'b', '--', 'true'], { cwd: stage.directory, uid: user })
    expect(result.stderr).to.match(
      /in a user namespace: its layers are marked with trusted\.\* attributes {3}\[OVL_NEEDS_TRUSTED_XATTRS\]/,
    )
    expect(result.status).to.equal(5)
  })

  it('mounts directories, and says what is wrong with them', async () => {
    fs.chownSync(stage.at('u'), user, user)
    fs.chownSync(stage.at('w'), user, user)
    const mounted = (more: string) =>
      ovl(['mount', '--userns', '-o', `${plain}${more}`, 'm', '--', 'sh', '-c', 'echo > m/new && ls m'], {
        cwd: stage.directory,
        uid: user,
      })
    expect(await mounted('')).to.include({ stdout: 'new\n', stderr: '', status: 0 })
    expect(fs.existsSync(stage.at('u/new'))).to.equal(true)
    const refused = await mounted(',redirect_dir=on')
    expect([refused.stdout, refused.status]).to.deep.equal(['', 2])
    expect(refused.stderr).to.match(/userxattr excludes redirect_dir=on {3}\[OVL_CONFLICTING_OPTIONS\]/)
  })

  it('takes odd names of directories, commands and arguments', () => {
    fs.chownSync(stage.at('u'), user, user)
    fs.chownSync(stage.at('w'), user, user)
    const script = [
      'n=$(printf "a\\351 \\047x\\ny"); mkdir "$n"; : > "$n/odd"',
      '"$0" "$1" mount --userns --lower "$n" --upper u --work w m -- sh -c \'ls m; printf %s "$1"\' sh "$n"',
    ].join('; ')
    const stdout = execFileSync('sh', ['-c', script, process.execPath, ovlPath], {
      cwd: stage.directory,
      uid: user,
      gid: user,
    })
    expect(stdout.toString('latin1')).to.equal("odd\na\xe9 'x\ny")
  })

  it('hints at itself when root is missing', async () => {
    const { stderr, status } = await run(`mount -o ${plain} m`, { uid: user })
    expect(stderr).to.match(
      /not permitted for uid 54321 {3}\[NEEDS_PRIVILEGE\]\n[^]*hint: without root: ovl mount --userns/,
    )
    expect(status).to.equal(5)
  })
})

function mountWith(options: string, name: string): void {
  execFileSync('mount', ['-i', '-t', 'overlay', 'overlay', '-o', options, stage.at(name)], {
    cwd: stage.directory,
    stdio: 'pipe',
  })
}

function canMakeNamespace(uid: number): boolean {
  try {
    execFileSync('unshare', ['--user', '--mount', 'true'], { uid, gid: uid, stdio: 'pipe' })
    return true
  } catch {
    return false // forbidden by a sysctl, a limit or a security module
  }
}
