import { expect } from 'chai'
import {
  createRuntimeConfig,
  type RuntimeConfig,
  type RuntimeConfigOptions,
  type UserNamespace,
} from '../../src/bundle/index.ts'
import { OvlError, type Warning } from '../../src/errors/index.ts'
import { encodeName } from '../../src/path/index.ts'
import { imageConfig } from './image-config.ts'
import { memoryRootfs } from './memory-rootfs.ts'

const rootless: UserNamespace = {
  uidMappings: [{ containerID: 0, hostID: 1000, size: 1 }],
  gidMappings: [{ containerID: 0, hostID: 100, size: 1 }],
  rootless: true,
}

const wide: UserNamespace = {
  uidMappings: [{ containerID: 0, hostID: 100_000, size: 65_536 }],
  gidMappings: [{ containerID: 0, hostID: 200_000, size: 65_536 }],
  rootless: false,
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

describe('createRuntimeConfig()', () => {
  it('puts Entrypoint before Cmd', () => {
    expect(convert({ Entrypoint: ['/a', 'b c'], Cmd: ['d'] }).config.process.args).to.deep.equal(['/a', 'b c', 'd'])
    expect(convert({ Cmd: ['d'] }).config.process.args).to.deep.equal(['d'])
  })

  it('starts a shell when the image names no program, and says so', () => {
    const { config, warnings } = convert({ Cmd: [] })
    expect(config.process.args).to.deep.equal(['sh'])
    expect(warnings.map(({ code }) => code)).to.deep.equal(['IMAGE_DOCUMENT'])
  })

  const environments: readonly [string, readonly string[], readonly string[]][] = [
    ['has defaults', [], [path, 'TERM=xterm', 'HOME=/root']],
    ['keeps what the image says', ['A=1', 'B='], [path, 'TERM=xterm', 'A=1', 'B=', 'HOME=/root']],
    ['lets the image win', ['TERM=dumb', 'PATH=/x'], ['PATH=/x', 'TERM=dumb', 'HOME=/root']],
    ['takes the last of a name', ['A=1', 'B=2', 'A=3=4'], [path, 'TERM=xterm', 'A=3=4', 'B=2', 'HOME=/root']],
    ['keeps HOME of the image', ['HOME='], [path, 'TERM=xterm', 'HOME=']],
  ]
  for (const [title, env, want] of environments) {
    it(`${title} in the environment`, () => {
      expect(convert({ Env: env, Cmd: ['x'] }).config.process.env).to.deep.equal(want)
    })
  }

  it('leaves HOME to the runtime when JSON cannot hold it', () => {
    const latin1 = encodeName('root:x:0:0::/r\udce9:')
    const { config } = convert({ Cmd: ['x'] }, { rootfs: memoryRootfs({ 'etc/passwd': latin1 }) })
    expect(config.process.env.join()).not.to.include('HOME')
  })

  const refused: readonly [string, object, string, string][] = [
    ['Env without "="', { Env: ['A'] }, 'BAD_DOCUMENT', 'Cannot use Env of the image config: entry "A" has no "="'],
    ['Env without name', { Env: ['=a'] }, 'BAD_DOCUMENT', 'Cannot use Env of the image config: entry "=a" has no name'],
    ['NUL in Cmd', { Cmd: ['a\0b'] }, 'BAD_DOCUMENT', 'Cannot use the image config: "a\\x00b" holds a NUL byte'],
    ['NUL in Env', { Env: ['a=\0'] }, 'BAD_DOCUMENT', 'Cannot use the image config: "a=\\x00" holds a NUL byte'],
    [
      'NUL in a volume',
      { Volumes: { '/\0': {} } },
      'BAD_DOCUMENT',
      'Cannot use the image config: "/\\x00" holds a NUL byte',
    ],
    [
      'an unknown user',
      { User: 'x' },
      'BAD_USER',
      'Cannot use user "x" of the image config: /etc/passwd in the image has no such user',
    ],
  ]
  for (const [title, process, code, message] of refused) {
    it(`refuses ${title}`, () => expect(refusal(process)).to.include({ code, message }))
  }

  it('refuses an image of another operating system', () => {
    const error = refusal({}, { os: 'windows', architecture: 'amd64' })
    expect(error).to.include({
      code: 'UNSUPPORTED',
      message: 'Cannot make a bundle of a windows/amd64 image: only Linux images run on Linux',
    })
    expect(error.exitStatus).to.equal(5)
  })

  it('has the working directory of the image, / when it has none', () => {
    expect(convert({ Cmd: ['x'], WorkingDir: '/a/../b' }).config.process.cwd).to.equal('/a/../b')
    expect(convert({ Cmd: ['x'] }).config.process.cwd).to.equal('/')
    const { config, warnings } = convert({ Cmd: ['x'], WorkingDir: 'srv' })
    expect([config.process.cwd, warnings.length]).to.deep.equal(['/srv', 1])
  })

  it('annotates what the image says, labels winning', () => {
    const { config } = convert(
      {
        StopSignal: 'SIGQUIT',
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        Labels: { 'org.opencontainers.image.author': 'label', z: '', '': 'no key' },
        Cmd: ['x'],
      },
      {},
      { author: 'field', created: '2024-01-01T00:00:00Z', 'os.version': '5', 'os.features': ['a', 'b'], variant: 'v2' },
    )
    expect(config.annotations).to.deep.equal({
      'org.opencontainers.image.architecture': 'amd64',
      'org.opencontainers.image.author': 'label',
      'org.opencontainers.image.created': '2024-01-01T00:00:00Z',
      'org.opencontainers.image.exposedPorts': '53/udp,80/tcp',
      'org.opencontainers.image.os': 'linux',
      'org.opencontainers.image.os.features': 'a,b',
      'org.opencontainers.image.os.version': '5',
      'org.opencontainers.image.stopSignal': 'SIGQUIT',
      'org.opencontainers.image.variant': 'v2',
      z: '',
    })
  })

  it('has a terminal, a host name and a root as the caller says', () => {
    const { config } = convert({ Cmd: ['x'] }, { terminal: true, hostname: 'box', rootPath: 'merged' })
    expect([config.process.terminal, config.hostname, config.root]).to.deep.equal([true, 'box', { path: 'merged' }])
    expect(convert({ Cmd: ['x'] }).config.process.terminal).to.equal(false)
  })
})

describe('createRuntimeConfig() with a user namespace', () => {
  it('needs no privilege with --rootless', () => {
    const { config } = convert({ Cmd: ['x'], Volumes: { '/data': {} } }, { userNamespace: rootless })
    expect(config.linux.namespaces.map(({ type }) => type)).to.deep.equal(['pid', 'ipc', 'uts', 'mount', 'user'])
    expect(config.linux).to.include({ uidMappings: rootless.uidMappings, gidMappings: rootless.gidMappings })
    expect(config.linux).not.to.have.property('resources')
    expect(config.process.user).to.deep.equal({ uid: 0, gid: 0 })
    expect(config.mounts.find(({ destination }) => destination === '/sys')?.options).to.include('rbind')
    const options = config.mounts.flatMap(mount => mount.options ?? [])
    expect(options.filter(option => /^[ug]id=/.test(option))).to.deep.equal([])
  })

  it('runs as root of the container when the user has no id on the host, and says so', () => {
    const { config, warnings } = convert({ Cmd: ['x'], User: 'ada:staff' }, { userNamespace: rootless })
    expect(config.process.user).to.deep.equal({ uid: 0, gid: 0 })
    expect(config.process.env).to.include('HOME=/home/ada')
    expect(warnings.map(({ code, message }) => `${code} ${message}`)).to.deep.equal([
      'CONFIG_USER user 1000:50 of the image has no ids on this host: ' +
        'the container runs as 0:0 (--uid-map and --gid-map map more)',
    ])
  })

  it('keeps user, groups and resources when root maps many ids', () => {
    const { config, warnings } = convert({ Cmd: ['x'], User: 'ada' }, { userNamespace: wide })
    expect(config.process.user).to.deep.equal({ uid: 1000, gid: 1000, additionalGids: [50] })
    expect(config.linux.namespaces.map(({ type }) => type)).to.include.members(['network', 'cgroup', 'user'])
    expect(config.linux).to.have.property('resources')
    expect(config.mounts.find(({ destination }) => destination === '/dev/pts')?.options).to.include('gid=5')
    expect(warnings).to.deep.equal([])
  })

  it('leaves the group of terminals out where it is not mapped', () => {
    const narrow = { ...wide, gidMappings: [{ containerID: 0, hostID: 0, size: 5 }] }
    const { config } = convert({ Cmd: ['x'] }, { userNamespace: narrow })
    expect(config.mounts.find(({ destination }) => destination === '/dev/pts')?.options).not.to.include('gid=5')
  })
})

describe('volumes in config.json', () => {
  const plain = ['rw', 'nosuid', 'nodev', 'noexec', 'relatime']
  const seeded = memoryRootfs({
    'etc/passwd': 'root:x:0:0::/root:',
    'srv/data': { kind: 'directory', uid: 70, gid: 71 },
    'srv/data/file': 'content',
    'srv/empty': { kind: 'directory', uid: 100_070, gid: 200_071 },
    'srv/file': 'text',
    'var/link': { link: '/srv/data' },
  })
  const mounts: readonly [string, string, readonly string[], UserNamespace | null][] = [
    ['/nowhere', '/nowhere', [], null],
    ['/srv/data', '/srv/data', ['uid=70', 'gid=71', 'tmpcopyup'], null],
    ['srv//./x/../data/', '/srv/data', ['uid=70', 'gid=71', 'tmpcopyup'], null],
    ['/../../srv/data', '/srv/data', ['uid=70', 'gid=71', 'tmpcopyup'], null],
    ['/var/link', '/var/link', ['uid=70', 'gid=71', 'tmpcopyup'], null],
    ['/srv/file', '/srv/file', [], null],
    ['/srv/empty', '/srv/empty', ['uid=70', 'gid=71'], wide],
    ['/srv/data', '/srv/data', ['tmpcopyup'], rootless],
    ['/dev/shm/inner', '/dev/shm/inner', [], null],
  ]
  for (const [volume, destination, seed, userNamespace] of mounts) {
    it(`mounts ${volume} at ${destination} with ${seed.join(' ') || 'nothing more'}`, () => {
      const { config, warnings } = convert({ Cmd: ['x'], Volumes: { [volume]: {} } }, { rootfs: seeded, userNamespace })
      const options = [...plain, ...seed]
      expect(config.mounts.at(-1)).to.deep.equal({ destination, type: 'tmpfs', source: 'none', options })
      expect(warnings).to.deep.equal([])
    })
  }

  for (const volume of ['/', '', '..', '/proc', '/proc/sys/x', '/sys', '/sys/fs', '/dev', '/dev/shm']) {
    it(`leaves ${JSON.stringify(volume)} out, with a warning`, () => {
      const { config, warnings } = convert({ Cmd: ['x'], Volumes: { [volume]: {} } })
      expect(config.mounts.filter(({ source }) => source === 'none')).to.deep.equal([])
      expect(warnings.map(({ code }) => code)).to.deep.equal(['IMAGE_DOCUMENT'])
    })
  }

  it('mounts outer volumes before inner ones, each once', () => {
    const { config } = convert({ Cmd: ['x'], Volumes: { '/a/b': {}, '/a': {}, '/a/': {} } })
    const volumes = config.mounts.filter(({ source }) => source === 'none')
    expect(volumes.map(({ destination }) => destination)).to.deep.equal(['/a', '/a/b'])
  })
})

function convert(process: object, options: Partial<RuntimeConfigOptions> = {}, top: object = {}) {
  const warnings: Warning[] = []
  const rootfs = memoryRootfs({
    'etc/passwd': 'root:x:0:0::/root:\nada:x:1000:1000::/home/ada:',
    'etc/group': 'staff:x:50:ada',
  })
  const config: RuntimeConfig = createRuntimeConfig(imageConfig(process, top), {
    rootPath: 'rootfs',
    rootfs,
    warn: warning => warnings.push(warning),
    ...options,
  })
  return { config, warnings }
}

function refusal(process: object, top: object = {}): OvlError {
  try {
    convert(process, {}, top)
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
  throw new Error('the image config was accepted')
}
