import { expect } from 'chai'
import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import { OvlError } from '../../src/errors/index.ts'
import { hostPath, readMounts } from '../../src/host/index.ts'
import {
  mountCommand,
  type MountedOverlay,
  type MountMethod,
  mountOverlay,
  type MountPlan,
  preflight,
  readOptions,
  unmountOverlay,
} from '../../src/mount/index.ts'
import { noOptions, type OverlayOptions } from '../../src/overlay/index.ts'
import { hasTool, skipUnless } from '../support/probe.ts'
import { needsOverlayMounts, Stage } from '../support/overlay-stage.ts'

const methods: readonly MountMethod[] = ['descriptors', 'names', 'string', 'program']

const oddNames: readonly string[] = [
  'plain',
  'with space',
  'a:b',
  ':',
  'a,b',
  ',',
  'back\\slash',
  'trailing\\',
  '\\:',
  'a=b',
  'quo"te',
  "apo'strophe",
  'new\nline',
  'tab\there',
  'caf\u00e9',
  'caf\udce9',
  '#1',
  '$HOME`x`',
  '-o',
  'n'.repeat(255),
]

describe('mountOverlay()', function () {
  before(needsOverlayMounts)

  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  for (const method of methods) {
    describe(`by ${method}`, () => {
      it('mounts names of any bytes, and the layers in their order', () => {
        const lower = oddNames.map((name, i) => makeLayer(stage, name, `${i}`))
        const [upper, work] = [makeLayer(stage, 'up,:\\\udcff"', 'upper'), makeLayer(stage, 'wo,:\\\udcff"', 'work')]
        const mounted = mount(stage, { ...noOptions, lower, upper, work }, method)
        expect(mounted).to.include({ method, isReadOnly: false, mountPoint: stage.at('m') })
        expect(fs.readdirSync(stage.at('m'))).to.have.members(['all', 'upper', ...oddNames.map((_, i) => `${i}`)])
        expect(fs.readFileSync(stage.at('m/all'), 'utf8')).to.equal('upper')
        fs.rmSync(stage.at('m/all'))
        expect(fs.lstatSync(hostPath(`${upper}/all`)).isCharacterDevice()).to.equal(true)
      })

      it('mounts 500 layers with long names', () => {
        const parent = 'd'.repeat(200)
        const lower = Array.from({ length: 500 }, (_, i) =>
          makeLayer(stage, `${parent}/${'e'.repeat(60)}-${i}`, `${i}`),
        )
        mount(stage, { ...noOptions, lower }, method)
        expect(fs.readdirSync(stage.at('m'))).to.have.length(501)
        expect(fs.readFileSync(stage.at('m/all'), 'utf8')).to.equal('0')
      })

      it('passes settings, data-only layers and the words of every file system on', () => {
        const text =
          'lowerdir=$l1::$l2,upperdir=$u,workdir=$w,metacopy=on,index=on,default_permissions,override_creds,nosuid,nodev,noatime,ro'
        const { mount: shown } = mount(stage, readOptions(stage.fill(text), null), method)
        expect(shown?.options).to.include.members(['ro', 'nosuid', 'nodev', 'noatime'])
        expect(shown?.superOptions).to.include.members([
          'ro',
          'redirect_dir=on',
          'metacopy=on',
          'index=on',
          'default_permissions',
        ])
      })

      it('quotes the kernel when it refuses what the preflight let pass', function () {
        const plan = preflight(readOptions(stage.options(), null), stage.at('m'))
        const forged: MountPlan = { ...plan, options: { ...plan.options, settings: { index: 'perhaps' as 'on' } } }
        const error = errorOf(() => mountOverlay(forged, { methods: [method] }))
        plan.close()
        expect(error.code).to.equal('OVL_MOUNT_FAILED')
        expect(error.message).to.match(/^Cannot mount overlay on \S+: /)
        if (method !== 'program') expect(error.facts.join()).to.contain("Bad value for 'index'")
        expect(isMounted(stage.at('m'))).to.equal(false)
      })
    })
  }

  it('tries one method after the other', () => {
    const plan = preflight(readOptions(stage.options(), null), stage.at('m'))
    const error = errorOf(() => mountOverlay(plan, { methods: [] }))
    plan.close()
    expect(error.code).to.equal('UNSUPPORTED')
  })

  it('says why the kernel mounted read-only', () => {
    fs.mkdirSync(stage.at('w/work/d/e/f'), { recursive: true })
    const { isReadOnly, notes } = mount(stage, readOptions(stage.options(), null), 'descriptors')
    expect(isReadOnly).to.equal(true)
    expect(notes.map(({ message }) => message).join()).to.match(
      /mounted read-only: failed to create directory .*read-only/,
    )
  })

  it('passes on what the kernel warns of', () => {
    // Given by a relative name, the upperdir of the other mount cannot be found in mountinfo.
    execFileSync(
      'mount',
      ['-i', '-t', 'overlay', 'overlay', '-o', 'lowerdir=l2,upperdir=u,workdir=w', stage.at('m2')],
      {
        cwd: stage.directory,
      },
    )
    const { notes } = mount(stage, readOptions(stage.fill('lowerdir=$l1,upperdir=$u,workdir=$w'), null), 'descriptors')
    const warnings = notes.filter(({ about }) => about === 'kernel').map(({ message }) => message)
    expect(warnings.join()).to.contain('upperdir is in-use as upperdir/workdir of another mount')
  })

  it('names the code of a reason that only the kernel can find', function () {
    skipUnless(this, hasTool('fuse-overlayfs') && fs.existsSync('/dev/fuse'), 'no fuse-overlayfs')
    execFileSync('fuse-overlayfs', ['-o', stage.fill('lowerdir=$l1,upperdir=$u,workdir=$w'), stage.at('m2')], {
      stdio: 'pipe',
    })
    stage.make('m2/u')
    stage.make('m2/w')
    const options = readOptions(stage.fill('lowerdir=$l2,upperdir=$m2/u,workdir=$m2/w'), null)
    const error = errorOf(() => mount(stage, options, 'descriptors'))
    expect([error.code, error.message]).to.deep.equal([
      'OVL_UPPER_REMOTE',
      `Cannot mount overlay on ${stage.at('m')}: upper fs missing required features.`,
    ])
  })

  it('refuses 501 layers', () => {
    const lower = Array.from({ length: 501 }, (_, i) => stage.at(`layer-${i}`))
    const error = errorOf(() => preflight({ ...noOptions, lower }, stage.at('m')))
    expect([error.code, error.data['limit']]).to.deep.equal(['OVL_TOO_MANY_LAYERS', 500])
  })

  it('says so when mount(2) alone could not take the options', () => {
    const text = `lowerdir=$l1:$l2,${'context=x,'.repeat(500)}`
    const plan = preflight(readOptions(stage.fill('lowerdir=$l1:$l2'), null), stage.at('m'))
    const forged = { ...plan, options: { ...plan.options, security: readOptions(stage.fill(text), null).security } }
    const error = errorOf(() => mountOverlay(forged, { methods: ['string'] }))
    plan.close()
    expect(error.code).to.equal('OVL_OPTIONS_TOO_LONG')
  })
})

