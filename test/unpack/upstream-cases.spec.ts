// Public test tables of other unpackers. Where one contradicts a rule of docs/layers.md, the rule wins and the case
// stands in `exceptions` with the rule's answer, which is tested in its place.

import { expect } from 'chai'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { IdMapping } from '../../src/bundle/index.ts'
import { OvlError } from '../../src/errors/index.ts'
import { loadSystem } from '../../src/host/index.ts'
import type { Ownership } from '../../src/unpack/ownership.ts'
import { corpus, needsCorpus } from '../support/corpus.ts'
import { applyToDirectory, listTree, makeArena, removeArenas } from '../support/disk-tree.ts'
import { readUpstreamCases, type UpstreamCase, type UpstreamTreeRow } from '../support/layer-cases.ts'
import { makeTar, type TarCaseEntry } from '../support/make-tar.ts'
import { isRoot, skipUnless } from '../support/probe.ts'

type Exception = {
  readonly why: string
  /** The paths that must be there or absent instead, or an error. */
  readonly instead: 'error' | { readonly present?: readonly string[]; readonly absent?: readonly string[] }
  /** With --keep-dirlinks the upstream answer holds. */
  readonly holdsWithKeepDirlinks?: boolean
}

const hidden = (present: string, absent: string, holdsWithKeepDirlinks = true): Exception => ({
  why: 'rule 17: an implied directory hides a symlink of a lower layer, as in every per-layer store',
  instead: { present: [present], absent: [absent] },
  holdsWithKeepDirlinks,
})
const inside = (present: string): Exception => ({
  why: 'rule 2: ".." is resolved inside the root (--strict refuses it)',
  instead: { present: [present] },
})
const legal = (present: string): Exception => ({
  why: 'rule 1: backslash and colon are ordinary bytes on Linux',
  instead: { present: [present] },
})

const exceptions: Record<string, Exception> = {
  'containerd/breakout/SymlinkParentDirectory': {
    why: 'rule 4: the name cleans to the root, which must be a directory',
    instead: 'error',
  },
  'containerd/breakout/SymlinkEmptyFilename': { why: 'rule 3: an empty name on a non-directory', instead: 'error' },
  'containerd/breakout/WhiteoutSymlinkPath': {
    why: 'rule 17: a whiteout below a symlink of a lower layer hides nothing',
    instead: { present: ['etc/whitedout', 'etc/passwd'] },
    holdsWithKeepDirlinks: true,
  },
  'containerd/xattr/Selinux': {
    why: 'rule 23: labels of another host are not applied',
    instead: { present: ['file'] },
  },
  'moby/untar/ParentTraversal-2': inside('pwned'),
  'moby/unix/ImpliedDirsThroughLowerSymlink': hidden('lib/systemd/system/container.service', 'usr/lib/systemd'),
  'moby/unix/ThroughAbsoluteSymlink-missing': hidden('var/run/existing/non-existing/file', 'run', false),
  'moby/unix/RelativeEscapeBeforeAbsolute': hidden('escape/absolute/file', 'target/file', false),
  'moby/unix/HardlinkSourceThroughAbsoluteSymlink': hidden('var/run/link', 'run', false),
  'umoci/symlink-scoping/RootPrefix': hidden('link/file', 'file'),
  'umoci/symlink-scoping/GarbagePrefix1': hidden('link/file', 'file'),
  'umoci/symlink-scoping/GarbagePrefix2': hidden('link/file', 'file'),
  'umoci/symlink-scoping/DotDotPrefix': hidden('link/file', 'file'),
  'ggcr/symlink-filtering': {
    why: 'symlinks are kept verbatim: they are resolved by whoever uses the tree',
    instead: { present: ['etc/foo', 'etc/win-escape'] },
  },
  'ggcr/unsafe-path/.._tmp_evil': inside('tmp/evil'),
  'ggcr/unsafe-path/..bs..bstmpbsevil': legal('..\\..\\tmp\\evil'),
  'ggcr/unsafe-path/bstmpbsevil': legal('\\tmp\\evil'),
  'ggcr/unsafe-path/Cbstmpbsevil': legal('C:\\tmp\\evil'),
  'ggcr/unsafe-path/C_tmp_evil': legal('C:/tmp/evil'),
}

