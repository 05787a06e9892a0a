// Bundles that really start: config.json in the hands of runc, as root and as an ordinary user. The rootfs is made
// here from the program of the sample images, so that nothing but this room is tested.

import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import * as os from 'node:os'
import * as path from 'node:path'
import { helloProgram } from '../../fixtures/hello-program.ts'
import {
  createRuntimeConfig,
  formatDocument,
  hostResolvConf,
  hostRootfs,
  type UserNamespace,
  userNamespace,
} from '../../src/bundle/index.ts'
import { hasTool, isRoot, skipUnless } from '../support/probe.ts'
import { imageConfig } from './image-config.ts'

type Caller = { readonly uid: number; readonly gid: number }

/** Neither root nor anybody who has an account on the machine. */
const ordinary: Caller = { uid: 54_321, gid: 54_321 }
const none = { rootless: false, uidMap: [], gidMap: [] }

describe('runc run', () => {
  let top: string

  before(function () {
    skipUnless(this, hasTool('runc'), 'runc is not installed')
    skipUnless(this, process.arch === 'x64' || process.arch === 'arm64', 'the sample program has no such machine')
    top = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-runc-'))
    fs.chmodSync(top, 0o711)
  })
  after(() => {
    if (top !== undefined) fs.rmSync(top, { recursive: true, force: true })
  })

  describe('as root', () => {
    before(function () {
      skipUnless(this, isRoot(), 'not root')
      skipUnless(this, canUnshare('--mount', null), 'this root may not mount', { optional: true })
    })

    const users: readonly [string, string][] = [
      ['', 'Hello, world! I am user 0 on ovl'],
      ['ada', 'Hello, world! I am user 1000 on ovl'],
      ['ada:staff', 'Hello, world! I am user 1000 on ovl'],
      ['4711:4711', 'Hello, world! I am user 4711 on ovl'],
    ]
    for (const [user, greeting] of users) {
      it(`starts a bundle of an image with user "${user}"`, () => {
        const bundle = makeBundle(top, { user, namespace: null })
        expect(runc(bundle, null)).to.equal(`${greeting}, put together from layers.\n`)
      })
    }

    it('starts a bundle whose ids are mapped', function () {
      skipUnless(this, canUnshare('--user', null), 'no user namespaces here', { optional: true })
      const map = ['0:200000:65536']
      const namespace = userNamespace({ ...none, uidMap: map, gidMap: map, euid: 0, egid: 0 })
      const bundle = makeBundle(top, { user: 'ada', namespace, owner: { uid: 200_000, gid: 200_000 } })
      expect(runc(bundle, null)).to.match(/I am user 1000 on ovl/)
    })
  })

  describe('as an ordinary user', () => {
    const caller = isRoot() ? ordinary : null
    const ids = caller ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }

    before(function () {
      skipUnless(this, canUnshare('--user', caller), 'no user namespaces for ordinary users here', { optional: true })
    })

    for (const user of ['', 'ada']) {
      it(`starts a rootless bundle of an image with user "${user}"`, () => {
        const namespace = userNamespace({ ...none, rootless: true, euid: ids.uid, egid: ids.gid })
        const bundle = makeBundle(top, { user, namespace, owner: ids })
        expect(runc(bundle, caller)).to.equal('Hello, world! I am user 0 on ovl, put together from layers.\n')
      })
    }
  })
})

type BundleOptions = {
  readonly user: string
  readonly namespace: UserNamespace | null
  /** Who the rootfs belongs to; root when left out. */
  readonly owner?: Caller
}

/** A bundle with the sample program, accounts, and two volumes: one with content, one that does not exist. */
function makeBundle(top: string, { user, namespace, owner }: BundleOptions): string {
  const bundle = fs.mkdtempSync(path.join(top, 'bundle-'))
  const rootfs = path.join(bundle, 'rootfs')
  for (const name of ['bin', 'etc', 'srv', 'var/data']) fs.mkdirSync(path.join(rootfs, name), { recursive: true })
  fs.writeFileSync(path.join(rootfs, 'bin/hello'), helloProgram(process.arch === 'x64' ? 'amd64' : 'arm64'), {
    mode: 0o755,
  })
  fs.writeFileSync(path.join(rootfs, 'etc/passwd'), 'root:x:0:0::/root:\nada:x:1000:1000::/home/ada:\n')
  fs.writeFileSync(path.join(rootfs, 'etc/group'), 'root:x:0:\nada:x:1000:\nstaff:x:50:ada\n')
  fs.writeFileSync(path.join(rootfs, 'var/data/file'), 'content')
  if (isRoot()) chownAll(bundle, owner ?? { uid: 0, gid: 0 })
  if (namespace !== null && !namespace.rootless) fs.chmodSync(bundle, 0o711)
  const image = imageConfig({
    User: user,
    Entrypoint: ['/bin/hello'],
    WorkingDir: '/srv',
    Volumes: { '/var/data': {}, '/var/other dir': {} },
  })
  const config = createRuntimeConfig(image, {
    rootPath: 'rootfs',
    rootfs: hostRootfs(rootfs),
    userNamespace: namespace,
    hostMounts: namespace?.rootless === true ? hostResolvConf() : [],
  })
  fs.writeFileSync(path.join(bundle, 'config.json'), formatDocument(config))
  return bundle
}

function runc(bundle: string, caller: Caller | null): string {
  const state = fs.mkdtempSync(path.join(path.dirname(bundle), 'state-'))
  if (caller !== null) fs.chownSync(state, caller.uid, caller.gid)
  const args = ['--root', state, 'run', '--bundle', bundle, path.basename(bundle)]
  const { status, stdout, stderr } = spawnSync('runc', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: bundle,
    env: { PATH: process.env['PATH'] ?? '', HOME: state, XDG_RUNTIME_DIR: state },
    ...caller,
  })
  expect([status, stderr]).to.deep.equal([0, ''])
  return stdout
}

/** Tries the namespace that a runtime needs first. */
function canUnshare(kind: '--user' | '--mount', caller: Caller | null): boolean {
  return spawnSync('unshare', [kind, 'true'], { stdio: 'ignore', cwd: '/', ...caller }).status === 0
}

function chownAll(directory: string, { uid, gid }: Caller): void {
  fs.lchownSync(directory, uid, gid)
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    fs.lchownSync(path.join(entry.parentPath, entry.name), uid, gid)
  }
}