describe('mountCommand()', () => {
  before(needsOverlayMounts)

  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  it('is a command that mounts the same', function () {
    skipUnless(this, hasTool('bash'), 'needs bash')
    const names = oddNames.filter(name => !name.includes('"') && name.length < 100)
    const lower = names.map((name, i) => makeLayer(stage, name, `${i}`))
    const options = { ...noOptions, lower, upper: stage.at('u'), work: stage.at('w'), generic: ['nosuid' as const] }
    const plan = preflight(options, stage.at('m'))
    plan.close()
    execFileSync('bash', ['-c', mountCommand(plan) ?? 'false'], { stdio: 'pipe' })
    expect(fs.readdirSync(stage.at('m'))).to.have.members(['all', ...names.map((_, i) => `${i}`)])
    expect(readMounts().find(({ mountPoint }) => mountPoint === stage.at('m'))?.options).to.include('nosuid')
  })

  it('goes to the layers when their names are too long together', () => {
    const lower = Array.from({ length: 100 }, (_, i) => makeLayer(stage, `${'d'.repeat(100)}/${i}`, `${i}`))
    const plan = preflight({ ...noOptions, lower }, stage.at('m'))
    plan.close()
    const command = mountCommand(plan) ?? ''
    expect(command).to.match(/^cd \S+ && mount -t overlay overlay -o lowerdir=0:1:2:/)
    execFileSync('sh', ['-c', command], { stdio: 'pipe' })
    expect(fs.readdirSync(stage.at('m'))).to.have.length(101)
  })

  it('is null where no string is short enough', () => {
    const lower = Array.from({ length: 100 }, (_, i) => makeLayer(stage, `${'d'.repeat(100)}-${i}`, `${i}`))
    const plan = preflight({ ...noOptions, lower }, stage.at('m'))
    plan.close()
    expect(mountCommand(plan)).to.equal(null)
  })
})