describe('upstream cases, on disk', () => {
  before(needsCorpus)
  before(function () {
    skipUnless(this, isRoot(), 'owners and devices need root', { optional: true })
  })
  after(removeArenas)
  const all =
    corpus === null ? [] : readUpstreamCases(corpus).filter(({ kind }) => kind === 'apply' || kind === 'apply-raw')
  const flat = all.filter(({ expect: want }) => want.ondisk === undefined) // the others are about per-layer overlay trees
  for (const testCase of flat) {
    const exception = exceptions[testCase.id]
    it(`${testCase.id}: ${testCase.title}${exception === undefined ? '' : ` [${exception.why}]`}`, () =>
      checkCase(testCase, { exception }))
    if (exception?.holdsWithKeepDirlinks === true)
      it(`${testCase.id} with --keep-dirlinks`, () => checkCase(testCase, { keepDirlinks: true }))
  }

  it('names no exception that is not in the table', () => {
    const ids = new Set(flat.map(({ id }) => id))
    expect(Object.keys(exceptions).filter(id => !ids.has(id))).to.deep.equal([])
  })
})

type Terms = { readonly exception?: Exception | undefined; readonly keepDirlinks?: boolean }

function checkCase(testCase: UpstreamCase, { exception, keepDirlinks = false }: Terms): void {
  const arena = makeArena()
  const root = join(arena, 'dest')
  const outside = join(arena, 'outside')
  fs.mkdirSync(root)
  prepareOutside(arena, outside)
  const before = snapshot(arena)
  const layers =
    testCase.gzip_tar_hex === undefined
      ? testCase.layers.map(entries => makeTar(entries.map(entry => substitute(entry, { outside, root }))))
      : [gunzipSync(Buffer.from(testCase.gzip_tar_hex, 'hex'))]
  const failure = attempt(() => applyToDirectory(root, layers, { ownership: ownershipOf(testCase), keepDirlinks }))
  if (exception === undefined) checkOutcome(testCase, { root, failure })
  else checkException(exception, { root, failure })
  expect(snapshot(arena), 'outside the destination').to.deep.equal(before)
}

type Outcome = { readonly root: string; readonly failure: OvlError | null }

function checkException({ instead, why }: Exception, { root, failure }: Outcome): void {
  if (instead === 'error') return void expect(failure, why).to.be.instanceOf(OvlError)
  if (failure !== null) throw failure
  for (const path of instead.present ?? []) expect(exists(root, path), `${path} is there`).to.equal(true)
  for (const path of instead.absent ?? []) expect(exists(root, path), `${path} is absent`).to.equal(false)
}

