// The test tables of containerd, BuildKit, moby and umoci about what changed (cases/upstream.json). Where ovl means
// something else, the difference is in a table with its reason.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { type FileSystem, MemoryFs, type Tree, writeTree } from '../../../src/fs/index.ts'
import { openHostView } from '../../../src/host/index.ts'
import {
  applyChanges,
  type Change,
  type Changeset,
  diffTrees,
  diffUpper,
  encodeLayerBytes,
  type EncodeOptions,
  layerEntries,
  viewFileSystem,
  writeUpper,
} from '../../../src/layer/index.ts'
import { OverlayFs } from '../../../src/overlay/index.ts'
import { type TarHeader, TarReader, tarType } from '../../../src/tar/index.ts'
import { corpusPath, needsCorpus } from '../../support/corpus.ts'
import { listFileSystem } from '../../support/tree-listing.ts'
import { applyOps, type TreeOp } from '../../support/tree-ops.ts'

type ExpectedEntry = {
  readonly type: string
  readonly name: string
  readonly mode?: string
  readonly content?: string
  readonly linkname?: string
}
type ExpectedChange = { readonly kind: 'add' | 'modify' | 'delete'; readonly path: string }
type UpperRow = {
  readonly path: string
  readonly type: string
  readonly mode: string
  readonly opaque?: boolean
  readonly dev?: string
}

type UpstreamCase = {
  readonly id: string
  readonly kind: string
  readonly title: string
  readonly lower_ops?: readonly TreeOp[]
  readonly change_ops?: readonly TreeOp[]
  readonly steps?: readonly (readonly TreeOp[])[]
  readonly upperdir?: readonly UpperRow[]
  readonly rw_files?: readonly string[]
  readonly expect: {
    readonly entries_in_order?: readonly ExpectedEntry[]
    readonly entries_any_order?: readonly ExpectedEntry[]
    readonly changes_in_order?: readonly ExpectedChange[]
    readonly changes_sorted?: readonly ExpectedChange[]
    readonly tar_names?: readonly string[]
    readonly tree?: readonly { readonly path: string; readonly mode: string }[]
    readonly mtime?: number
  }
}

/** Paths of a case that ovl treats in another way, and why. */
const exceptions: Readonly<Record<string, { readonly paths: readonly string[]; readonly why: string }>> = {
  'umoci/generate/Basic': { paths: ['some/'], why: 'every parent has an entry, so that none is implied' },
  'umoci/generate/Char00': { paths: ['./'], why: 'a bare upperdir does not say what the root was' },
  'umoci/generate/XattrWhiteout': { paths: ['./'], why: 'a bare upperdir does not say what the root was' },
  'buildkit/overlaydiff/UpdateWithSameTime': {
    paths: ['/file-same-time'],
    why: 'contents are compared, equal times prove nothing',
  },
  'moby/changes/ChangesDirsMutated': {
    paths: ['/dir3'],
    why: 'the time of a directory is part of the tree: without it the changed tree could not be made again',
  },
}

/** Layers are sorted by name, so the first name of a hard link is the file, and parents come where they belong. */
const otherOrder = new Set(['containerd/diff/HardlinkParentInclusion', 'containerd/diff/HardlinkUpdatedParent'])

describe('what changed, as others test it', () => {
  before(needsCorpus)

  it('entries of a layer (diff-tar)', () => {
    for (const each of casesOf('diff-tar').filter(({ change_ops: ops }) => ops !== undefined)) checkEntries(each)
  })

  it('changes of an upperdir that an overlay wrote (upperdir-diff)', () => {
    for (const each of casesOf('upperdir-diff')) checkUpperdir(each)
  })

  it('changes between trees (tree-diff)', () => {
    for (const each of casesOf('tree-diff')) checkTrees(each)
  })

  it('steps that are applied to the tree before (roundtrip)', () => {
    for (const { id, steps = [] } of casesOf('roundtrip')) {
      for (let count = 1; count <= steps.length; count++) {
        const [a, b, copy] = [count - 1, count, count - 1].map(n => treeOf(steps.slice(0, n).flat())) as [
          MemoryFs,
          MemoryFs,
          MemoryFs,
        ]
        applyChanges(copy, diffTrees(a, b), { warn: fail })
        expect(list(copy), `${id} step ${count}`).to.deep.equal(list(b))
      }
    }
  })

  it('upperdirs as layers and back (overlay-disk)', () => {
    const names = casesOf('overlay-disk').map(each => {
      checkOnDisk(each)
      return each.id
    })
    expect(names).to.have.length(4)
  })

  it('a file that vanishes is an error, never a short layer (umoci#33)', () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'ovl-upstream-'))
    fs.writeFileSync(path.join(directory, 'file'), 'content')
    const view = openHostView(directory)
    const entries = layerEntries(diffUpper(view), { warn: fail })
    fs.unlinkSync(path.join(directory, 'file'))
    expect(() => encodeLayerBytes(entries))
      .to.throw()
      .with.property('data')
      .that.includes({ errno: 'ENOENT' })
    view.close()
    fs.rmSync(directory, { recursive: true })
    expect(() => openHostView(directory))
      .to.throw()
      .with.property('code', 'ENOENT')
  })

  it('times and SOURCE_DATE_EPOCH', () => {
    for (const [id, mtime] of [
      ['umoci/generate/SourceDateEpoch-clamp', '2000000000'],
      ['umoci/generate/SourceDateEpoch-old', '1000000000'],
    ] as const) {
      const [wanted] = casesOf('diff-tar').filter(each => each.id === id)
      const upper = fileSystemOf({ f: { content: '', mtime } })
      const [header] = headersOf(diffUpper(upper), { latestTimeSec: 1_234_567_890 })
      expect(header?.mtimeSec, id).to.equal(wanted?.expect.mtime)
    }
  })
})