describe('unmountOverlay()', () => {
  before(needsOverlayMounts)

  let stage: Stage
  beforeEach(() => {
    stage = new Stage()
  })
  afterEach(() => stage.remove())

  const mountPlain = (): MountedOverlay => mount(stage, readOptions(stage.options(), null), 'descriptors')

  it('unmounts, and says nothing the second time', () => {
    mountPlain()
    expect(unmountOverlay(stage.at('m')).mounts).to.have.length(1)
    expect(isMounted(stage.at('m'))).to.equal(false)
    expect(unmountOverlay(stage.at('m'))).to.deep.equal({ mountPoint: stage.at('m'), mounts: [] })
  })

  it('finds the mount through a symlink', () => {
    mountPlain()
    fs.symlinkSync('m', stage.at('link'))
    expect(unmountOverlay(stage.at('link')).mountPoint).to.equal(stage.at('m'))
    expect(isMounted(stage.at('m'))).to.equal(false)
  })

  it('finds all mounts of a bundle', () => {
    fs.mkdirSync(stage.at('b/merged'), { recursive: true })
    fs.writeFileSync(stage.at('b/ovl.json'), '{}')
    for (let i = 0; i < 2; i++) {
      const plan = preflight(readOptions(stage.options(), null), stage.at('b/merged'))
      mountOverlay(plan)
      plan.close()
    }
    expect(unmountOverlay(stage.at('b')).mounts).to.have.length(2)
    expect(unmountOverlay(stage.at('b'))).to.deep.equal({ mountPoint: stage.at('b/merged'), mounts: [] })
  })

  it('names who keeps it busy, and lets go of it with lazy', async () => {
    mountPlain()
    const child = spawn('sleep', ['60'], { cwd: stage.at('m'), stdio: 'ignore' })
    await new Promise(resolve => child.once('spawn', resolve))
    const error = errorOf(() => unmountOverlay(stage.at('m')))
    expect([error.code, error.facts]).to.deep.equal([
      'OVL_BUSY',
      [`process ${child.pid} (sleep) uses ${stage.at('m')}`],
    ])
    expect(unmountOverlay(stage.at('m'), { lazy: true }).mounts).to.have.length(1)
    expect(isMounted(stage.at('m'))).to.equal(false)
    child.kill()
  })

  it('leaves other file systems alone', () => {
    stage.mount('-t', 'tmpfs', 'tmpfs', 'm')
    expect(errorOf(() => unmountOverlay(stage.at('m'))).code).to.equal('OVL_NOT_AN_OVERLAY')
    expect(isMounted(stage.at('m'))).to.equal(true)
  })

  it('refuses a directory that does not exist', () => {
    expect(errorOf(() => unmountOverlay(stage.at('none'))).code).to.equal('INPUT_NOT_FOUND')
  })
})

/** A directory with a file of its own and one that says which layer is on top. */
function makeLayer(stage: Stage, name: string, mark: string): string {
  const directory = `${stage.directory}/names/${name}`
  fs.mkdirSync(hostPath(directory), { recursive: true })
  if (mark === 'work') return directory
  fs.writeFileSync(hostPath(`${directory}/${mark}`), '')
  fs.writeFileSync(hostPath(`${directory}/all`), mark)
  return directory
}

function mount(stage: Stage, options: OverlayOptions, method: MountMethod): MountedOverlay {
  const plan = preflight(options, stage.at('m'))
  try {
    return mountOverlay(plan, { methods: [method] })
  } finally {
    plan.close()
  }
}

function isMounted(mountPoint: string): boolean {
  return readMounts().some(each => each.mountPoint === mountPoint)
}

function errorOf(action: () => unknown): OvlError {
  try {
    action()
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
  throw new Error('Nothing was thrown')
}
