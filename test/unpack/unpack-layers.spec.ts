import { expect } from 'chai'
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { readBundle, userNamespace } from '../../src/bundle/index.ts'
import { isCode, OvlError, type Warning } from '../../src/errors/index.ts'
import { loadSystem, removeTree } from '../../src/host/index.ts'
import { type Image, openImage } from '../../src/image/index.ts'
import { unpackFlat, unpackLayers, type UnpackLayersOptions, type UnpackResult } from '../../src/unpack/index.ts'
import { listTree as listPaths } from '../support/disk-tree.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { memoryImage } from '../support/memory-image.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

const file = (name: string, more: Partial<TarCaseEntry> = {}): TarCaseEntry => ({ type: 'file', name, ...more })
const dir = (name: string, more: Partial<TarCaseEntry> = {}): TarCaseEntry => ({ type: 'dir', name, ...more })

/** Layers that meet in every way: implied directories, marks, links to files below, a cut stack above. */
const layered = [
  [dir('a', { mode: '0750' }), file('a/x', { content: 'one' }), file('a/y'), dir('d'), file('d/z'), file('top')],
  [file('a/.wh.x'), { type: 'hardlink', name: 'again', linkname: 'a/y' }, file('d/.wh..wh..opq'), file('d/new')],
  [
    file('.wh.top'),
    file('a/deep/er/file', { content: 'x'.repeat(5000) }),
    { type: 'hardlink', name: 'b', linkname: 'a/deep/er/file' },
  ],
] as const satisfies readonly (readonly TarCaseEntry[])[]

const layeredImage = (): Image => memoryImage(layered.map(entries => makeTar(entries)))