function checkEntries({ id, lower_ops: lower = [], change_ops: changes = [], expect: wanted }: UpstreamCase): void {
  const b = treeOf([...lower, ...changes])
  const got = headersOf(diffTrees(treeOf(lower), b)).filter(({ name }) => !isException(id, name))
  const entries = wanted.entries_in_order ?? wanted.entries_any_order ?? []
  const want = entries.map(({ name }) => name)
  const names = got.map(({ name }) => name)
  if (wanted.entries_in_order === undefined || otherOrder.has(id)) expect(names, id).to.have.members(want)
  else expect(names, id).to.deep.equal(want)
  const groups = new Map(got.map(({ name, linkName, type }) => [name, type === tarType.hardLink ? linkName : name]))
  for (const { name, type, mode, linkname } of entries) {
    const header = got.find(each => each.name === name)
    if (mode !== undefined && type !== 'hardlink')
      expect(header?.mode, `${id} ${name}`).to.equal(Number.parseInt(mode, 8))
    if (linkname !== undefined) expect(groups.get(name), `${id} ${name}`).to.equal(groups.get(linkname))
  }
}

function checkUpperdir({ id, lower_ops: ops = [], change_ops: changes = [], expect: wanted }: UpstreamCase): void {
  const lower = treeOf(ops)
  const disk = treeOf([])
  for (const name of ['/upper', '/work']) disk.mkdir(name, 0o755)
  const place = (name: string) => ({ fs: disk, path: name })
  const overlay = new OverlayFs({ lower: [{ fs: lower, path: '/' }], upper: place('/upper'), work: place('/work') })
  applyOps(overlay, changes)
  overlay.unmount()
  const changeset = diffUpper(viewFileSystem(disk, 'upper'), { lower, withoutParents: true })
  const got = shortChanges(changeset).filter(change => !isException(id, change.path))
  expect(got, id).to.deep.equal(wanted.changes_in_order)
}

function checkTrees(each: UpstreamCase): void {
  const { id, lower_ops: lower = [], change_ops: changes = [], expect: wanted } = each
  if (id === 'moby/changes/HardLinkOrder') return checkHardLinkOrder(lower, changes)
  if (id === 'moby/changes/AUFS-rw') return checkAufs(each)
  const [a, b] = [treeOf(lower), treeOf([...lower, ...changes])]
  // A branch of AUFS knows of deletions by its own marks alone.
  const isBranch = id === 'moby/changes/GH13590-add'
  const changeset = isBranch ? diffUpper(b, { lower: a, style: 'aufs' }) : diffTrees(a, b)
  const got = shortChanges(changeset, change => !isPlainParent(change, isBranch))
  expect(sorted(got.filter(change => !isException(id, change.path))), id).to.deep.equal(wanted.changes_sorted)
  if (isBranch) return
  const copy = treeOf(lower)
  applyChanges(copy, changeset, { warn: fail })
  expect(diffTrees(b, copy).changes, id).to.deep.equal([])
}

/** moby lists a directory in a branch when its time changed, and otherwise none for what is in it. */
function isPlainParent({ isParent, time, mode, typeBefore, kind }: Change, withTime: boolean): boolean {
  const isChanged = kind !== 'changed' || mode !== undefined || typeBefore !== undefined
  return isParent === true && !isChanged && !(withTime && time !== undefined)
}

function checkHardLinkOrder(lower: readonly TreeOp[], changes: readonly TreeOp[]): void {
  const layer = (ops: readonly TreeOp[]): Uint8Array => {
    const b = treeOf([...lower, ...ops])
    b.utimens('/', { atime: 0n, mtime: 0n })
    return encodeLayerBytes(layerEntries(diffTrees(treeOf(lower), b), { warn: fail }))
  }
  const forward = layer(changes)
  expect(Buffer.from(layer(changes.toReversed())).equals(Buffer.from(forward))).to.equal(true)
  expect(readHeaders(forward).filter(({ type }) => type === tarType.hardLink)).to.have.length(15)
}

