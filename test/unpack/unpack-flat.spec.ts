import { expect } from 'chai'
import { copySync } from 'fs-extra/esm'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readBundle, userNamespace } from '../../src/bundle/index.ts'
import { isCode, OvlError, type Warning } from '../../src/errors/index.ts'
import { loadSystem, removeTree } from '../../src/host/index.ts'
import { openImage } from '../../src/image/index.ts'
import { unpackFlat, type UnpackOptions, type UnpackResult } from '../../src/unpack/index.ts'
import { listTree } from '../support/disk-tree.ts'
import { makeTar } from '../support/make-tar.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const fixtures = resolve('fixtures/images')
const hello = join(fixtures, 'hello.docker.tar')

describe('unpackFlat()', () => {
  let arena = ''
  let bundle = ''
  beforeEach(() => {
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-unpack-'))
    bundle = join(arena, 'bundle')
  })
  afterEach(async () => {
    await removeTree(arena)
  })

  const asCaller = userNamespace({
    rootless: !isRoot(),
    uidMap: [],
    gidMap: [],
    euid: process.geteuid?.() ?? 0,
    egid: process.getegid?.() ?? 0,
  })

  async function unpack(from = hello, options: UnpackOptions = {}): Promise<UnpackResult> {
    const image = await openImage(from, {})
    try {
      return await unpackFlat(image, bundle, { userNamespace: asCaller, ...options })
    } finally {
      image.close()
    }
  }

  it('writes a private bundle: config.json, ovl.json and the merged tree', async () => {
    const result = await unpack()
    expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
    expect(fs.statSync(bundle).mode & 0o7777).to.equal(0o700)
    const config = JSON.parse(fs.readFileSync(join(bundle, 'config.json'), 'utf8')) as { root: { path: string } }
    expect(config.root.path).to.equal('rootfs')
    const { state } = readBundle(bundle)
    expect(state.mode).to.equal('flat')
    expect(state.layers.map(({ diffID }) => diffID)).to.deep.equal(result.layers.map(({ diffID }) => diffID))
    expect(fs.readdirSync(join(bundle, 'rootfs')).filter(name => name.startsWith('.wh.'))).to.deep.equal([])
    expect(fs.existsSync(join(bundle, 'rootfs/bin/hello'))).to.equal(true)
  })

  it('gives the same tree from every form of the image', async () => {
    const trees: string[][] = []
    for (const name of [
      'hello.docker.tar',
      'hello.hybrid.tar',
      'hello.oci',
      'hello.oci.tar',
      'hello.zstd.oci.tar',
      'hello.mixed.docker.tar',
    ]) {
      await unpack(join(fixtures, name), { force: 'bundle' })
      trees.push(
        listTree(join(bundle, 'rootfs')).map(path => describePath(Buffer.from(`${bundle}/rootfs/${path}`, 'latin1'))),
      )
    }
    for (const tree of trees) expect(tree).to.deep.equal(trees[0])
  })

  it('leaves config.json out when asked', async () => {
    await unpack(hello, { noConfig: true })
    expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(['ovl.json', 'rootfs'])
  })

  it('keeps times to the nanosecond, before 1970 and after 2106', async () => {
    await unpack()
    if (loadSystem() === null) return
    expect(fs.statSync(join(bundle, 'rootfs/srv/before-1970'), { bigint: true }).mtimeNs < 0n).to.equal(true)
    expect(
      fs.statSync(join(bundle, 'rootfs/srv/after-2106'), { bigint: true }).mtimeNs / 1_000_000_000n > 4_294_967_296n,
    ).to.equal(true)
  })

  describe('the destination', () => {
    it('may be an empty directory', async () => {
      fs.mkdirSync(bundle)
      await unpack()
      expect(fs.readdirSync(arena)).to.deep.equal(['bundle'])
    })

    it('may be a symlink: the directory it points to is made', async () => {
      fs.symlinkSync('elsewhere', bundle)
      await unpack()
      expect(fs.readdirSync(join(arena, 'elsewhere'))).to.include('ovl.json')
    })

    it('is refused when it holds something, and stays as it is', async () => {
      fs.mkdirSync(bundle)
      fs.writeFileSync(join(bundle, 'mine'), 'precious')
      for (const force of ['no', 'bundle'] as const) {
        const error = await failure(unpack(hello, { force }))
        expect(error.code).to.equal('DEST_EXISTS')
        expect(error.hint).to.match(/--force=any/)
      }
      expect(fs.readdirSync(arena)).to.deep.equal(['bundle'])
      expect(fs.readdirSync(bundle)).to.deep.equal(['mine'])
      await unpack(hello, { force: 'any' })
      expect(fs.readdirSync(bundle)).to.not.include('mine')
    })

    it('is replaced by --force when it is a bundle, and not without', async () => {
      await unpack()
      fs.writeFileSync(join(bundle, 'rootfs/extra'), '')
      expect((await failure(unpack())).code).to.equal('DEST_EXISTS')
      await unpack(hello, { force: 'bundle' })
      expect(fs.existsSync(join(bundle, 'rootfs/extra'))).to.equal(false)
      expect(fs.readdirSync(arena)).to.deep.equal(['bundle'])
    })

    it('is refused when it is a file', async () => {
      fs.writeFileSync(bundle, 'x')
      expect((await failure(unpack(hello, { force: 'bundle' }))).code).to.equal('DEST_EXISTS')
      expect(fs.readFileSync(bundle, 'utf8')).to.equal('x')
    })

    it('is refused when something is made there meanwhile, and stays as it is', async () => {
      const error = await failure(
        unpack(hello, { onProgress: () => fs.mkdirSync(join(bundle, 'x'), { recursive: true }) }),
      )
      expect(error.code).to.equal('DEST_EXISTS')
      expect(fs.readdirSync(arena)).to.deep.equal(['bundle'])
      expect(fs.readdirSync(bundle)).to.deep.equal(['x'])
    })

    it('is refused when its parent directory does not exist', async () => {
      bundle = join(arena, 'no/such/bundle')
      expect((await failure(unpack())).code).to.equal('INPUT_NOT_FOUND')
    })

    it('may be a mount point', async function () {
      skipUnless(this, isRoot(), 'mounting needs root', { optional: true })
      fs.mkdirSync(bundle)
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'ovl-test', bundle]).status).to.equal(0)
      try {
        await unpack()
        expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
        expect(fs.statSync(bundle).mode & 0o7777).to.equal(0o700)
        await unpack(hello, { force: 'bundle' })
        expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
      } finally {
        spawnSync('umount', ['-l', bundle])
      }
    })

    it('may be a mount point in which a run was killed', async function () {
      skipUnless(this, isRoot(), 'mounting needs root', { optional: true })
      fs.mkdirSync(bundle)
      expect(spawnSync('mount', ['-t', 'tmpfs', 'ovl-test', bundle]).status).to.equal(0)
      const leftover = `.ovl-tmp-${spawnSync('sh', ['-c', 'echo $$']).stdout.toString().trim()}-abcd`
      try {
        fs.mkdirSync(join(bundle, leftover))
        const warnings: Warning[] = []
        await unpack(hello, { warn: warning => void warnings.push(warning) })
        expect(warnings.filter(({ code }) => code === 'LEFTOVER')).to.have.length(1)
        expect(fs.readdirSync(bundle).toSorted()).to.deep.equal([leftover, 'config.json', 'ovl.json', 'rootfs'])
        await unpack(hello, { force: 'bundle' })
        expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(['config.json', 'ovl.json', 'rootfs'])
        spawnSync('mount', ['-o', 'remount,ro', bundle])
        expect((await failure(unpack(hello, { force: 'bundle' }))).message).to.match(/\(tmpfs\) is read-only$/)
      } finally {
        spawnSync('umount', ['-l', bundle])
      }
    })

    it('does not pass on a setgid bit or a default ACL of its parent', async function () {
      skipUnless(this, isRoot() && loadSystem() !== null, 'chown needs root', { optional: true })
      fs.chownSync(arena, 0, 42)
      fs.chmodSync(arena, 0o2775)
      spawnSync('setfacl', ['-d', '-m', 'u:1234:rwx', arena])
      await unpack()
      const { mode, gid } = fs.statSync(join(bundle, 'rootfs/etc'))
      expect([mode & 0o7777, gid]).to.deep.equal([0o755, 0])
      expect(loadSystem()?.llistxattr(join(bundle, 'rootfs/etc'))).to.deep.equal([])
    })
  })

  describe('all or nothing', () => {
    it('leaves nothing when a layer is corrupt', async () => {
      const bad = join(arena, 'bad.tar')
      const bytes = fs.readFileSync(hello)
      const at = bytes.indexOf('root:x:0:0')
      bytes[at] = 0x52
      fs.writeFileSync(bad, bytes)
      const error = await failure(unpack(bad))
      expect(error.code).to.be.oneOf(['DIFF_ID_MISMATCH', 'DIGEST_MISMATCH'])
      expect(fs.readdirSync(arena)).to.deep.equal(['bad.tar'])
    })

    it('says that the digest is wrong, not that the tar is broken', async () => {
      const layout = join(arena, 'layout')
      copySync(join(fixtures, 'hello.oci'), layout)
      const image = await openImage(layout, {})
      const blob = image.layers[0]?.blob.location ?? ''
      image.close()
      const bytes = fs.readFileSync(blob)
      bytes.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 64)
      fs.chmodSync(blob, 0o644)
      fs.writeFileSync(blob, bytes)
      const error = await failure(unpack(layout))
      expect(error.code).to.equal('DIGEST_MISMATCH')
      expect(fs.readdirSync(arena)).to.deep.equal(['layout'])
    })

    it('says in which layer a tar entry is wrong', async () => {
      const bad = join(arena, 'bad.tar')
      const layers = [makeTar([{ type: 'file', name: 'a' }]), makeTar([{ type: 'file', name: '.wh..' }])]
      fs.writeFileSync(bad, dockerArchive(layers))
      const error = await failure(unpack(bad))
      expect(error.code).to.equal('BAD_WHITEOUT')
      expect(error.facts).to.deep.equal(['in layer 2 of 2'])
      expect(error.data['layer']).to.equal(2)
      fs.rmSync(bad)
    })

    it('leaves nothing when it is aborted', async () => {
      const controller = new AbortController()
      const error = await failure(unpack(hello, { signal: controller.signal, onProgress: () => controller.abort() }))
      expect(error.code).to.equal('INTERRUPTED')
      expect(error.message).to.match(/^interrupted while unpacking layer \d of 4; removed bundle\.ovl-tmp-/)
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })

    it('leaves nothing on a full disk, and says how much is missing', async function () {
      skipUnless(this, isRoot(), 'mounting needs root', { optional: true })
      spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40k', 'ovl-test', arena])
      try {
        const error = await failure(unpack())
        expect(error.code).to.equal('NO_SPACE')
        expect(error.message).to.match(/tmpfs, 40 KiB; \d+ KiB more needed/)
        expect(fs.readdirSync(arena)).to.deep.equal([])
      } finally {
        spawnSync('umount', ['-l', arena])
      }
    })

    it('names what a killed run has left, and removes it with --force', async () => {
      const gone = spawnSync('sh', ['-c', 'echo $$']).stdout.toString().trim()
      const leftover = `${bundle}.ovl-tmp-${gone}-abcd`
      fs.mkdirSync(leftover)
      const warnings: Warning[] = []
      await unpack(hello, { warn: warning => void warnings.push(warning) })
      expect(warnings.filter(({ code }) => code === 'LEFTOVER').map(({ path }) => path)).to.deep.equal([leftover])
      await unpack(hello, { force: 'bundle' })
      expect(fs.readdirSync(arena)).to.deep.equal(['bundle'])
    })

    it('leaves the workspace of a living process alone', async () => {
      const living = `${bundle}.ovl-tmp-${process.ppid}-abcd`
      fs.mkdirSync(living)
      await unpack(hello, { force: 'any' })
      expect(fs.existsSync(living)).to.equal(true)
    })
  })

  describe('owners', () => {
    it('are recorded, not set, with --rootless', async () => {
      const rootless = userNamespace({
        rootless: true,
        uidMap: [],
        gidMap: [],
        euid: process.geteuid?.() ?? 0,
        egid: process.getegid?.() ?? 0,
      })
      await unpack(hello, { userNamespace: rootless })
      const { notKept } = readBundle(bundle).state
      const home = notKept.owners.find(({ path }) => path === 'home/ada')
      expect(home?.uid).to.be.greaterThan(0)
      expect(fs.statSync(join(bundle, 'rootfs/home/ada')).uid).to.equal(process.geteuid?.())
      const recorded = loadSystem()?.lgetxattr(join(bundle, 'rootfs/home/ada'), 'user.containers.override_stat')
      if (recorded !== undefined)
        expect(Buffer.from(recorded).toString()).to.match(new RegExp(`^${home?.uid}:${home?.gid}:0`))
    })

    it('are mapped by --uid-map and --gid-map', async function () {
      skipUnless(this, isRoot(), 'chown needs root', { optional: true })
      const mapped = userNamespace({
        rootless: false,
        uidMap: ['0:100000:65536'],
        gidMap: ['0:200000:65536'],
        euid: 0,
        egid: 0,
      })
      await unpack(hello, { userNamespace: mapped })
      const { uid, gid } = fs.statSync(join(bundle, 'rootfs/etc/passwd'))
      expect([uid, gid]).to.deep.equal([100_000, 200_000])
    })

    it('outside of every mapping are an error that names the file', async function () {
      skipUnless(this, isRoot(), 'chown needs root', { optional: true })
      const narrow = userNamespace({
        rootless: false,
        uidMap: ['0:100000:1'],
        gidMap: ['0:200000:1'],
        euid: 0,
        egid: 0,
      })
      const error = await failure(unpack(hello, { userNamespace: narrow }))
      expect(isCode(error, 'BAD_ENTRY')).to.equal(true)
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })
  })
})

/** A docker-archive of uncompressed layers, without tags. */
function dockerArchive(layers: readonly Buffer[]): Buffer {
  const diffIDs = layers.map(layer => `sha256:${createHash('sha256').update(layer).digest('hex')}`)
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: diffIDs } })
  const manifest = JSON.stringify([{ Config: 'config.json', RepoTags: [], Layers: layers.map((_, i) => `${i}.tar`) }])
  return makeTar([
    { type: 'file', name: 'manifest.json', content: manifest },
    { type: 'file', name: 'config.json', content: config },
    ...layers.map((layer, i) => ({ type: 'file', name: `${i}.tar`, content_b64: layer.toString('base64') })),
  ])
}

async function failure(promise: Promise<unknown>): Promise<OvlError> {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  )
  if (error instanceof OvlError) return error
  throw error
}

function describePath(full: Buffer): string {
  const { mode, uid, gid, size, mtimeNs, nlink } = fs.lstatSync(full, { bigint: true })
  const isDirectory = (mode & 0o170000n) === 0o040000n
  return `${full.toString('latin1')} ${mode.toString(8)} ${uid}:${gid} ${isDirectory ? '' : size} ${mtimeNs} ${isDirectory ? '' : nlink}`
}