describe('unpackLayers()', () => {
  let arena = ''
  let bundle = ''
  beforeEach(() => {
    arena = fs.mkdtempSync(join(tmpdir(), 'ovl-layers-'))
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
  const unpack = (image: Image, options: UnpackLayersOptions = {}): Promise<UnpackResult> =>
    unpackLayers(image, bundle, { userNamespace: asCaller, ...options })

  it('writes a private bundle: a directory for each layer, upper, work and the merged tree', async () => {
    const image = await openImage(resolve('fixtures/images/hello.docker.tar'), {})
    const result = await unpack(image)
    image.close()
    const names = ['config.json', 'lower', 'merged', 'ovl.json', 'upper', 'work']
    expect(fs.readdirSync(bundle).toSorted()).to.deep.equal(names)
    expect(fs.statSync(bundle).mode & 0o7777).to.equal(0o700)
    expect(fs.readdirSync(join(bundle, 'upper'))).to.deep.equal([])
    expect(fs.readdirSync(join(bundle, 'work'))).to.deep.equal([])
    const config = JSON.parse(fs.readFileSync(join(bundle, 'config.json'), 'utf8')) as { root: { path: string } }
    expect(config.root.path).to.equal('merged')
    const { state } = readBundle(bundle)
    expect(state.mode).to.equal('emulated')
    expect(fs.readdirSync(join(bundle, 'lower')).toSorted()).to.deep.equal(
      state.layers.map(each => String(each.number)),
    )
    expect(state.overlay?.lowers).to.deep.equal(state.layers.map(each => each.number))
    expect(state.layers.map(each => each.diffID)).to.deep.equal(result.layers.map(each => each.diffID))
    expect(result.merged?.entries).to.equal(listPaths(join(bundle, 'merged')).length - 1)
  })

  it('gives upper the attributes of the root', async () => {
    await unpack(memoryImage([makeTar([dir('./', { mode: '0711', mtime: 1234567890 })])]))
    const { mode, mtimeMs } = fs.statSync(join(bundle, 'upper'))
    expect({ mode: mode & 0o7777, mtimeMs }).to.deep.equal({ mode: 0o711, mtimeMs: 1234567890000 })
  })

  it('says where the stack is cut', async () => {
    await unpack(memoryImage([makeTar([file('a')]), makeTar([file('.wh..wh..opq'), file('b')]), makeTar([file('c')])]))
    expect(readBundle(bundle).state.overlay?.lowers).to.deep.equal([2, 3])
    expect(listPaths(join(bundle, 'merged'))).to.deep.equal(['.', 'b', 'c'])
  })

  it('gives the same bundle, warning for warning, however many threads there are', async () => {
    const seen: unknown[] = []
    for (const threads of [1, 2, 3, 4]) {
      const warnings: Warning[] = []
      const events: string[] = []
      const image = memoryImage(
        [...layered, [file('a'), file('q/../r')], [file('a/b'), file('s/../t')]].map(each => makeTar(each)),
      )
      const result = await unpack(image, {
        threads,
        force: 'bundle',
        warn: warning => void warnings.push(warning),
        onProgress: event => void (event.kind === 'layerDone' && events.push(`layer ${event.layer.number}`)),
      })
      const paths = listPaths(bundle).map(path => `${path} ${describePath(join(bundle, path))}`)
      seen.push({ warnings, events, result, paths, state: fs.readFileSync(join(bundle, 'ovl.json'), 'utf8') })
    }
    for (const each of seen) expect(each).to.deep.equal(seen[0])
  })

  it('reads a layer that only this thread can read', async () => {
    const tars = layered.map(entries => makeTar(entries))
    await unpack(memoryImage(tars))
    const wanted = listPaths(bundle)
    await unpack(memoryImage(tars, { foreign: true }), { force: 'bundle' })
    expect(listPaths(bundle)).to.deep.equal(wanted)
  })

  it('keeps holes, times to the nanosecond and links of one inode in the merged tree', async () => {
    const sparse = {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': 'sparse',
      'GNU.sparse.realsize': '10485760',
    }
    const map = '1\n1048576\n4\n'.padEnd(512, '\0')
    const entries = [
      file('GNUSparseFile.0/sparse', { pax: { ...sparse, mtime: '-12.5' }, content: `${map}data` }),
      file('f', { pax: { mtime: '5000000000.123456789' } }),
      { type: 'hardlink', name: 'g', linkname: 'f' },
    ]
    await unpack(memoryImage([makeTar(entries)]))
    const stat = (name: string): fs.BigIntStats => fs.statSync(join(bundle, 'merged', name), { bigint: true })
    expect(stat('sparse').size).to.equal(10485760n)
    expect(stat('sparse').blocks < 1000n, 'holes').to.equal(true)
    expect(fs.readFileSync(join(bundle, 'merged/sparse')).subarray(1048576, 1048580).toString()).to.equal('data')
    expect(stat('sparse').mtimeNs).to.equal(-12_500_000_000n)
    expect(stat('f').ino).to.equal(stat('g').ino)
    expect(stat('f').mtimeNs).to.equal(fs.statSync(join(bundle, 'lower/1/f'), { bigint: true }).mtimeNs)
  })

  it('copies files that forbid their owner to read them', async () => {
    await unpack(
      memoryImage([makeTar([dir('d', { mode: '0000' }), file('d/f', { mode: '0000', content: 'secret' })])]),
      {
        userNamespace: userNamespace({ rootless: true, uidMap: [], gidMap: [], euid: 1000, egid: 1000 }),
      },
    )
    for (const path of ['merged/d', 'merged/d/f', 'lower/1/d', 'lower/1/d/f'])
      if (isRoot()) expect(fs.statSync(join(bundle, path)).mode & 0o7777, path).to.equal(0)
    expect(fs.statSync(join(bundle, 'merged/d')).mode & 0o7777).to.equal(0)
  })

  describe('all or nothing', () => {
    it('names the lowest layer that is wrong, and leaves nothing', async () => {
      const big = makeTar([file('big', { content: 'x'.repeat(3 << 20) }), file('.wh.')])
      const image = memoryImage([makeTar([file('fine')]), big, makeTar([file('.wh..')])])
      const error = await failure(unpack(image, { threads: 3 }))
      expect(error.code).to.equal('BAD_WHITEOUT')
      expect(error.facts).to.deep.equal(['in layer 2 of 3'])
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })

    it('says that the digest is wrong, not that the tar is broken', async () => {
      const image = memoryImage([makeTar([file('a')])])
      const [layer] = image.layers
      if (layer === undefined) throw new Error('no layer')
      const changed = { ...layer, diffID: `sha256:${'0'.repeat(64)}` as const }
      expect((await failure(unpack({ ...image, layers: [changed] }))).code).to.equal('DIFF_ID_MISMATCH')
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })

    it('leaves nothing when it is aborted', async () => {
      const abort = new AbortController()
      const image = memoryImage([
        makeTar([file('big', { content: 'x'.repeat(8 << 20) })]),
        ...layered.map(each => makeTar(each)),
      ])
      const unpacking = unpack(image, { signal: abort.signal, onProgress: () => abort.abort() })
      expect((await failure(unpacking)).code).to.equal('INTERRUPTED')
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })

    it('counts the entries of all layers against the limit', async () => {
      const { defaultLimits } = await import('../../src/errors/index.ts')
      const error = await failure(unpack(layeredImage(), { limits: { ...defaultLimits, entries: 12 } }))
      expect(error.code).to.equal('LIMIT_EXCEEDED')
      expect(fs.readdirSync(arena)).to.deep.equal([])
    })

    for (const [what, layers] of [
      ['layers', [10, 10]],
      ['the merged tree', [3]],
    ] as const)
      it(`leaves nothing on a disk that ${what} fill, and says how much is missing`, async function () {
        skipUnless(this, isRoot(), 'mounting a small tmpfs needs root', { optional: true })
        const size = what === 'layers' ? '2m' : '4m'
        if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', arena]).status !== 0) this.skip()
        try {
          const tars = layers.map((mib, index) => makeTar([file(`f${index}`, { content: 'x'.repeat(mib << 20) })]))
          const error = await failure(unpack(memoryImage(tars)))
          expect(error.code).to.equal('NO_SPACE')
          expect(error.message).to.match(/more needed/)
          expect(error.data['neededBytes']).to.be.greaterThan((what === 'layers' ? 16 : 2) << 20)
          expect(fs.readdirSync(arena)).to.deep.equal([])
        } finally {
          spawnSync('umount', ['--lazy', arena])
        }
      })
  })

  it('records owners with --rootless, of the tree and not of what is hidden', async () => {
    const tars = [
      [file('mine'), file('theirs', { uid: 5, gid: 6 }), file('gone', { uid: 7 }), dir('d', { uid: 8 })],
      [file('.wh.gone'), file('d/x', { uid: 9 })],
      [dir('d')],
    ].map(entries => makeTar(entries))
    const rootless = userNamespace({ rootless: true, uidMap: [], gidMap: [], euid: 1000, egid: 1000 })
    const { notKept } = await unpack(memoryImage(tars), { userNamespace: rootless })
    expect(notKept.owners).to.have.deep.members([
      { path: 'theirs', uid: 5, gid: 6 },
      { path: 'd/x', uid: 9, gid: 0 },
    ])
    const name = 'user.containers.override_stat'
    const read = (path: string): string =>
      Buffer.from(loadSystem()?.lgetxattr(join(bundle, path), name) ?? []).toString()
    expect(read('merged/theirs')).to.equal(read('lower/1/theirs')).and.to.match(/^5:6:/)
  })

  it('makes the tree of the flat form as whoever runs it', async () => {
    await unpack(layeredImage(), { userxattr: true })
    await unpackFlat(layeredImage(), join(arena, 'flat'), { userNamespace: asCaller })
    const [flat, merged] = [join(arena, 'flat/rootfs'), join(bundle, 'merged')]
    expect(listPaths(merged)).to.deep.equal(listPaths(flat))
    for (const path of listPaths(flat))
      expect(describePath(join(merged, path)), path).to.equal(describePath(join(flat, path)))
  })
})

async function failure(promise: Promise<unknown>): Promise<OvlError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof OvlError && !isCode(error, 'UNSUPPORTED')) return error
  throw error ?? new Error('it did not fail')
}

/** What does not change between two unpacks of the same image. */
function describePath(path: string): string {
  const stat = fs.lstatSync(path)
  const isMade = /\/(bundle|lower|work|config\.json|ovl\.json)$/.test(path)
  return `${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.isFile() ? stat.size : ''} ${isMade ? '' : stat.mtimeMs}`
}