function checkAufs({ id, rw_files: files = [], expect: wanted }: UpstreamCase): void {
  const mutated = casesOf('tree-diff').find(each => each.id === 'moby/changes/ChangesDirsMutated')
  const lower = treeOf([...(mutated?.lower_ops ?? []), { op: 'mkdirAll', path: '/dir1/subfolder', mode: '0740' }])
  const branch = treeOf([])
  for (const file of files) {
    if (file.endsWith('/')) branch.mkdir(`/${file.slice(0, -1)}`, 0o740)
    else branch.writeFile(`/${file}`, file.includes('.wh.') ? '' : 'new content')
  }
  const got = shortChanges(diffUpper(branch, { lower, style: 'aufs' }))
  expect(sorted(got), id).to.deep.equal(wanted.changes_sorted)
}

function checkOnDisk({ id, upperdir, expect: wanted }: UpstreamCase): void {
  const tar = upperdir ?? casesOf('overlay-disk').find(each => each.id === 'moby/overlay/TarUntar')?.upperdir ?? []
  if (id.startsWith('moby/')) {
    const upper = upperOf(tar)
    const changeset = diffUpper(upper)
    const headers = headersOf(changeset, { timePrecision: 's' })
    if (wanted.tar_names !== undefined)
      expect(
        headers.map(({ name }) => name),
        id,
      ).to.deep.equal(wanted.tar_names)
    expect(
      headers.every(({ pax }) => pax === null),
      id,
    ).to.equal(true)
    for (const { path: name, mode } of wanted.tree ?? [])
      expect(headers.find(header => header.name === name)?.mode, `${id} ${name}`).to.equal(Number.parseInt(mode, 8))
    const again = treeOf([])
    writeUpper(again, changeset, { warn: fail })
    expect(list(again), id).to.deep.equal(list(upper))
    return
  }
  const isDevice = id === 'umoci/generate/Char00'
  const name = isDevice ? 'test' : 'woreg'
  for (const prefix of ['trusted', 'user']) {
    const whiteout = isDevice
      ? { type: 'whiteout' }
      : { content: '', xattrs: { [`${prefix}.overlay.whiteout`]: 'foobar' } }
    const upper = fileSystemOf({ reg: 'content', [name]: whiteout } as Tree)
    const headers = headersOf(diffUpper(upper, { userxattr: prefix === 'user' }))
    const want = wanted.tar_names?.filter(each => !isException(id, each))
    expect(
      headers.map(header => header.name),
      id,
    ).to.deep.equal(want)
  }
}

function upperOf(rows: readonly UpperRow[]): MemoryFs {
  const tree: Record<string, Tree[string]> = {}
  for (const { path: name, type, mode, opaque, dev } of rows) {
    if (dev === '0:0') tree[name] = { type: 'whiteout', mtime: '5' }
    else if (type === 'dir') tree[name] = { type: 'dir', mode, mtime: '5', ...(opaque === true ? { opaque } : {}) }
    else tree[name] = { content: '', mode, mtime: '5' }
  }
  return fileSystemOf(tree)
}

function casesOf(kind: string): readonly UpstreamCase[] {
  const { cases } = JSON.parse(fs.readFileSync(corpusPath('cases', 'upstream.json'), 'utf8')) as {
    cases: UpstreamCase[]
  }
  return cases.filter(each => each.kind === kind)
}

function isException(id: string, name: string): boolean {
  return exceptions[id]?.paths.includes(name) === true
}

const kinds = { added: 'add', changed: 'modify', renamed: 'modify', deleted: 'delete' } as const

function shortChanges({ changes }: Changeset, keep: (change: Change) => boolean = () => true): ExpectedChange[] {
  return changes.filter(keep).map(({ kind, path: name }) => ({ kind: kinds[kind], path: `/${name}` }))
}

function sorted(changes: readonly ExpectedChange[]): ExpectedChange[] {
  return changes.toSorted((a, b) => (a.path < b.path ? -1 : 1))
}

/** A tree in memory whose clock counts, so that the same operations give the same tree. */
function treeOf(ops: readonly TreeOp[]): MemoryFs {
  let now = 1_500_000_000_000_000_000n
  const tree = new MemoryFs({ now: () => (now += 1n) })
  applyOps(tree, ops)
  return tree
}

function fileSystemOf(tree: Tree): MemoryFs {
  const memory = treeOf([])
  writeTree(memory, '/', tree)
  return memory
}

function list(tree: FileSystem): Record<string, string> {
  const listing = listFileSystem(tree, { withoutRootTime: true })
  for (const [name, text] of Object.entries(listing)) if (text.startsWith('char 0 0:0')) listing[name] = 'whiteout'
  return listing
}

function headersOf(changeset: Changeset, options: EncodeOptions = {}): readonly TarHeader[] {
  return readHeaders(encodeLayerBytes(layerEntries(changeset, { warn: () => undefined }), options))
}

function readHeaders(tar: Uint8Array): readonly TarHeader[] {
  const headers: TarHeader[] = []
  const reader = new TarReader({
    entry: header => void headers.push(header),
    data: () => undefined,
    end: () => undefined,
  })
  reader.push(tar)
  reader.finish()
  return headers
}

function fail(warning: { readonly message: string }): never {
  throw new Error(`unexpected warning: ${warning.message}`)
}