function checkOutcome({ expect: want }: UpstreamCase, { root, failure }: Outcome): void {
  if (want.error === 'may' && failure !== null) return
  if (want.error !== undefined && want.error !== 'may' && want.error !== false)
    return void expect(failure, 'an error').to.be.instanceOf(OvlError)
  if (failure !== null) throw failure
  for (const row of want.tree ?? []) checkRow(root, row)
  for (const path of want.absent ?? []) expect(exists(root, path), `${path} is absent`).to.equal(false)
  if (want.tree_complete !== undefined)
    expect(listTree(root).filter(path => path !== '.')).to.deep.equal(
      want.tree_complete
        .map(path => path.replace(/^\.?\//, '').replace(/\/$/, ''))
        .filter(path => path !== '')
        .toSorted(),
    )
  for (const [a, b] of want.same_file ?? [])
    expect(inode(followInside(root, a)), `${a} is ${b}`).to.equal(inode(followInside(root, b)))
  for (const [a, b] of want.same_inode ?? [])
    expect(inode(join(root, a)), `${a} is ${b}`).to.equal(inode(join(root, b)))
  for (const [a, b] of want.not_same_inode ?? [])
    expect(inode(join(root, a)), `${a} is not ${b}`).to.not.equal(inode(join(root, b)))
  for (const [a, b] of want.same_symlink ?? [])
    expect(fs.readlinkSync(join(root, a))).to.equal(fs.readlinkSync(join(root, b)))
}

function checkRow(root: string, row: UpstreamTreeRow): void {
  const full = row.content === undefined ? join(root, row.path) : followInside(root, row.path)
  const stat = fs.lstatSync(full)
  if (row.type !== undefined) expect(typeName(stat), `type of ${row.path}`).to.equal(row.type)
  if (row.mode !== undefined) expect(stat.mode & 0o7777, `mode of ${row.path}`).to.equal(Number.parseInt(row.mode, 8))
  if (row.uid !== undefined) expect(stat.uid, `uid of ${row.path}`).to.equal(row.uid)
  if (row.gid !== undefined) expect(stat.gid, `gid of ${row.path}`).to.equal(row.gid)
  if (row.mtime !== undefined) expect(Math.floor(stat.mtimeMs / 1000), `mtime of ${row.path}`).to.equal(row.mtime)
  if (row.content !== undefined) expect(fs.readFileSync(full, 'utf8'), `content of ${row.path}`).to.equal(row.content)
  if (row.link !== undefined) expect(fs.readlinkSync(full), `target of ${row.path}`).to.equal(row.link)
  for (const [name, value] of Object.entries(row.xattrs ?? {})) {
    expect(
      Buffer.from(loadSystem()?.lgetxattr(full, name) ?? []).toString('latin1'),
      `${name} of ${row.path}`,
    ).to.equal(value)
  }
}

/** What the cases expect to stand beside the destination. */
function prepareOutside(arena: string, outside: string): void {
  fs.mkdirSync(join(arena, 'victim'))
  fs.writeFileSync(join(arena, 'victim', 'hello'), 'hello victim')
  fs.mkdirSync(outside)
  fs.writeFileSync(join(outside, 'perm400'), 'secret', { mode: 0o400 })
  fs.writeFileSync(join(outside, 'also-exists-outside-root'), 'other', { mode: 0o640 })
}

/** Everything in the arena but the destination: paths, modes, owners, content. */
function snapshot(arena: string): string[] {
  return listTree(arena)
    .filter(path => path !== '.' && path !== 'dest' && !path.startsWith('dest/'))
    .map(path => {
      const stat = fs.lstatSync(join(arena, path))
      return `${path} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.nlink} ${stat.isFile() ? fs.readFileSync(join(arena, path), 'utf8') : ''}`
    })
}

function substitute(
  entry: TarCaseEntry,
  { outside, root }: { readonly outside: string; readonly root: string },
): TarCaseEntry {
  const fill = (text: string): string => text.replaceAll('${OUTSIDE}', outside).replaceAll('${DEST}', root)
  return {
    ...entry,
    name: fill(entry.name),
    ...(entry.linkname === undefined ? {} : { linkname: fill(entry.linkname) }),
  }
}

function ownershipOf({ options }: UpstreamCase): Ownership {
  return { kind: 'keep', uidMappings: mappings(options?.uid_map), gidMappings: mappings(options?.gid_map) }
}

function mappings(rows: readonly [number, number, number][] = []): readonly IdMapping[] {
  return rows.map(([containerID, hostID, size]) => ({ containerID, hostID, size }))
}

function attempt(call: () => unknown): OvlError | null {
  try {
    call()
    return null
  } catch (error) {
    if (error instanceof OvlError) return error
    throw error
  }
}

function exists(root: string, path: string): boolean {
  return fs.lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined
}

function inode(path: string): number {
  return fs.lstatSync(path).ino
}

/** Resolves symlinks as inside a chroot: the table's "same file" is meant that way. */
function followInside(root: string, path: string): string {
  const pending = path.split('/').toReversed()
  const trail: string[] = []
  for (let name = pending.pop(), hops = 0; name !== undefined; name = pending.pop()) {
    if (name === '' || name === '.') continue
    if (name === '..') {
      trail.pop()
      continue
    }
    const full = join(root, ...trail, name)
    if (fs.lstatSync(full, { throwIfNoEntry: false })?.isSymbolicLink() !== true || ++hops > 40) {
      trail.push(name)
      continue
    }
    const target = fs.readlinkSync(full)
    if (target.startsWith('/')) trail.length = 0
    pending.push(...target.split('/').toReversed())
  }
  return join(root, ...trail)
}

function typeName(stat: fs.Stats): string {
  if (stat.isFile()) return 'file'
  if (stat.isSymbolicLink()) return 'symlink'
  return stat.isDirectory() ? 'dir' : stat.isCharacterDevice() ? 'char' : stat.isBlockDevice() ? 'block' : 'fifo'
}
